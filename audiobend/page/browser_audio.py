"""A browser as the sound card: its blocks turn the rings in the place of the clock.

Every block that comes is answered with as many samples, those that are played at that moment: the browser's clock is
the only one, so nothing drifts. A block may wait for the engine; the browser keeps some sound in hand for that.
"""

import asyncio
import struct
from time import monotonic

import numpy as np

from audiobend.errors import ControlError
from audiobend.live.callback import Callback
from audiobend.live.rings import CHANNELS, FADE, Count, Gauge, Shared
from audiobend.page.bands import Floats

HEAD = struct.Struct("<II")
"""Number and frames of a block."""
MOST_FRAMES = 8192
PATIENCE = 0.5
"""Seconds that a block waits for the engine; then it is dry."""
POLL = 0.002


class BrowserAudio:
    """One browser that plays.

    Parameters
    ----------
    shared : Shared
    channels : 1 or 2
        In a block, both ways.
    in_channels : int
        Channels of the input ring that carry sound.
    """

    def __init__(self, shared: Shared, channels: int, in_channels: int) -> None:
        self._shared, self._channels, self._in_channels = shared, channels, in_channels
        self._callback = Callback(shared, in_channels)
        self._piece = max(128, shared[Count.BLOCK])
        self.heard_at = monotonic()

    @property
    def greeting(self) -> dict[str, int]:
        """What the browser is told first."""
        rate, delay = int(self._shared.gauges[Gauge.RATE]), self._shared[Count.DELAY]
        return {"latency_frames": delay, "rate": rate, "channels": self._channels, "block": self._piece}

    async def exchange(self, message: bytes) -> bytes:
        """Take a block, return the one that is played; `ControlError` where it is none."""
        number, captured = self._read(message)
        self.heard_at = monotonic()
        played = np.empty((len(captured), CHANNELS), np.float32)
        for first in range(0, len(captured), self._piece):
            piece = captured[first : first + self._piece]
            await self._until_there(len(piece))
            self._callback(piece, played[first : first + self._piece])
        out = played[:, : self._channels] if self._channels > 1 else played.mean(axis=1, keepdims=True)
        if self._channels == 1 and np.array_equal(played[:, 0], played[:, 1]):
            out = played[:, :1]
        return HEAD.pack(number, len(captured)) + np.ascontiguousarray(out, "<f4").tobytes()

    def _read(self, message: bytes) -> tuple[int, Floats]:
        if len(message) < HEAD.size:
            raise ControlError("a block must begin with its number and its frames")
        number, frames = HEAD.unpack_from(message)
        if not 1 <= frames <= MOST_FRAMES or len(message) != HEAD.size + 4 * frames * self._channels:
            raise ControlError(f"a block must have 1..{MOST_FRAMES} frames of {self._channels} channels, got {frames}")
        given: Floats = np.frombuffer(message, "<f4", offset=HEAD.size).reshape(frames, self._channels)
        if self._channels == self._in_channels:
            return number, given
        mixed = given.mean(axis=1, keepdims=True) if self._in_channels == 1 else np.repeat(given, self._in_channels, 1)
        return number, mixed.astype(np.float32)

    async def _until_there(self, n: int) -> None:
        """Wait until the engine has put out the next ``n`` samples."""
        counts = self._shared.counts
        end, until = int(counts[Count.PLAYED]) + n + FADE, monotonic() + PATIENCE
        while counts[Count.READY] and counts[Count.WRITTEN] < end and monotonic() < until:
            await asyncio.sleep(POLL)
