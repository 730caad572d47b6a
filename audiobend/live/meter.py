"""What is told about a running performance: load, levels, blocks that came late, and time that was lost."""

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from audiobend.live.rings import Count, Gauge, Shared

WINDOW = 0.5
"""Seconds over which the card may be behind the clock without anything being lost: callbacks come in bunches."""
LEAST = 0.06
"""Seconds: less than a look or two at the card may seem lost and come back. Smaller losses count as they add up."""
DRIFT = 500e-6
"""The most, as a share, that a card's clock and the computer's differ."""


class LostTime:
    """How much sound never passed the card, from the clock against its samples.

    PortAudio's own flags tell that something was lost, rarely how much, and miss most of it. Here the card is behind
    by ``clock - samples / rate``; the least of it over half a second is what it is really behind; a jump of that is
    lost time, a slow creep is only two clocks that differ.

    Parameters
    ----------
    rate : int, Hz
    block : int
        Samples in a block of the card: less than two of them is no loss yet.

    Examples
    --------
    >>> lost = LostTime(rate=1000, block=10)
    >>> for tenth in range(100):
    ...     seconds = lost.feed(tenth / 10, 100 * tenth - 1500 * (tenth >= 50))
    >>> round(seconds, 3)
    1.5
    """

    def __init__(self, rate: int, block: int) -> None:
        self._rate, self._least = rate, max(2 * block / rate, LEAST)
        self._recent: deque[tuple[float, float]] = deque()
        self._base: float | None = None
        self._at = 0.0
        self.seconds = 0.0

    def forget(self) -> None:
        """Count anew from the next feed on, without what lies between; what is lost stays."""
        self._recent.clear()
        self._base = None

    def feed(self, clock: float, samples: int) -> float:
        """Take the time in seconds and the samples that have passed; return the seconds lost so far."""
        behind = clock - samples / self._rate
        self._recent.append((clock, behind))
        while self._recent[0][0] < clock - WINDOW:
            self._recent.popleft()
        if self._base is None:
            self._base, self._at = behind, clock
        if clock - self._recent[0][0] < 0.8 * WINDOW:
            self._base = min(self._base, behind)
            return self.seconds
        least = min(value for _, value in self._recent)
        jump = least - self._base
        if jump > self._least:
            self.seconds += jump
            self._base = least
        else:
            creep = DRIFT * (clock - self._at)
            self._base += min(max(jump, -creep), creep)
        self._at = clock
        return self.seconds

_WITHOUT_CARD = {"stalled": "the card does not answer", "gone": "waiting for the card", "silent": "the host is silent"}


@dataclass(frozen=True)
class Status:
    """A performance at one moment.

    Attributes
    ----------
    seconds : float
        Sound that has passed the card since the performance began.
    card : "running", "stalled" or "gone"; "silent" for a host of plugins that hands nothing over
    engine : "running" or "starting"
    is_bent : bool
        Whether bent sound is heard; else it is dry.
    in_db, out_db : float
        Peak level, dB of full scale, over the last half second.
    load, peak_load : float
        Seconds of work per second of sound: over half a second, and of the slowest stretch of one stride.
    xruns : int
        Blocks that the sound system flagged.
    late_blocks : int
        Blocks that were dry because the engine was not there in time.
    late_seconds, lost_seconds, skipped_seconds : float
        Dry sound for that reason; sound that never passed the card; input that was never bent.
    """

    seconds: float
    card: str
    engine: str
    is_bent: bool
    in_db: float
    out_db: float
    load: float
    peak_load: float
    xruns: int
    late_blocks: int
    late_seconds: float
    lost_seconds: float
    skipped_seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON, rounded."""
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(self).items()}

    def line(self) -> str:
        """Return it as a line to read."""
        sound = _WITHOUT_CARD.get(self.card, "bent" if self.is_bent else "dry")
        minutes, seconds = divmod(int(self.seconds), 60)
        return (
            f"{minutes:d}:{seconds:02d}  {sound}  in {self.in_db:+6.1f} dB  out {self.out_db:+6.1f} dB  "
            f"load {self.load:4.0%} (peak {self.peak_load:.0%})  xruns {self.xruns}  "
            f"late {self.late_blocks} ({self.late_seconds:.2f} s)  lost {self.lost_seconds:.2f} s"
        )


def status_of(shared: Shared, rate: int, began: int, card: str, lost: float) -> Status:
    """Return how things are: ``began`` is the position at which the performance did, ``lost`` in seconds."""
    counts, gauges = shared.counts, shared.gauges
    return Status(
        seconds=(int(counts[Count.PLAYED]) - began) / rate,
        card=card,
        engine="running" if counts[Count.READY] else "starting",
        is_bent=bool(counts[Count.IS_BENT]),
        in_db=float(gauges[Gauge.IN_DB]),
        out_db=float(gauges[Gauge.OUT_DB]),
        load=float(gauges[Gauge.LOAD]),
        peak_load=float(gauges[Gauge.PEAK_LOAD]),
        xruns=int(counts[Count.XRUNS]),
        late_blocks=int(counts[Count.LATE]),
        late_seconds=int(counts[Count.LATE_SAMPLES]) / rate,
        lost_seconds=lost,
        skipped_seconds=int(counts[Count.SKIPPED]) / rate,
    )
