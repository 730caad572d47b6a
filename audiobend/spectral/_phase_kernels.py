"""The inner loops of single-pass phase estimates, compiled by numba.

Everything here is time-major, `(frame, 513)`; `level` is the natural logarithm of the magnitude. Phases are
relative to the frame's centre, and wanted where they are NaN.
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
Bins = NDArray[np.int32]

QUARTER_TURN = 2 * math.pi * HOP / SIZE    # what the phase of bin 1 gains in one hop
GAMMA = 0.25645 * SIZE * SIZE    # the Gaussian window nearest to Hann (Prusa, Balazs & Sondergaard 2017)
TIME_SLOPE = HOP * SIZE / (2 * GAMMA)
FREQUENCY_SLOPE = GAMMA / (2 * HOP * SIZE)

_exact = njit(cache=True, nogil=True, error_model="numpy")    # no fastmath: NaN has a meaning here


@_exact
def spsi(level: Floats, phase: Floats) -> None:
    """Fill the free (NaN) rows of `phase (frame, 513)`: every spectral peak turns at its own frequency.

    Beauregard, Harish & Wyse 2015. A peak's frequency is read off a parabola through three log magnitudes;
    the bins on its slopes turn with it.
    """
    n_frames, n_bins = phase.shape
    running = np.zeros(n_bins)
    for n in range(n_frames):
        free = math.isnan(phase[n, 0])
        if free:
            turn_peaks(level[n], running)
        for m in range(n_bins):
            if free:
                phase[n, m] = running[m]
            else:
                running[m] = phase[n, m]


@_exact
def turn_peaks(level: Floats, phase: Doubles) -> None:
    last = level.shape[0] - 1
    for m in range(1, last):
        if not (level[m] > level[m - 1] and level[m] > level[m + 1]):
            continue
        below, peak, above = level[m - 1], level[m], level[m + 1]
        offset = 0.5 * (below - above) / (below - 2 * peak + above)
        turned = _wrapped(phase[m] + QUARTER_TURN * (m + offset))
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
def pghi(level: Floats, phase: Floats, borders: Indices, seeds: Indices) -> None:
    """Phase gradient heap integration, in place: fill `phase` where it is NaN, loudest bins first.

    Prusa, Balazs & Sondergaard 2017. The logarithm of the magnitude (`level`) tells how the phase changes
    towards the neighbouring bins; going from loud to quiet keeps the errors where they are not heard. The
    integration starts from `borders`, bins whose phase is known; what it does not reach starts with phase 0
    at the next of the `seeds`, loudest first (both are flat indices).
    """
    n_frames, n_bins = level.shape
    keys = np.empty(level.size, np.float32)
    bins = np.empty(level.size, np.int32)
    size, seed = 0, 0
    for at in borders:
        size = _push(keys, bins, size, level[at // n_bins, at % n_bins], at)
    while True:
        if size == 0:
            while seed < seeds.shape[0] and not math.isnan(phase[seeds[seed] // n_bins, seeds[seed] % n_bins]):
                seed += 1
            if seed == seeds.shape[0]:
                return
            n, m = seeds[seed] // n_bins, seeds[seed] % n_bins
            phase[n, m] = 0.0
            size = _push(keys, bins, size, level[n, m], seeds[seed])
        n, m = bins[0] // n_bins, bins[0] % n_bins
        on_top = True
        for direction in range(4):
            n2 = n + (direction == 0) - (direction == 1)
            m2 = m + (direction == 2) - (direction == 3)
            if 0 <= n2 < n_frames and 0 <= m2 < n_bins and math.isnan(phase[n2, m2]):
                phase[n2, m2] = _wrapped(phase[n, m] + _phase_step(level, n, m, n2, m2))
                # A neighbour is nearly as loud: put in the place of the top, it seldom sinks far.
                if on_top:
                    _sink(keys, bins, size, level[n2, m2], n2 * n_bins + m2)
                    on_top = False
                else:
                    size = _push(keys, bins, size, level[n2, m2], n2 * n_bins + m2)
        if on_top:
            size -= 1
            _sink(keys, bins, size, keys[size], bins[size])


@_exact
def _phase_step(level: Floats, n: int, m: int, n2: int, m2: int) -> float:
    """Return the phase from bin (n, m) to its neighbour: the mean of both gradients (trapezoidal rule)."""
    if n2 != n:
        return 0.5 * (n2 - n) * (_along_time(level, n, m) + _along_time(level, n2, m))
    return 0.5 * (m2 - m) * (_along_frequency(level, n, m) + _along_frequency(level, n, m2))


@_exact
def _along_time(level: Floats, n: int, m: int) -> float:
    """Return d phase / d frame, in radians."""
    slope = QUARTER_TURN * (m % 4)
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


@_exact
def _wrapped(phase: float) -> float:
    return phase - 2 * math.pi * math.floor(phase / (2 * math.pi) + 0.5)


# ---- a binary heap with the largest key on top


@_exact
def _push(keys: Floats, bins: Bins, size: int, key: float, at: int) -> int:
    """Add a bin and return the new size."""
    slot = size
    while slot > 0:
        parent = (slot - 1) >> 1
        if keys[parent] >= key:
            break
        keys[slot], bins[slot] = keys[parent], bins[parent]
        slot = parent
    keys[slot], bins[slot] = key, at
    return size + 1


@_exact
def _sink(keys: Floats, bins: Bins, size: int, key: float, at: int) -> None:
    """Put a bin in the place of the top."""
    slot = 0
    while True:
        child = 2 * slot + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] > keys[child]:
            child += 1
        if keys[child] <= key:
            break
        keys[slot], bins[slot] = keys[child], bins[child]
        slot = child
    keys[slot], bins[slot] = key, at
