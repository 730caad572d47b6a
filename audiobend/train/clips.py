"""A sound file as evenly spaced windows, with what is needed to hear them again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.errors import TrainingError
from audiobend.io.files import check_readable
from audiobend.networks.spectrogram_vae import WINDOW
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.spectral.stft import HOP_LENGTH, N_FFT, istft, n_columns, stft
from audiobend.train.decode import mono_blocks

BLOCK = 1 << 18
"""Samples transformed at once."""


@dataclass(frozen=True)
class Clip:
    """Windows of one sound.

    Attributes
    ----------
    spectra : complex Tensor ``(window, 513, 128)``
    reference : float
        Magnitude of the sound's loudest bin, which is 0 dB.
    db : Tensor ``(window, 128, 513)``
        The windows as the network's maps are: (time, frequency), floored at -80.
    starts : array of int
        First column of each window.
    """

    spectra: Tensor
    reference: float
    db: Tensor
    starts: NDArray[np.int64]

    def elsewhere(self) -> Tensor | None:
        """Return the same windows in another order: each at least 128 columns from its place, or None if too short.

        The wrong window is a baseline with all the statistics of the sound and nothing of the moment.
        """
        shift = len(self.starts) // 2
        apart = np.abs(np.roll(self.starts, shift) - self.starts)
        return self.db.roll(shift, 0) if apart.min() >= WINDOW else None

    def sound(self, db: Tensor | None = None) -> Tensor:
        """Return the windows as sound ``(window, time)``, with other magnitudes but the same phase if ``db`` is given.

        Every window stands alone: nothing is cross-faded.
        """
        if db is None:
            return istft(self.spectra)
        magnitude = SpectrogramCodec().to_magnitude(db.transpose(-1, -2).clone(), self.reference)
        return istft(torch.polar(magnitude, self.spectra.angle()))


def even_clip(path: Path, n_windows: int) -> Clip:
    """Return evenly spaced windows of a sound file: all different, so fewer of a short one.

    Channels are averaged and the rate is made 44.1 kHz, as in training.
    """
    return _clip(path, lambda n: np.unique(np.linspace(0, n - WINDOW, n_windows).astype(np.int64)))


def passage(path: Path, n_windows: int) -> Clip:
    """Return windows one after the other, without gaps, from the middle of a sound file (fewer of a short one)."""

    def starts(n: int) -> NDArray[np.int64]:
        n_fit = min(n_windows, n // WINDOW)
        return (n - n_fit * WINDOW) // 2 + WINDOW * np.arange(n_fit, dtype=np.int64)

    return _clip(path, starts)


def _clip(path: Path, choose: Callable[[int], NDArray[np.int64]]) -> Clip:
    """Cut the windows that ``choose`` names, given the number of columns."""
    check_readable(path, TrainingError)
    samples = torch.cat([block[0] for block in mono_blocks(path)])
    n = n_columns(len(samples))
    if n < WINDOW:
        raise TrainingError(
            f"{path}: shorter than one window; give at least {(WINDOW - 1) * HOP_LENGTH / 44100:.2f} s of sound"
        )
    reference = max(float(stft(piece).abs().max()) for piece in samples.split(BLOCK))
    if reference <= 0:
        raise TrainingError(f"{path}: is silent; there is nothing to compare")
    padded = torch.nn.functional.pad(samples, (N_FFT // 2, N_FFT))
    starts = choose(n)
    spectra = torch.stack([_columns(padded, int(start)) for start in starts])
    db = SpectrogramCodec().to_db(spectra.abs(), reference).transpose(-1, -2).contiguous()
    return Clip(spectra, reference, db, starts)


def _columns(padded: Tensor, start: int) -> Tensor:
    """Return the spectrum ``(513, 128)`` of a window; ``padded`` begins half a frame before the sound."""
    piece = padded[start * HOP_LENGTH :][: (WINDOW - 1) * HOP_LENGTH + N_FFT]
    return stft(piece)[:, 2:-2]    # the outer two columns hold the padding that `stft` adds
