"""Activation maps as small grey pictures on disk, so that a thousand windows of a whole layer need no memory."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

LARGEST = 1 << 16
"""Numbers in one map that is kept; larger ones are averaged down by a whole factor."""
LEVELS = 255
OUTSIDE = 0.001
"""Share of a layer's values on each side that may be clipped."""


@dataclass(frozen=True)
class Grey:
    """The activations of a layer that stand for black and white."""

    low: float
    high: float

    def packed(self, x: Tensor) -> Tensor:
        """Return activations as whole numbers 0..255; what is outside is clipped."""
        scaled = (x.float() - self.low) * (LEVELS / max(self.high - self.low, 1e-12))
        return scaled.round().clamp(0, LEVELS).to(torch.uint8)


@dataclass(frozen=True)
class Pictures:
    """The maps of one layer on disk.

    Attributes
    ----------
    path : Path
    shape : (sample, feature, height, width)
    """

    path: Path
    shape: tuple[int, int, int, int]

    def open(self) -> NDArray[np.uint8]:
        """Return the maps, read from the disk as they are needed."""
        return np.memmap(self.path, np.uint8, "r", shape=self.shape)


class PictureStore:
    """A listener that writes one layer's maps to disk, 8 bits a number.

    Parameters
    ----------
    path : Path
        Is written; must have room for ``n_samples * feature * height * width`` bytes.
    n_samples : int
    grey : Grey
    """

    def __init__(self, path: Path, n_samples: int, grey: Grey) -> None:
        self.path, self.n_samples, self.grey = path, n_samples, grey
        self._maps: NDArray[np.uint8] | None = None
        self._n = 0

    def add(self, x: Tensor) -> None:
        """Take in a batch of maps."""
        packed = self.grey.packed(reduced(x)).numpy()
        if self._maps is None:
            self._maps = np.memmap(self.path, np.uint8, "w+", shape=(self.n_samples, *packed.shape[1:]))
        self._maps[self._n : self._n + len(packed)] = packed
        self._n += len(packed)

    def done(self) -> Pictures:
        """Return what was written."""
        assert self._maps is not None and self._n == self.n_samples
        shape = self._maps.shape
        self._maps = None
        return Pictures(self.path, (shape[0], shape[1], shape[2], shape[3]))


class GreyMeter:
    """A listener that finds a layer's `Grey` from the first batches it hears."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.float32]] = []

    def add(self, x: Tensor) -> None:
        """Take in a batch of maps."""
        self._parts.append(reduced(x).float().flatten().numpy()[:: max(1, x.numel() // 500_000)].copy())

    @property
    def grey(self) -> Grey:
        """What is black and white: all but a thousandth of the values on each side lies between."""
        low, high = np.quantile(np.concatenate(self._parts), (OUTSIDE, 1 - OUTSIDE))
        return Grey(float(np.float32(low)), float(np.float32(high)))


def reduced(x: Tensor) -> Tensor:
    """Return maps ``(batch, feature, height, width)`` of at most `LARGEST` numbers each."""
    factor = int(np.ceil(np.sqrt(x.shape[2] * x.shape[3] / LARGEST)))
    return F.avg_pool2d(x, factor, ceil_mode=True) if factor > 1 else x


def to_pictures(packed: NDArray[np.uint8]) -> Tensor:
    """Return maps ``(batch, height, width)`` of whole numbers as inputs ``(batch, 1, height, width)`` in -1..1."""
    return torch.from_numpy(packed.astype(np.float32)).mul_(2 / LEVELS).sub_(1)[:, None]
