"""Recursive filters that go on from block to block."""

import math

import numpy as np
from numpy.typing import NDArray

from audiobend.spectral._guard_kernels import run_sections

Doubles = NDArray[np.float64]


class Filter:
    """Second-order sections in a row, with a memory for each of some signals.

    Parameters
    ----------
    sections : array (section, 5)
        b0, b1, b2, a1, a2 of each; a0 is 1.
    n_signals : int

    Attributes
    ----------
    state : array (signal, section, 2)
        What it remembers.
    """

    def __init__(self, sections: Doubles, n_signals: int) -> None:
        self._sections = np.ascontiguousarray(sections, dtype=np.float64)
        self.state = np.zeros((n_signals, len(sections), 2))

    def reset(self) -> None:
        """Begin with silence again."""
        self.state[:] = 0

    def feed(self, samples: NDArray[np.floating]) -> Doubles:
        """Return the next samples ``(signal, time)`` filtered."""
        out = np.array(samples, dtype=np.float64, order="C")
        run_sections(self._sections, self.state, out)
        return out


def one_pole(keep: float) -> Doubles:
    """Return a running mean that keeps so much of itself at each step, as sections."""
    return np.array([[1 - keep, 0.0, 0.0, -keep, 0.0]])


def lowpass3(hz: float, sample_rate: float) -> Doubles:
    """Return a Butterworth lowpass of third order, as sections: what is below ``hz`` passes.

    Poles on a circle, carried over by the bilinear transform with the cutoff where it is wanted (Butterworth 1930;
    Oppenheim & Schafer, section 7.1).

    >>> sections = lowpass3(2.0, 44100)
    >>> [round(float(b0 + b1 + b2) / float(1 + a1 + a2), 6) for b0, b1, b2, a1, a2 in sections]
    [1.0, 1.0]
    """
    w = math.tan(math.pi * hz / sample_rate)
    real = 1 / (1 + w)
    pair = 1 / (1 + w + w * w)    # the two complex poles, at 60 degrees, have a Q of 1
    return np.array(
        [
            [w * real, w * real, 0.0, (w - 1) * real, 0.0],
            [w * w * pair, 2 * w * w * pair, w * w * pair, 2 * (w * w - 1) * pair, (1 - w + w * w) * pair],
        ]
    )
