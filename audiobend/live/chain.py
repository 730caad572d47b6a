"""From the card's blocks to the engine's and back: channels, sample rate, and how much is under way."""

from math import gcd
from typing import Protocol

import numpy as np

from audiobend.live.resampling import QuickResampler
from audiobend.live.rings import Samples


class Engine(Protocol):
    """What bends sound; `audiobend.live_engine.LiveEngine` is one."""

    @property
    def latency(self) -> int:
        """Samples by which everything comes out later than it went in."""
        ...

    def process(self, block: Samples) -> Samples:
        """Take a block ``(channel, time)``, return as many samples, `latency` later."""
        ...

    def reset(self) -> None:
        """Go on as if nothing had been heard."""
        ...


class Chain:
    """Card in, card out: ``(time, channel)`` both ways.

    Sample k of the output belongs to sample ``k - latency`` of the input, counted from the first block; those that
    have not come out yet are `under_way`.

    Parameters
    ----------
    engine : Engine
    n_channels : 1 or 2
        Of the engine. A stereo card is mixed down for a mono engine, which then plays on both sides.
    card_rate, model_rate : int, Hz
    """

    def __init__(self, engine: Engine, n_channels: int, card_rate: int, model_rate: int) -> None:
        self._engine, self._n_channels = engine, n_channels
        self._rates = card_rate, model_rate
        # The engine's latency may be no whole number of the card's samples: the resampler makes it one.
        common = gcd(card_rate, model_rate)
        whole, ticks = divmod(engine.latency * (card_rate // common), model_rate // common)
        self._ticks, self.latency = ticks, whole
        self._begin()

    def _begin(self) -> None:
        card_rate, model_rate = self._rates
        self._there = QuickResampler(card_rate, model_rate, self._n_channels)
        self._back = QuickResampler(model_rate, card_rate, self._n_channels, self._ticks)
        self.under_way = 0

    def reset(self) -> None:
        """Go on as if nothing had been heard."""
        self._engine.reset()
        self._begin()

    def feed(self, block: Samples) -> Samples:
        """Take a block, return what is ready: as much as went in, apart from what the resamplers hold."""
        bent = self._engine.process(self._there.feed(self._fitted(block)))
        out = self._back.feed(np.asarray(bent, dtype=np.float32)).T
        self.under_way += len(block) - len(out)
        return out

    def _fitted(self, block: Samples) -> Samples:
        channels = block.shape[1]
        if channels == self._n_channels:
            return np.ascontiguousarray(block.T)
        if self._n_channels == 1:
            return np.ascontiguousarray(block.mean(axis=1, dtype=np.float32)[None])
        return np.repeat(block.T, self._n_channels, axis=0)
