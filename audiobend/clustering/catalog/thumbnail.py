"""A small picture of a bent sound: how loud it is everywhere, and how much of that the bend did."""

import base64
import io
import math
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from audiobend.spectral.stft import stft

WIDTH, HEIGHT = 168, 56
RANGE_DB = 70.0
FULL_DB = 18.0
"""A change of this many dB has the full colour."""
LEVELS, TINTS = 32, 12
LOWEST_BIN = 1.5
"""About 65 Hz: the bottom of the picture."""


class Painter:
    """Draws sounds ``(channel, time)`` on one scale, against the unbent one."""

    def __init__(self, unbent: Tensor) -> None:
        power = _power(unbent)
        self._loudest_db = float(10 * power.max().clamp(min=1e-12).log10())
        self._unbent_db = self._decibels(power)

    def picture(self, waveform: Tensor) -> str:
        """Return a PNG in base64: red is the level (0 silent), green how much it was changed.

        The page paints it in its own colours, dark or light.
        """
        from PIL import Image

        db = self._decibels(_power(waveform))
        level = np.clip(1 + db / RANGE_DB, 0, 1)
        moved = np.abs(np.maximum(db, -RANGE_DB) - np.maximum(self._unbent_db, -RANGE_DB))
        tint = np.clip(moved / FULL_DB, 0, 1)
        planes = [_steps(level, LEVELS), _steps(tint, TINTS), np.zeros_like(level, dtype=np.uint8)]
        data = io.BytesIO()
        Image.fromarray(np.stack(planes, axis=-1)[::-1]).save(data, "PNG", optimize=True)
        return base64.b64encode(data.getvalue()).decode("ascii")

    def _decibels(self, power: Tensor) -> np.ndarray:
        return np.asarray((10 * power.clamp(min=1e-12).log10() - self._loudest_db).numpy())


def _power(waveform: Tensor) -> Tensor:
    """Return power ``(56, 168)``, low frequencies first, on a logarithmic scale."""
    power = stft(waveform).abs().square().mean(0)
    places = np.geomspace(LOWEST_BIN, len(power) - 1, HEIGHT + 1)
    rows = []
    for low, high in pairwise(places.tolist()):
        first, last = math.floor(low), math.ceil(high)
        if last - first > 2:
            rows.append(power[first:last].amax(0))
        else:    # several rows to a bin: between its neighbours
            middle = (low + high) / 2
            share = middle - int(middle)
            rows.append(power[int(middle)] * (1 - share) + power[min(int(middle) + 1, len(power) - 1)] * share)
    return torch.nn.functional.adaptive_max_pool1d(torch.stack(rows)[None], WIDTH)[0]


def _steps(values: np.ndarray, n: int) -> np.ndarray:
    return np.asarray(np.round(values * (n - 1)) * (255 / (n - 1)), dtype=np.uint8)
