"""The engine's process as the supervisor sees it: watched, and replaced when it dies."""

import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic, sleep

from audiobend.errors import AudiobendError
from audiobend.live.children import Child
from audiobend.live.dsp import Go, Ready, Wanted, run_dsp
from audiobend.live.rings import Count, Shared
from audiobend.live.seam import Told
from audiobend.live.setup import Setup

PACE = 0.02
"""Seconds from one change to the next that the engine is told: shorter than the shortest stride."""


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
