"""Reads what is played out of the shared rings, beside the engine: nobody waits for it and nobody knows of it."""

import numpy as np
from numpy.typing import NDArray

from audiobend.live.rings import CHANNELS, N_SEEN, Count, Gauge, Ring, Shared
from audiobend.page.bands import N_BINS, Analyser, Bytes, Floats, band_weights, level_db
from audiobend.page.frames import Levels, columns_frame

COLUMNS_PER_SECOND = 44100 / 256
"""As the network's."""
MOST = 172
"""Columns in one frame, a second of them; who is further behind leaves some out."""

Numbers = NDArray[np.int64]


class Spectra:
    """Columns of input and output, by the sample at which they pass the card.

    Parameters
    ----------
    shared : Shared
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._rate, self._next = 0, 0
        self._bands = band_weights(N_BINS, 44100 / 1024)

    @property
    def is_ready(self) -> bool:
        """Whether sound runs."""
        return bool(self._shared.gauges[Gauge.RATE] and self._shared[Count.DELAY])

    def frame(self, is_bypassed: bool = False) -> bytes | None:
        """Return what has been heard since the last call; None where nothing has."""
        if not self.is_ready:
            return None
        shared = self._shared
        self._follow(int(shared.gauges[Gauge.RATE]))
        played, delay = shared[Count.PLAYED], shared[Count.DELAY]
        last = int((played - self._half) // self._hop)
        numbers = np.arange(max(self._next, last - MOST + 1, self._least), last + 1)
        if not len(numbers):
            return None
        self._next = last + 1
        is_bent = bool(shared[Count.IS_BENT])
        given = self._sound(shared.input, numbers, 0)
        # Dry sound is the input, as late as the bent one.
        heard = self._sound(shared.output, numbers, 0) if is_bent else self._sound(shared.input, numbers, delay)
        change, hues = self._changes(numbers - round(delay / self._hop), is_bent and not is_bypassed)
        columns = self._analyser.columns(given), self._analyser.columns(heard), change
        (in_db, in_peak), (out_db, out_peak) = level_db(_newest(given)), level_db(_newest(heard))
        levels = Levels(in_db, out_db, in_peak, out_peak)
        return columns_frame(int(numbers[0]), played / self._rate, levels, columns, hues, delay / self._hop)

    def _follow(self, rate: int) -> None:
        """Know the rate of the card, and all that follows from it."""
        if rate == self._rate:
            return
        self._rate, self._hop = rate, rate / COLUMNS_PER_SECOND
        self._analyser = Analyser(rate)
        self._half = self._analyser.n_fft // 2
        self._least, self._next = int(self._half // self._hop) + 1, 0

    def _sound(self, ring: Ring, numbers: Numbers, back: int) -> Floats:
        """Return the frames around columns, ``(column, channel, n_fft)``; ``back`` samples before they were played."""
        n_fft = self._analyser.n_fft
        starts = np.round(numbers * self._hop).astype(np.int64) - self._half - back
        samples = np.empty((int(starts[-1] - starts[0]) + n_fft, CHANNELS), np.float32)
        ring.get(int(starts[0]), samples)
        frames = np.lib.stride_tricks.sliding_window_view(samples, n_fft, axis=0)
        chosen: Floats = frames[starts - starts[0]]
        return chosen

    def _changes(self, numbers: Numbers, is_bent: bool) -> tuple[Bytes, Bytes]:
        """Return what the network saw of columns: change ``(column, 128)`` and hues; nothing where it was not seen."""
        seen = self._shared.seen[numbers % N_SEEN]
        is_there = (seen["column"] == numbers) & is_bent
        change = np.minimum(seen["change"] @ self._bands.T + 0.5, 255).astype(np.uint8)
        return change * is_there[:, None], seen["hue"] * is_there


def _newest(frames: Floats) -> Floats:
    """Return the samples ``(time, channel)`` of the last frame."""
    newest: Floats = frames[-1].T
    return newest
