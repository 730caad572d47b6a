"""The pictures' process as others see it: it is told what to show, watched, and replaced when it dies."""

import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Self

from audiobend.errors import AudiobendError
from audiobend.live.children import Child
from audiobend.picture_live.messages import Figures, Heard, Ready, Setup, Shown
from audiobend.picture_live.painting import run_pictures

TICK = 0.02
"""Seconds between two changes that are sent; of those between only the newest is."""
REST = 2.0
"""Seconds before a process that died is started again."""
STARTING = 180.0
"""Seconds to load a large model on a slow disk."""


class PictureProcess:
    """Pictures, painted and served in a process of their own; whoever calls never waits for them.

    Parameters
    ----------
    setup : Setup
    shown : Shown
    tell : callable
        Takes sentences, from any thread.
    hear : callable, optional
        Returns where the sound beside the pictures is, and how loud; None where it is not known.

    Attributes
    ----------
    ready : Ready
        After `start`.
    figures : Figures
        The newest.
    """

    def __init__(
        self,
        setup: Setup,
        shown: Shown,
        tell: Callable[[str], None],
        hear: Callable[[], Heard | None] | None = None,
    ) -> None:
        self._setup, self._shown, self._tell, self._hear = setup, shown, tell, hear
        self._changed, self._closing, self._stood = threading.Event(), threading.Event(), threading.Event()
        self._error = ""
        self.ready: Ready
        self.figures = Figures()
        self._thread = threading.Thread(target=self._run, daemon=True, name="pictures")
        self._child: Child | None = None

    def start(self) -> Self:
        """Start the process, and return when it serves; `AudiobendError` where it cannot."""
        self._child = Child(run_pictures, self._setup, self._shown)
        self._thread.start()
        if not self._stood.wait(STARTING) or self._error:
            self.close()
            raise AudiobendError(self._error or "the pictures' process did not start in time")
        return self

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return self._child.pid if self._child else 0

    def change(self, shown: Shown) -> None:
        """Let something else be seen; returns at once, from any thread."""
        self._shown = shown
        self._changed.set()

    def close(self) -> None:
        """End the process; may be called twice."""
        self._closing.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(5)
        if self._child is not None:
            self._child.send(None)
            self._child.end(2.0)
            self._child = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._closing.wait(TICK):
            child = self._child
            if child is None:
                continue
            alive = child.is_alive    # asked before: its last words come first
            for kind, value in child.receive():
                self._on_message(kind, value)
            if not alive:
                self._on_death(child)
                continue
            if self._changed.is_set():
                self._changed.clear()
                child.send(self._shown)
            if self._hear is not None and self._stood.is_set() and (heard := self._hear()) is not None:
                child.send(heard)

    def _on_message(self, kind: str, value: object) -> None:
        if isinstance(value, Ready):
            if self._stood.is_set():
                self._tell("the pictures are back")
            self.ready = value
            self._stood.set()
        elif isinstance(value, Figures):
            self.figures = value
        elif kind == "failed" and not self._stood.is_set():
            self._error = str(value)
            self._stood.set()
        else:
            self._tell(str(value))

    def _on_death(self, child: Child) -> None:
        if not self._stood.is_set():
            self._error = "the pictures' process was ended while it started; is there enough memory?"
            self._stood.set()
        if self._error:
            self._closing.set()
            return
        lived = monotonic() - child.born
        child.end()
        self._tell("the pictures' process has died; it is started again")
        # At the same address, for those who look.
        self._setup = replace(self._setup, where=replace(self._setup.where, port=self.ready.port))
        if not self._closing.wait(0.0 if lived > 20 else REST):
            self._child = Child(run_pictures, self._setup, self._shown)
