"""Compiled inner loops for float32 maps on the CPU, where torch's own operations lose to OpenCV's."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

F32 = NDArray[np.float32]


@njit(cache=True, nogil=True)
def gather_bilinear(maps: F32, index: NDArray[np.int32], weights: F32, out: F32) -> None:
    """Weigh four neighbours of each map, (n, height, width), for each place of the table; see `warp`."""
    n, height, width = maps.shape
    step = width + 2
    padded = np.zeros((height + 3) * step, np.float32)
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    for m in range(n):
        for y in range(height):
            start = (y + 2) * step + 1
            for x in range(width):
                padded[start + x] = maps[m, y, x]
        result = out[m].reshape(height * width)
        for i in range(index.size):
            at = index[i]
            result[i] = (
                w0[i] * padded[at]
                + w1[i] * padded[at + 1]
                + w2[i] * padded[at + step]
                + w3[i] * padded[at + step + 1]
            )


@njit(cache=True, nogil=True)
def dilate_runs(maps: F32, widths: NDArray[np.int64], sign: int, out: F32) -> None:
    """Largest value in a union of runs around each cell of each map, (n, height, width); see `morphology.spread`.

    Row by row, so that the run maxima and the few rows they go to stay in the cache.
    """
    n, height, width = maps.shape
    reach = widths[0]
    row = np.full(width + 2 * reach, -np.inf, np.float32)
    runs = np.empty(width, np.float32)
    factor = np.float32(sign)
    for m in range(n):
        out[m] = -np.inf
        for y in range(height):
            centre = row[reach : reach + width]
            for x in range(width):
                centre[x] = maps[m, y, x] * factor
                runs[x] = centre[x]
            half = 0
            for away in range(widths.size - 1, -1, -1):
                while half < widths[away]:
                    half += 1
                    left, right = row[reach - half :], row[reach + half :]
                    for x in range(width):
                        wider = left[x] if left[x] > right[x] else right[x]
                        runs[x] = wider if wider > runs[x] else runs[x]
                if y - away >= 0:
                    _raise_to(out[m, y - away], runs)
                if away > 0 and y + away < height:
                    _raise_to(out[m, y + away], runs)
        if sign < 0:
            for y in range(height):
                for x in range(width):
                    out[m, y, x] = -out[m, y, x]


@njit(inline="always")
def _raise_to(line: F32, values: F32) -> None:
    for x in range(line.size):
        line[x] = values[x] if values[x] > line[x] else line[x]
