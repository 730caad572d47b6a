"""The engine's side of the rings: what has been captured goes through the chain and is written ahead of the card."""

from collections.abc import Callable
from time import perf_counter

import numpy as np

from audiobend.live.chain import Chain
from audiobend.live.rings import CHANNELS, Count, Gauge, Samples, Shared

PORTION = 2048
"""Samples at once; after a stall what is missing is brought out piece by piece, so that it is heard soon."""
HURRY = 0.2
"""Seconds, besides the engine's latency, that the engine may be behind; beyond, a skip is sooner than catching up."""


class Pump:
    """Move sound from the input ring through the chain into the output ring, by position.

    Input position p comes out at position ``p + Count.DELAY``. After a start or a skip the output is valid only from
    where everything in it was fed after that; `Count.VALID` says so. Before position 0, and before where `Count.RESET`
    asks for a new beginning, there was silence, so that all of the output is valid.

    Parameters
    ----------
    in_channels : int
        Channels of the input ring that carry sound.
    stride_seconds : float
        Sound between two calls of the network; the peak load is a share of it.
    seam : callable
        Is called before each block with its position and its length.
    """

    def __init__(
        self,
        shared: Shared,
        chain: Chain,
        in_channels: int,
        rate: int,
        stride_seconds: float,
        seam: Callable[[int, int], None] = lambda position, n: None,
    ) -> None:
        self._shared, self._chain, self._rate, self._seam = shared, chain, rate, seam
        self._meter = _Meter(shared, rate, stride_seconds)
        self._block = np.empty((PORTION, in_channels), dtype=np.float32)
        self._limit = chain.latency + round(HURRY * rate) + shared[Count.BLOCK]
        self._reset = shared[Count.RESET]
        self._begin(self._available())

    @property
    def is_due(self) -> bool:
        """Whether there is something for `step` to do."""
        shared = self._shared
        return (
            self._available() > self._next
            or shared[Count.DELAY] != self._delay
            or shared[Count.RESET] != self._reset
        )

    def turn(self) -> None:
        """Make the changes that wait, where the next portion is not there yet."""
        self._seam(self._next, 0)

    def step(self) -> bool:
        """Process a portion; False where there is none yet."""
        shared = self._shared
        if shared[Count.RESET] != self._reset:
            self._begin_anew()
        available = self._available()
        behind = available - self._next
        if shared[Count.DELAY] != self._delay:
            self._begin(self._next)
        if behind > self._limit and not self._catches_up():
            shared[Count.SKIPPED] += behind
            self._begin(available)
            return False
        if behind <= 0:
            return False
        block = self._block[: min(behind, PORTION)]
        shared.input.get(self._next, block, block.shape[1])
        begun = perf_counter()
        self._seam(self._next, len(block))
        out = self._chain.feed(block)
        self._meter.add(block, out, perf_counter() - begun)
        shared.output.put(self._written, out if out.shape[1] == CHANNELS else np.repeat(out, CHANNELS, axis=1))
        self._next += len(block)
        self._written += len(out)
        shared[Count.WRITTEN] = self._written
        shared[Count.TAKEN] = self._next
        return True

    def _available(self) -> int:
        # A file is read ahead of the card; only what the card has reached is due.
        return min(self._shared[Count.CAPTURED], self._shared[Count.PLAYED])

    def _catches_up(self) -> bool:
        """Whether nothing is lost by being behind: the card waits."""
        return bool(self._shared[Count.WAITS])

    def _begin_anew(self) -> None:
        """Forget all sound; what has not been fed yet belongs to it."""
        self._reset = self._shared[Count.RESET]
        self._chain.reset()
        self._begin(min(max(self._reset - 1, 0), self._available()))

    def _begin(self, position: int) -> None:
        shared = self._shared
        self._next, self._delay = position, shared[Count.DELAY]
        self._written = position - self._chain.under_way + self._delay - self._chain.latency
        if position == max(self._reset - 1, 0) and self._written > position:
            shared.output.put(position, np.zeros((self._written - position, CHANNELS), np.float32))
            shared[Count.VALID] = position
        else:
            shared[Count.VALID] = position + self._delay
        shared[Count.WRITTEN] = self._written    # a card that waits would wait for ever for what will never come
        shared[Count.TAKEN] = position
        shared[Count.WAS_RESET] = self._reset


class _Meter:
    """Load and level, told every half second of sound."""

    def __init__(self, shared: Shared, rate: int, stride_seconds: float) -> None:
        self._shared, self._rate, self._stride_seconds = shared, rate, stride_seconds
        self._clear()

    def _clear(self) -> None:
        self._samples, self._work, self._longest, self._peaks = 0, 0.0, 0.0, [0.0, 0.0]

    def add(self, block: Samples, out: Samples, seconds: float) -> None:
        self._samples += len(block)
        self._work += seconds
        self._longest = max(self._longest, seconds / max(self._stride_seconds, len(block) / self._rate))
        for index, sound in enumerate((block, out)):
            self._peaks[index] = max(self._peaks[index], float(np.abs(sound).max(initial=0.0)))
        if self._samples >= self._rate / 2:
            gauges = self._shared.gauges
            gauges[Gauge.LOAD], gauges[Gauge.PEAK_LOAD] = self._work * self._rate / self._samples, self._longest
            gauges[Gauge.IN_DB], gauges[Gauge.OUT_DB] = (_db(peak) for peak in self._peaks)
            self._clear()


def _db(peak: float) -> float:
    return 20 * float(np.log10(max(peak, 1e-6)))
