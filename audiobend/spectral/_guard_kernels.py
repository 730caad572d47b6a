"""The inner loops of filters and limiter, compiled by numba.

They would be a call each to scipy, whose filters come with half a second of imports; a performance that has to begin
again cannot wait for that.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_exact = njit(cache=True, nogil=True, error_model="numpy")    # no fastmath: fused products would change the last bits


@_exact
def run_sections(sections: Doubles, state: Doubles, samples: Doubles) -> None:
    """Filter ``samples (row, time)`` in place; ``sections (k, 5)`` are b0 b1 b2 a1 a2, ``state (row, k, 2)`` goes on.

    Transposed direct form II, the form that keeps its precision where poles are close to 1.
    """
    for row in range(samples.shape[0]):
        for k in range(sections.shape[0]):
            b0, b1, b2, a1, a2 = sections[k]
            first, second = state[row, k]
            for n in range(samples.shape[1]):
                x = samples[row, n]
                y = b0 * x + first
                first = b1 * x - a1 * y + second
                second = b2 * x - a2 * y
                samples[row, n] = y
            # Denormal numbers are slow, and nobody hears them.
            state[row, k, 0] = first if abs(first) >= 1e-30 else 0.0
            state[row, k, 1] = second if abs(second) >= 1e-30 else 0.0


@_exact
def lowest_ahead(values: Doubles, n_ahead: int) -> Doubles:
    """Return of each of ``values (time,)`` the lowest among itself and those that follow, ``n_ahead`` in all.

    A queue of values that still may become the lowest (Lemire 2006): the work does not grow with ``n_ahead``.
    """
    n_out = values.shape[0] - n_ahead + 1
    lowest = np.empty(n_out)
    queue = np.empty(values.shape[0], np.int64)
    head = tail = 0
    for n in range(values.shape[0]):
        while tail > head and values[queue[tail - 1]] >= values[n]:
            tail -= 1
        queue[tail] = n
        tail += 1
        start = n - n_ahead + 1
        if start >= 0:
            if queue[head] < start:
                head += 1
            lowest[start] = values[queue[head]]
    return lowest
