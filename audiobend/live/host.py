"""A host of plugins in the place of a sound card: it turns the rings itself, in a process that is not ours."""

from collections.abc import Callable
from time import monotonic

from audiobend.live.audio import Host, Streaming
from audiobend.live.rings import CHANNELS, Count, Gauge, Shared

SILENT = 0.4
"""Seconds without a block after which the host counts as silent; it may be so for as long as it likes."""


class HostSide:
    """An `audiobend.live.audio_process.AudioSide` without a process: what it runs on is known, its blocks are counted.

    A host that stops, or goes, is no mistake: whoever owns the performance knows when it is over.
    """

    keeps_time = False
    pid = 0

    def __init__(self, shared: Shared, host: Host) -> None:
        self._shared = shared
        self.facts: Streaming | None = Streaming("host", "host", "plugin", host.rate, CHANNELS, CHANNELS)
        self.state = "silent"
        self._callbacks, self._heard = 0, 0.0
        shared.gauges[Gauge.RATE] = host.rate
        shared[Count.BLOCK], shared[Count.DELAY] = host.block, host.delay

    def start(self) -> None:
        """See `AudioSide`."""

    def step(self, tell: Callable[[str], None]) -> None:
        """See `AudioSide`."""
        callbacks, now = self._shared[Count.CALLBACKS], monotonic()
        if callbacks != self._callbacks:
            self._callbacks, self._heard = callbacks, now
        self.state = "running" if now - self._heard <= SILENT else "silent"

    def stay_with(self, facts: Streaming) -> None:
        """See `AudioSide`."""

    def end(self, patience: float) -> None:
        """See `AudioSide`."""

    def forget(self) -> None:
        """See `AudioSide`."""
        del self._shared
