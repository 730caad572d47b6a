"""Sound and the picture of sound: spectrograms, their codec, and the way back to samples."""

from audiobend.spectral.resynthesis import Resynthesizer, reconstruct
from audiobend.spectral.stft import HOP_LENGTH, N_BINS, N_FFT, istft, stft

__all__ = ["HOP_LENGTH", "N_BINS", "N_FFT", "Resynthesizer", "istft", "reconstruct", "stft"]
