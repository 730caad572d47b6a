"""What is done while sound runs, with the sample from which on it is heard by the engine; and takes made of it.

All of it since the engine's beginning is remembered, whether a take is being recorded or not: what an engine puts out
depends on all that it heard and was told before, so a take begins where the engine did.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TextIO

from audiobend.bending import Patch
from audiobend.control import Command, Redo, Set, State, Undo
from audiobend.control.commands import Morph, MorphFour
from audiobend.errors import TakeError
from audiobend.io.files import reason
from audiobend.io.takefile import Began, Gesture, Line, Mark, SceneIs, Skipped, TakeHead, head_text, line_text
from audiobend.live.keeper import Keeper
from audiobend.live.seam import Told
from audiobend.osc.gestures import message_of, scenes_of

MAX_REMEMBERED = 48 << 20
"""Bytes, about; beyond, a take that is started begins with what sounds then."""
LINE_BYTES, BEND_BYTES = 400, 700
"""What a line takes of memory, and each entry of a patch that it holds."""


@dataclass(frozen=True)
class _Done:
    """What was done at once, before the engine has heard of it."""

    number: int
    lines: tuple[Gesture | SceneIs, ...]
    state: State


class Takes:
    """Remembers a performance, and writes takes of it.

    Parameters
    ----------
    keeper : Keeper
    on_failure : callable
        Is called when a take could not be written, from the keeper's thread.

    Notes
    -----
    `note` and `told` come from different threads.
    """

    def __init__(self, keeper: Keeper, on_failure: Callable[[], None]) -> None:
        self._keeper, self._on_failure = keeper, on_failure
        self._lock = Lock()
        self._waiting: deque[_Done] = deque()
        self._remembered: list[Line] = []
        self._weight = 0    # of those lines, in bytes
        self._early: list[Told] = []
        self._head: TakeHead | None = None
        self._origin = 0
        self._scenes: dict[str, Patch] = {}
        self._begun = 0
        self._place: Callable[[], Path] | None = None
        self._last: int | None = None    # the change that a take ends with
        self._now: Callable[[], int] | None = None
        self._file: TextIO | None = None    # the keeper's alone

    def ready(self, head: TakeHead, origin: int, now: Callable[[], int] | None = None) -> None:
        """Know what is played, at which position of the input ring its first sample lies, and which one is ``now``."""
        with self._lock:
            self._head, self._origin, self._now = head, origin, now
            early, self._early = self._early, []
            for told in early:
                self._told(told)
            if self._place is not None:
                self._open(self._place)

    def anew(self, head: TakeHead) -> None:
        """Forget what was done until now: an engine of another kind begins, with what the head says."""
        with self._lock:
            self._head = head
            self._remembered, self._weight = [], 0
            self._scenes.clear()

    def note(self, number: int, commands: Sequence[Command], state: State, seconds: float) -> None:
        """Take what was carried out, the state after it, and the number of the change that tells the engine."""
        with self._lock:
            lines = [line for one in commands for line in self._lines(one, number, state, seconds)]
            if lines:
                self._waiting.append(_Done(number, tuple(lines), state))

    def told(self, told: Told) -> None:
        """Take what the engine's process did."""
        with self._lock:
            if self._head is None:
                self._early.append(told)
            else:
                self._told(told)

    def start(self, place: Callable[[], Path]) -> None:
        """Write all that is remembered to a new file, and from now on everything that is done.

        ``place`` returns its path, on the keeper's thread.
        """
        with self._lock:
            self._place, self._last = place, None
            if self._head is not None:
                self._open(place)

    def stop(self, number: int) -> None:
        """End the take with the change of that number, once the engine has heard of it."""
        with self._lock:
            self._last = number if self._place is not None else None
            self._mark("stopped")
            self._end_if_due()

    def close(self) -> None:
        """End the take now: what the engine has not heard of was not heard."""
        with self._lock:
            self._waiting.clear()
            if self._place is not None and self._last is None:
                self._mark("stopped")
            self._last = 0 if self._place is not None else None
            self._end_if_due()

    # ---- what is remembered

    def _lines(self, command: Command, number: int, state: State, seconds: float) -> list[Gesture | SceneIs]:
        if isinstance(command, Set) and command.target == "morph" and state.morph is not None:
            command = Morph(state.morph.a, state.morph.b, state.morph.position)
        if isinstance(command, Set) and command.target.startswith("pad/") and state.pad is not None:
            command = MorphFour(*state.pad.corners, state.pad.x, state.pad.y)
        message = message_of(command)
        if message is None:
            return []
        lines: list[Gesture | SceneIs] = []
        for name in scenes_of(command):
            patch = state.scenes.get(name)
            if patch is not None and self._scenes.get(name) is not patch:
                self._scenes[name] = patch
                lines.append(SceneIs(name, patch))
        patch = state.patch if isinstance(command, Undo | Redo) else None    # where that led, whatever came before
        lines.append(Gesture(0, seconds, *message, patch=patch, number=number))
        return lines

    def _told(self, told: Told) -> None:
        sample = told.position - self._origin
        if told.kind == "skipped":
            self._add(Skipped(sample, told.number - self._origin))
            return
        while self._waiting and self._waiting[0].number <= told.number:
            self._end_if_due()
            done = self._waiting.popleft()
            for line in done.lines:
                heard = replace(line, sample=sample, number=told.number) if isinstance(line, Gesture) else line
                self._add(heard)
            self._fold(done.state)
        if told.kind == "began":
            self._begun = sample
            self._add(Began(sample))
        self._end_if_due()

    def _end_if_due(self) -> None:
        """End the take if all that belongs to it is written."""
        if self._last is not None and not (self._waiting and self._waiting[0].number <= self._last):
            self._place = self._last = None
            self._keeper.do(self._close)

    def _add(self, line: Line) -> None:
        self._remembered.append(line)
        self._weight += _weight(line)
        if self._place is not None and self._head is not None:
            self._keeper.do(partial(self._write, line))

    def _fold(self, state: State) -> None:
        """Forget how the sound came to be what it is, where that has become too much."""
        if self._weight > MAX_REMEMBERED and self._head is not None:
            self._head = replace(self._head, patch=state.heard, bypass=state.bypass)
            self._remembered, self._weight = [Began(self._begun)], LINE_BYTES
            self._scenes.clear()

    # ---- the file; what follows runs on the keeper's thread

    def _open(self, place: Callable[[], Path]) -> None:
        assert self._head is not None
        self._keeper.do(partial(self._begin, place, self._head, tuple(self._remembered)))
        self._mark("started")

    def _mark(self, kind: str) -> None:
        """Write where the recording starts or stops, if there is one."""
        if self._place is not None and self._head is not None and self._now is not None:
            self._keeper.do(partial(self._write, Mark(self._now() - self._origin, kind)))

    def _begin(self, place: Callable[[], Path], head: TakeHead, lines: tuple[Line, ...]) -> None:
        self._close()
        try:
            path = place()
        except TakeError:
            self._on_failure()
            raise
        try:
            self._file = path.open("w", encoding="utf-8", newline="\n")
            self._file.write(head_text(head) + "".join(map(line_text, lines)))
            self._file.flush()
        except OSError as error:
            self._fail(path, error)

    def _write(self, line: Line) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line_text(line))
            self._file.flush()    # what was done is on its way to the disk, whatever happens to us
        except OSError as error:
            self._fail(Path(self._file.name), error)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.fsync(file.fileno())
            file.close()

    def _fail(self, path: Path, error: OSError) -> None:
        self._file = None
        self._on_failure()
        raise TakeError(f"{path}: the take cannot be written: {reason(error)}") from None


def _weight(line: Line) -> int:
    """Return about how many bytes of memory a line takes."""
    patch = line.patch if isinstance(line, Gesture | SceneIs) else None
    if patch is None:
        return LINE_BYTES
    return LINE_BYTES + BEND_BYTES * (len(patch.bends) + len(patch.latent) + len(patch.modulation))
