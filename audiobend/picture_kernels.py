"""Compiled loops that take features out of maps that lie side by side, and put them back; torch takes far longer.

Pixels go in blocks of sixteen, so that what is read and what is written stays in the nearest cache.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

F32 = NDArray[np.float32]
BLOCK = 16


@njit(cache=True, nogil=True)
def take_features(maps: F32, features: NDArray[np.int64], out: F32) -> None:
    """Write maps ``(pixel, feature)`` of chosen features into ``out`` ``(chosen, pixel)``."""
    n = maps.shape[0]
    for first in range(0, n, BLOCK):
        last = min(first + BLOCK, n)
        for j in range(features.size):
            feature = features[j]
            for pixel in range(first, last):
                out[j, pixel] = maps[pixel, feature]


@njit(cache=True, nogil=True)
def put_features(maps: F32, features: NDArray[np.int64], part: F32) -> None:
    """Write ``part`` ``(chosen, pixel)`` into the chosen features of maps ``(pixel, feature)``."""
    n = maps.shape[0]
    for first in range(0, n, BLOCK):
        last = min(first + BLOCK, n)
        for j in range(features.size):
            feature = features[j]
            for pixel in range(first, last):
                maps[pixel, feature] = part[j, pixel]
