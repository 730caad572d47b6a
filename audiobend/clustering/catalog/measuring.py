"""How far a bent sound is from the unbent one, and in which ways."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiobend.clustering.descriptors import changes, floor_of, hear
from audiobend.spectral.stft import stft
from audiobend.train.metrics import RESOLUTIONS

RANGE_DB = 60.0
"""Bins this far under the loudest bin of the unbent sound count as silent."""
BANDS, MOMENTS = 24, 40
"""Size of the map of changes by which bends are told apart."""
HALF_DB = 12.0
"""A change of this many dB counts three quarters of what the greatest counts."""
LEVEL_COUNTS = 0.3
"""How much of a change of the level as a whole enters the map."""


@dataclass(frozen=True)
class Measured:
    """What a bend does to the sound.

    Attributes
    ----------
    change_db : float
        Multi-resolution log-spectral distance from the unbent rendering: rms difference in dB over all bins, mean over
        windows of 512, 1024, 2048 and 4096 samples; both floored 60 dB under the loudest bin of the unbent sound.
    changes : dict
        As `audiobend.clustering.descriptors.changes` gives them.
    grid : int8 array ``(24, 40)``
        Where it got louder and softer beside the sound as a whole, bands by moments, -127..127.
    """

    change_db: float
    changes: dict[str, float]
    grid: np.ndarray


class Ruler:
    """Measures bent sounds ``(channel, time)`` against one unbent sound."""

    def __init__(self, unbent: Tensor) -> None:
        self._unbent = unbent
        self._spectra = [_magnitudes(unbent, n_fft) for n_fft in RESOLUTIONS]
        self._floors = [float(one.max()) * 10 ** (-RANGE_DB / 20) + 1e-9 for one in self._spectra]
        spectrum = stft(unbent)
        self._floor = floor_of(spectrum)
        self._heard = hear(spectrum, self._floor)
        self._grid_floor = float(spectrum.abs().square().max()) * 10 ** (-RANGE_DB / 10) + 1e-20
        self._grid = self._grid_db(spectrum)

    def measure(self, bent: Tensor) -> Measured:
        """Compare a bent sound of the same shape."""
        spectrum = stft(bent)
        grid = self._grid_db(spectrum)
        difference, heard = grid - self._grid, np.maximum(grid, self._grid) > 10 * np.log10(self._grid_floor)
        # Louder and softer are one bend at two levels to the ear: timbre and time count more.
        level = difference[heard].mean() if heard.any() else 0.0
        moved = np.tanh((difference - (1 - LEVEL_COUNTS) * level * heard) / HALF_DB)
        return Measured(
            self.distance_db(bent),
            changes(self._heard, hear(spectrum, self._floor), self._floor),
            np.round(127 * moved).astype(np.int8),
        )

    def distance_db(self, bent: Tensor) -> float:
        """Return the multi-resolution log-spectral distance in dB; 0 where the sounds are equal."""
        distances = []
        for n_fft, unbent, floor in zip(RESOLUTIONS, self._spectra, self._floors, strict=True):
            ratio = _magnitudes(bent, n_fft).clamp(min=floor) / unbent.clamp(min=floor)
            distances.append(float((20 * ratio.log10()).square().mean().sqrt()))
        return sum(distances) / len(distances)

    def _grid_db(self, spectrum: Tensor) -> np.ndarray:
        """Return mean power in bands that are equally wide on a logarithmic scale, in dB above the floor."""
        power = spectrum.abs().square().mean(0).double()
        edges = np.unique(np.geomspace(2, len(power), BANDS + 1).round().astype(int))
        rows = torch.stack([power[low:high].mean(0) for low, high in pairwise(edges)])
        grid = torch.nn.functional.adaptive_avg_pool1d(rows[None], MOMENTS)[0]
        return np.asarray(10 * grid.clamp(min=self._grid_floor).log10().numpy())


def _magnitudes(waveform: Tensor, n_fft: int) -> Tensor:
    padded = torch.nn.functional.pad(waveform, (0, max(0, n_fft - waveform.shape[-1])))
    window = torch.hann_window(n_fft)
    spectrum: Any = torch.stft(padded, n_fft, n_fft // 4, window=window, center=False, return_complex=True)
    magnitudes: Tensor = spectrum.abs()
    return magnitudes
