"""How loud a sound is: its loudest bin (the codec's 0 dB), and the slow gain that a quiet network needs."""

import math

import numpy as np
import torch
from torch import Tensor

from audiobend.spectral.filters import Filter, one_pole
from audiobend.spectral.stft import HOP_LENGTH
from audiobend.spectral.streaming import Framer

LEVEL_SECONDS = 1.0
LEVEL_RANGE_DB = (-6.0, 12.0)
QUIET_DB, LOUD_DB = -60.0, -30.0
"""Bins under the first get no gain, bins above the second all of it: a network blurs peaks, not the quiet between."""


class LevelMatch:
    """A slow gain in dB that gives the unbent reconstruction the input's loudness.

    Bends do not enter, so that a bend may be loud or soft. Both loudnesses have the same one-pole memory: in silence
    their ratio, and with it the gain, stands still.
    """

    def __init__(self) -> None:
        self._slow = Filter(one_pole(math.exp(-HOP_LENGTH / 44100 / LEVEL_SECONDS)), n_signals=2)

    def feed(self, input_db: Tensor, unbent_db: Tensor) -> Tensor:
        """Return the gain of each column, ``(1, 1, column)`` dB; one for all channels keeps the stereo image."""
        energy = [(10 ** (db.clamp(max=20.0).double() / 10)).sum(dim=(0, 1)).numpy() for db in (input_db, unbent_db)]
        power = torch.from_numpy(self._slow.feed(np.stack(energy))).clamp(min=1e-30)
        gain_db = 10 * (power[0] / power[1]).log10()
        return gain_db.clamp(*LEVEL_RANGE_DB).float()[None, None]


def on_loud_bins(gain_db: Tensor, db: Tensor) -> Tensor:
    """Return what each bin ``(channel, 513, column)`` gets of its column's gain: loud ones all, quiet ones nothing."""
    return gain_db * ((db - QUIET_DB) / (LOUD_DB - QUIET_DB)).clamp(0, 1)


class LoudestBin:
    """First pass over the sound: magnitude of its loudest spectrogram bin."""

    def __init__(self, n_channels: int) -> None:
        self._framer = Framer(n_channels)
        self.magnitude = 0.0

    def feed(self, waveform: Tensor) -> None:
        """Take samples ``(channel, time)``."""
        self._meet(self._framer.feed(waveform))

    def flush(self) -> float:
        """Return the magnitude."""
        self._meet(self._framer.flush())
        return self.magnitude

    def _meet(self, spectrum: Tensor) -> None:
        if spectrum.shape[-1]:
            self.magnitude = max(self.magnitude, float(spectrum.abs().amax()))
