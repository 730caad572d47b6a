"""What turns the rings, as the supervisor sees it; the audio process is watched, and replaced when it dies."""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Protocol

from audiobend.errors import DeviceError
from audiobend.live.audio import Card, Clock, Streaming, run_card, run_clock
from audiobend.live.children import Child
from audiobend.live.rings import Count, Shared
from audiobend.live.setup import Setup

NOTICED = 0.4
"""Seconds without a callback after which the card counts as stalled."""
GIVEN_UP = 2.5
"""Seconds without a callback after which the audio process is replaced, should it not have ended by itself."""
PATIENCE = 10.0
"""Seconds for PortAudio to start."""
IMPATIENCE = 1.5
"""Seconds to open a card that was there before: now and then PortAudio hangs. Half as much more at each try."""
SPAWNING = 60.0
"""Seconds for Python to start on a very busy machine."""


class AudioSide(Protocol):
    """What turns the rings, as the supervisor sees it.

    Attributes
    ----------
    state : str
        How it is, see `audiobend.live.meter.Status`.
    facts : Streaming or None
        None while they are not known.
    keeps_time : bool
        Whether its samples follow the clock, so that time can be lost.
    """

    state: str
    facts: Streaming | None
    keeps_time: bool

    @property
    def pid(self) -> int:
        """Number of its process in the system; 0 where it has none of ours."""
        ...

    def start(self) -> None:
        """Begin."""
        ...

    def step(self, tell: Callable[[str], None]) -> None:
        """Look after it; `DeviceError` if it never played."""
        ...

    def stay_with(self, facts: Streaming) -> None:
        """Come back to this card and no other."""
        ...

    def end(self, patience: float) -> None:
        """End it, in so many seconds."""
        ...

    def forget(self) -> None:
        """Let go of the shared memory."""
        ...


class AudioProcess:
    """The audio process, its watchdog, and its replacements; an `AudioSide`."""

    keeps_time = True

    def __init__(self, shared: Shared, setup: Setup, card: Card | Clock) -> None:
        self._shared, self._setup, self._card = shared, setup, card
        self._child: Child | None = None
        self._heard = self._again = self._deadline = 0.0
        self._callbacks = 0
        self._patience = PATIENCE / 2
        self._was_lost = False
        self._last_words = ""
        self.state = "running"
        self.facts: Streaming | None = None
        self._streams = False

    @property
    def pid(self) -> int:
        return self._child.pid if self._child else 0

    def start(self) -> None:
        name, card = self._shared.name, self._card
        if isinstance(card, Clock):
            self._child = Child(run_clock, name, card, self._setup.settings.n_channels)
        else:
            self._child = Child(run_card, name, card, self._was_lost)
        self._streams = False
        self._deadline = monotonic() + SPAWNING

    def open(self, card: Card) -> None:
        """Play through another card from now on: the next `step` opens it."""
        self.end(0.0)
        self._card, self._was_lost, self._last_words, self._again = card, False, "", 0.0
        self.state = "gone"

    def stay_with(self, facts: Streaming) -> None:
        """Come back to this card and no other."""
        if isinstance(self._card, Card):
            input = None if self._card.file_channels else facts.input
            self._card = replace(self._card, input=input, output=facts.output, rate=facts.rate, host=facts.host)
        self._heard = monotonic()

    def step(self, tell: Callable[[str], None]) -> None:
        """Read what it says and replace it if it died; `DeviceError` if it never played."""
        now = monotonic()
        if self._child is None:
            if now >= self._again:
                self.start()
            return
        alive = self._child.is_alive
        for kind, value in self._child.receive():
            self._deadline = now + (self._patience if kind == "opening" else PATIENCE)
            if kind == "streaming":
                self.facts, self._streams = value, True
                self._heard = now
            elif kind == "error" and value != self._last_words:
                self._last_words = value    # it will be tried again and again
                self._tell_or_fail(tell, value)
        self._watch(now, tell)
        if not alive:
            self._lose(tell, "the sound card has gone; waiting for it")
        elif self._streams and now - self._heard > GIVEN_UP:
            self._lose(tell, "the sound card has been silent for too long; opening it again")
        elif not self._streams and now > self._deadline:
            self._try_again(tell)

    def _watch(self, now: float, tell: Callable[[str], None]) -> None:
        callbacks = self._shared[Count.CALLBACKS]
        if callbacks != self._callbacks and self._streams:
            self._callbacks, self._heard = callbacks, now
            if self._was_lost or self.state == "stalled":
                tell("the sound card is back")
            self.state, self._was_lost, self._last_words = "running", False, ""
            self._patience = IMPATIENCE
        elif self._setup.waits:
            self._heard = now    # it may be the engine that is slow
        elif self._streams and self.state == "running" and now - self._heard > NOTICED:
            self.state = "stalled"
            tell("the sound card does not answer")

    def _tell_or_fail(self, tell: Callable[[str], None], sentence: str) -> None:
        if self.facts is None:
            raise DeviceError(sentence)
        tell(sentence)

    def _try_again(self, tell: Callable[[str], None]) -> None:
        """Leave a process that hangs, and give the next one more time; a first start fails in the end."""
        if self.facts is None and self._patience >= PATIENCE:
            raise DeviceError(f"PortAudio did not start within {PATIENCE:g} seconds; restart the sound server")
        self._patience = min(1.5 * self._patience, PATIENCE)
        self.state = "gone"    # nothing new is told
        self._lose(tell, "")

    def _lose(self, tell: Callable[[str], None], sentence: str) -> None:
        assert self._child is not None
        if self.state != "gone":
            self._tell_or_fail(tell, sentence)
        self.state, self._was_lost = "gone", self.facts is not None
        self._child.end()
        self._child = None
        self._again = monotonic() + 0.3

    def end(self, patience: float) -> None:
        if self._child is not None:
            self._child.end(patience)
            self._child = None

    def forget(self) -> None:
        """Let go of the shared memory."""
        del self._shared
