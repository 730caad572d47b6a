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


@njit(inline="always")
def _raise_to(line: F32, values: F32) -> None:
    for i in range(line.size):
        line[i] = values[i] if values[i] > line[i] else line[i]


@njit(cache=True, nogil=True)
def dilate_runs(maps: F32, widths: NDArray[np.int64], sign: int, out: F32) -> None:
    """Largest value in a union of runs around each cell of each map; see `morphology.spread`.

    A map is laid out as one long line with gaps between its rows, so that every maximum is one long loop.
    """
    n, height, width = maps.shape
    reach = widths[0]
    step = width + reach
    size = height * step
    line = np.full(size + 2 * reach, -np.inf, np.float32)
    centre = line[reach : reach + size]
    runs, largest = np.empty(size, np.float32), np.empty(size, np.float32)
    factor = np.float32(sign)
    for m in range(n):
        for y in range(height):
            row, given = centre[y * step : y * step + width], maps[m, y]
            for x in range(width):
                row[x] = given[x] * factor
        for i in range(size):
            runs[i] = centre[i]
            largest[i] = -np.inf
        half = 0
        for away in range(widths.size - 1, -1, -1):
            while half < widths[away]:
                half += 1
                left, right = line[reach - half :], line[reach + half :]
                for i in range(size):
                    wider = left[i] if left[i] > right[i] else right[i]
                    runs[i] = wider if wider > runs[i] else runs[i]
            if away < height:
                moved = away * step
                _raise_to(largest[: size - moved], runs[moved:])
                _raise_to(largest[moved:], runs[: size - moved])
        for y in range(height):
            row, result = largest[y * step : y * step + width], out[m, y]
            for x in range(width):
                result[x] = row[x] * factor
