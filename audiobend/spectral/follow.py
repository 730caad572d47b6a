"""Values that follow something: the live 0 dB, the input's loudness, and controls that are turned while sound runs."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.spectral.stft import HOP_LENGTH

START = 2.56
"""The loudest bin before anything is heard: a sine of -40 dB. The first louder sound sets it right at once."""
LOWEST = 0.256
"""A sine of -60 dB: nothing quieter is blown up to 0 dB, so that a hiss does not become the network's music."""
RELEASE_SECONDS = 10.0


class LoudestFollower:
    """Magnitude that is 0 dB, where the whole sound is not known: up at once, down slowly.

    It takes the loudest bin of all columns that the network is about to see, so that the codec never clips one. The
    newest of them are heard `look_ahead` columns later, and reconstructions are cross-faded, so the step up does not
    pump. It falls by 0.87 dB a second, much slower than music breathes.

    Examples
    --------
    >>> follower = LoudestFollower(44100)
    >>> follower.feed(100.0, n_columns=8), round(follower.feed(1.0, n_columns=1723), 1)
    (100.0, 36.8)
    """

    def __init__(self, sample_rate: int) -> None:
        self._keep = math.exp(-HOP_LENGTH / sample_rate / RELEASE_SECONDS)
        self.reset()

    def reset(self) -> None:
        """Begin where a performance begins."""
        self.magnitude = START

    def feed(self, loudest: float, n_columns: int) -> float:
        """Take the loudest magnitude in the window, ``n_columns`` after the last call; return the magnitude of 0 dB."""
        self.magnitude = max(loudest, self.magnitude * self._keep**n_columns, LOWEST)
        return self.magnitude


QUIETEST_DB = -60.0
REMEMBERED = 8192
"""Hops of the input's loudness that are kept: 47 s at 44.1 kHz."""


class InputLevel:
    """The loudness of the input as a curve that parameters can follow.

    Power is averaged with weights that fade into the past, so that the level rises at once and falls by equal steps
    of dB. Only what was heard before a moment counts for it.

    Parameters
    ----------
    sample_rate : int, Hz

    Examples
    --------
    >>> level = InputLevel(44100)
    >>> level.feed(np.full((1, 25600), 0.1, dtype=np.float32))    # -20 dB
    >>> round(float(level(torch.tensor([0.5]), 100.0)), 3)
    0.667
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._weights: dict[float, NDArray[np.float64]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._power = np.zeros(0)
        self._first = 0    # the hop that `_power` begins with

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Take whole hops of samples, ``(channel, time)``."""
        power = np.square(samples, dtype=np.float64).reshape(len(samples), -1, HOP_LENGTH).mean(axis=(0, 2))
        self._power = np.concatenate([self._power, power])
        gone = max(0, len(self._power) - REMEMBERED)
        self._power, self._first = self._power[gone:], self._first + gone

    def __call__(self, times: Tensor, rate_hz: float) -> Tensor:
        """Return the level at times in seconds, ``(n,)``: 0 at -60 dB of full scale and below, 1 at 0 dB; float64."""
        weights = self._weights_of(rate_hz)
        values = [self._at(int(seconds * self._rate // HOP_LENGTH), weights) for seconds in times.tolist()]
        return torch.tensor(values, dtype=torch.float64)

    def _at(self, hop: int, weights: NDArray[np.float64]) -> float:
        """Return the level when a hop begins."""
        before = self._power[: max(hop - self._first, 0)][::-1][: len(weights)]
        power = float(before @ weights[: len(before)])
        return 0.0 if power <= 0 else min(max(1.0 - 10 * math.log10(power) / QUIETEST_DB, 0.0), 1.0)

    def _weights_of(self, rate_hz: float) -> NDArray[np.float64]:
        if rate_hz not in self._weights:
            pace = 2 * math.pi * rate_hz * HOP_LENGTH / self._rate
            if len(self._weights) > 64:    # someone turns the rate
                self._weights.clear()
            n = min(REMEMBERED, math.ceil(30 / pace) if pace > 0 else 0)    # what is older weighs nothing
            self._weights[rate_hz] = -math.expm1(-pace) * np.exp(-pace * np.arange(n))
        return self._weights[rate_hz]


class Glide:
    """A value that moves by itself, or jumps when someone turns it: the jump is spread over some steps.

    Only the jump is: what an oscillator does goes through as it is, and is not delayed.

    Examples
    --------
    >>> mix = Glide(n_steps=2)
    >>> [mix.step(base, base, base) for base in (1.0, 0.0, 0.0, 0.0)]
    [(1.0, 1.0), (1.0, 0.5), (0.5, 0.0), (0.0, 0.0)]
    """

    def __init__(self, n_steps: int) -> None:
        self.n_steps = n_steps
        self._base: object = None
        self._offset = self._end = 0.0
        self._left = 0

    def step(self, base: object, start: float, end: float) -> tuple[float, float]:
        """Return the value at the start and the end of this step.

        Parameters
        ----------
        base : object
            What someone has set, a number or more; another one than in the step before is a jump.
        start, end : float
            Where the value should be: the base, and what moves it.
        """
        if self._base is None:
            self._base, self._end = base, start
        if base != self._base:
            self._base, self._offset, self._left = base, self._end - start, self.n_steps
        before = start + self._offset * self._left / self.n_steps
        self._left = max(0, self._left - 1)
        self._end = end + self._offset * self._left / self.n_steps
        return before, self._end
