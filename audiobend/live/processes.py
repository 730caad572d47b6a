"""The audio process and the engine's process as the supervisor sees them: watched, and replaced when they die."""

import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic, sleep
from typing import Protocol

from audiobend.errors import AudiobendError, DeviceError
from audiobend.live.audio import Card, Clock, Streaming, run_card, run_clock
from audiobend.live.children import Child
from audiobend.live.dsp import Go, Ready, Wanted, run_dsp
from audiobend.live.rings import Count, Shared
from audiobend.live.seam import Told
from audiobend.live.setup import Setup

NOTICED = 0.4
"""Seconds without a callback after which the card counts as stalled."""
GIVEN_UP = 2.5
"""Seconds without a callback after which the audio process is replaced, should it not have ended by itself."""
PATIENCE = 10.0
"""Seconds for PortAudio to start."""
IMPATIENCE = 1.5
"""Seconds to open a card that was there before: now and then PortAudio hangs. Half as much more at each try."""
PACE = 0.02
"""Seconds from one change to the next that the engine is told: shorter than the shortest stride."""
SPAWNING = 60.0
"""Seconds for Python to start on a very busy machine."""


class EngineProcess:
    """The engine's process and its replacements."""

    def __init__(self, shared: Shared, setup: Setup) -> None:
        self._shared, self._setup = shared, setup
        self._wanted = setup.wanted    # may change before it starts
        self._begun_with = setup.wanted
        self._child: Child | None = None
        self._go: Go | None = None
        self._failures = 0
        self._again = 0.0
        self._changed = threading.Event()
        self._sending = threading.Lock()    # what is wanted is sent in its order
        self._is_over = False
        self.facts: Ready | None = None
        self.on_told: Callable[[Told], None] = lambda told: None
        """Hears what was done at which sample, from `step`."""
        self.on_refused: Callable[[int], None] = lambda number: None
        """Hears of the number of a change that could not be made, from `step`."""
        self._poster = threading.Thread(target=self._post, daemon=True, name="changes")
        self._poster.start()

    @property
    def pid(self) -> int:
        return self._child.pid if self._child else 0

    def start(self, wanted: Wanted) -> None:
        setup, self._wanted, self._begun_with = self._setup, wanted, wanted
        self._child = Child(run_dsp, setup.make, wanted, setup.settings, is_forked=setup.forks)

    def go(self, card: Go) -> None:
        """Tell the card; an engine that follows this one will be told too."""
        assert self._child is not None
        self._go = card
        with self._sending:
            if replace(self._wanted, backend=None) != replace(self._begun_with, backend=None):
                self._child.send(self._wanted)    # before the card: the first sample is bent by it
            self._child.send(card)

    def begin_again(self, setup: Setup, card: Go | None = None) -> None:
        """End the engine; one with another setup, or for another card, takes its place in `step`."""
        self._setup, self._go = setup, card or self._go
        self.end(0.0)
        self._shared[Count.READY] = 0
        self._failures, self._again = 0, 0.0

    def change(self, wanted: Wanted) -> None:
        """Take what is wanted now and return at once; of many changes only the newest is sent."""
        self._wanted = replace(wanted, backend=self._wanted.backend)
        self._changed.set()

    def _post(self) -> None:
        # A thread of its own: an engine that compiles leaves its pipe full, and OSC must not wait for that.
        while self._changed.wait() and not self._is_over:
            self._changed.clear()
            child = self._child
            if child is not None:
                with self._sending:
                    child.send(self._wanted)
                if not self._shared[Count.WAITS]:    # who waits for the engine does so after every change
                    sleep(PACE)

    def step(self, tell: Callable[[str], None]) -> None:
        """Read what it says and replace it if it died; `AudiobendError` if it never stood."""
        if self._child is None:
            if monotonic() >= self._again:
                self.start(self._wanted)
            return
        alive = self._child.is_alive    # asked before: its last words come first
        for kind, value in self._child.receive():
            if kind == "ready":
                self._on_ready(value, tell)
            elif kind == "told":
                self.on_told(value)
            elif kind == "refused":
                number, sentence = value
                tell(sentence)
                self.on_refused(number)
            elif self.facts is None:
                raise AudiobendError(value)
            else:
                tell(value)
        if not alive:
            if self.facts is None:
                raise AudiobendError("the engine's process was ended while it started; is there enough memory?")
            self._replace(tell)

    def _on_ready(self, facts: Ready, tell: Callable[[str], None]) -> None:
        assert self._child is not None
        if self._go is not None:
            self.go(self._go)
            tell("the engine is back")
        self.facts = facts
        self._wanted = replace(self._wanted, backend=facts.backend)    # tried once is enough

    def _replace(self, tell: Callable[[str], None]) -> None:
        assert self._child is not None
        lived = monotonic() - self._child.born
        self._child.end()
        self._child = None
        self._shared[Count.READY] = 0    # it could not
        self._failures = 0 if lived > 20 else self._failures + 1
        self._again = monotonic() + min(5.0, max(0, self._failures - 1))
        tell("the engine has ended; dry sound until a new one is there")

    def end(self, patience: float) -> None:
        if self._child is not None:
            self._child.end(patience)
            self._child = None

    def forget(self) -> None:
        """Let go of the shared memory, for ever."""
        self._is_over = True
        self._changed.set()
        self._poster.join()
        del self._shared


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
