"""The inner loops of single-pass phase estimates, compiled by numba.

Everything here is time-major, `(frame, 513)`; `level` is the natural logarithm of the magnitude. Phases are
relative to the frame's centre, float64 because they grow without wrapping.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from audiobend.spectral.stft import HOP_LENGTH as HOP
from audiobend.spectral.stft import N_FFT as SIZE

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.uint8]

QUARTER_TURN = 2 * math.pi * HOP / SIZE    # what the phase of bin 1 gains in one hop
GAMMA = 0.25645 * SIZE * SIZE    # the Gaussian window nearest to Hann (Prusa, Balazs & Sondergaard 2017)
TIME_SLOPE = HOP * SIZE / (2 * GAMMA)
FREQUENCY_SLOPE = GAMMA / (2 * HOP * SIZE)

_exact = njit(cache=True, nogil=True, error_model="numpy")    # no fastmath: NaN has a meaning here


@_exact
def spsi(level: Floats, phase: Doubles) -> None:
    """Fill the free (NaN) rows of `phase (frame, 513)`: every spectral peak turns at its own frequency.

    Beauregard, Harish & Wyse 2015. A peak's frequency is read off a parabola through three log magnitudes;
    the bins on its slopes turn with it.
    """
    n_frames, n_bins = phase.shape
    running = np.zeros(n_bins)
    for n in range(n_frames):
        free = math.isnan(phase[n, 0])
        if free:
            _turn_peaks(level[n], running)
        for m in range(n_bins):
            if free:
                phase[n, m] = running[m]
            else:
                running[m] = phase[n, m]


@_exact
def _turn_peaks(level: Floats, phase: Doubles) -> None:
    last = level.shape[0] - 1
    for m in range(1, last):
        if not (level[m] > level[m - 1] and level[m] > level[m + 1]):
            continue
        below, peak, above = level[m - 1], level[m], level[m + 1]
        offset = 0.5 * (below - above) / (below - 2 * peak + above)
        turned = phase[m] + QUARTER_TURN * (m + offset)
        turned -= 2 * math.pi * math.floor(turned / (2 * math.pi))
        # The true peak lies between two bins: both take its phase, even where another slope begins.
        low, high = m - 1, m + 1
        phase[m] = turned
        if offset > 0:
            phase[high] = turned
            high += 1
        elif offset < 0:
            phase[low] = turned
            low -= 1
        while low > 0 and level[low] < level[low + 1]:
            phase[low] = turned
            low -= 1
        while high < last and level[high] < level[high - 1]:
            phase[high] = turned
            high += 1


@_exact
def pghi(level: Floats, phase: Doubles, todo: Flags, borders: Indices, seeds: Indices) -> None:
    """Phase gradient heap integration, in place: fill `phase` where `todo`, loudest bins first.

    Prusa, Balazs & Sondergaard 2017. The logarithm of the magnitude (`level`) tells how the phase changes
    towards the neighbouring bins; going from loud to quiet keeps the errors where they are not heard. The
    integration starts from `borders`, bins whose phase is known; what it does not reach starts with phase 0
    at the next of the `seeds`, loudest first (both are flat indices).
    """
    n_frames, n_bins = level.shape
    keys = np.empty(level.size, np.float32)
    bins = np.empty(level.size, np.int64)
    size, seed = 0, 0
    for at in borders:
        size = _push(keys, bins, size, level[at // n_bins, at % n_bins], at)
    while True:
        if size == 0:
            while seed < seeds.shape[0] and not todo[seeds[seed] // n_bins, seeds[seed] % n_bins]:
                seed += 1
            if seed == seeds.shape[0]:
                return
            at = seeds[seed]
            phase[at // n_bins, at % n_bins] = 0.0
            todo[at // n_bins, at % n_bins] = 0
        else:
            at = bins[0]
            size = _pop(keys, bins, size)
        n, m = at // n_bins, at % n_bins
        for direction in range(4):
            n2 = n + (direction == 0) - (direction == 1)
            m2 = m + (direction == 2) - (direction == 3)
            if 0 <= n2 < n_frames and 0 <= m2 < n_bins and todo[n2, m2]:
                phase[n2, m2] = phase[n, m] + _phase_step(level, n, m, n2, m2)
                todo[n2, m2] = 0
                size = _push(keys, bins, size, level[n2, m2], n2 * n_bins + m2)


@_exact
def _phase_step(level: Floats, n: int, m: int, n2: int, m2: int) -> float:
    """Return the phase from bin (n, m) to its neighbour: the mean of both gradients (trapezoidal rule)."""
    if n2 != n:
        return 0.5 * (n2 - n) * (_along_time(level, n, m) + _along_time(level, n2, m))
    return 0.5 * (m2 - m) * (_along_frequency(level, n, m) + _along_frequency(level, n, m2))


@_exact
def _along_time(level: Floats, n: int, m: int) -> float:
    """Return d phase / d frame, in radians."""
    slope = QUARTER_TURN * m
    if 0 < m < level.shape[1] - 1:
        slope += TIME_SLOPE * (level[n, m + 1] - level[n, m - 1])
    return slope


@_exact
def _along_frequency(level: Floats, n: int, m: int) -> float:
    """Return d phase / d bin, in radians; one-sided at the ends of the sound."""
    before, after = max(n - 1, 0), min(n + 1, level.shape[0] - 1)
    if before == after:
        return 0.0
    return float(-2 * FREQUENCY_SLOPE / (after - before) * (level[after, m] - level[before, m]))


# ---- a binary heap with the largest key on top


@_exact
def _push(keys: Floats, values: Indices, size: int, key: float, value: int) -> int:
    at = size
    while at > 0:
        parent = (at - 1) >> 1
        if keys[parent] >= key:
            break
        keys[at], values[at] = keys[parent], values[parent]
        at = parent
    keys[at], values[at] = key, value
    return size + 1


@_exact
def _pop(keys: Floats, values: Indices, size: int) -> int:
    """Drop the top and return the new size."""
    size -= 1
    key, value, at = keys[size], values[size], 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] > keys[child]:
            child += 1
        if keys[child] <= key:
            break
        keys[at], values[at] = keys[child], values[child]
        at = child
    keys[at], values[at] = key, value
    return size
