"""Sound and the picture of sound: spectrograms, their codec, and the way back to samples."""

from audiobend.spectral.codec import SpectrogramCodec
from audiobend.spectral.estimates import pghi, spsi
from audiobend.spectral.phase import griffin_lim, raar
from audiobend.spectral.resynthesis import Resynthesizer, reconstruct
from audiobend.spectral.stft import HOP_LENGTH, N_BINS, N_FFT, istft, stft

__all__ = [
    "HOP_LENGTH",
    "N_BINS",
    "N_FFT",
    "Resynthesizer",
    "SpectrogramCodec",
    "griffin_lim",
    "istft",
    "pghi",
    "raar",
    "reconstruct",
    "spsi",
    "stft",
]
