"""What a long command says while it runs: as text, or as JSON lines. Sound never waits for whoever reads it."""

import json
import os
import signal
import sys
from collections.abc import Callable, Hashable
from functools import partial
from types import FrameType, TracebackType
from typing import Any, Self

from audiobend.cli.screen import say
from audiobend.live.keeper import Keeper

LIVELY = 0.2
"""Seconds between two states of the line on a terminal."""
PLAIN = 2.0
"""Seconds between two lines elsewhere."""
AS_JSON = 1.0
"""Seconds between two lines of JSON."""
SWITCH = 0.0005
"""Seconds after which a thread that computes gives way: OSC would else wait ten times as long after every packet."""
PATIENCE = 1.0
"""Seconds that are left at the end to read what has not been read."""
UNREAD = 141
"""Exit status where nobody reads to the end, as shells have it."""


class Show:
    """Facts, a line that lives, and sentences about what happens, printed by a thread of its own while it is entered.

    A pipe that is full, or a terminal that is held, keeps whoever prints waiting: for ever, should nobody read on.
    Signals ask for the end from then on, and until all is closed.

    Parameters
    ----------
    as_json : bool
        One object a line: ``{"event": "start" | "told" | "status" | "end", ...}``.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._is_lively = sys.stderr.isatty() and not as_json
        self._line: Any = None
        self._printer: Keeper | None = None
        self._gone: OSError | None = None
        self._stop: Callable[[], None] | None = None
        self._is_stopped = False

    @property
    def interval(self) -> float:
        """Seconds between two figures."""
        return LIVELY if self._is_lively else AS_JSON if self.as_json else PLAIN

    def tell(self, sentence: str) -> None:
        """Print a sentence; from any thread."""
        if self.as_json:
            self.event("told", text=sentence)
        else:
            self._print(partial(self._tell, sentence))

    def say(self, text: str) -> None:
        """Print a fact."""
        self._print(partial(self._say, text))

    def event(self, event: str, **facts: Any) -> None:
        """Print a line of JSON."""
        line = json.dumps({"event": event, **facts}, ensure_ascii=False)
        self._print(partial(say, line), instead_of="status" if event == "status" else None)

    def figures(self, text: str, facts: dict[str, Any]) -> None:
        """Print how things are now, instead of what has not been printed yet; `BrokenPipeError` if nobody reads."""
        if isinstance(self._gone, BrokenPipeError):
            raise self._gone
        if self.as_json:
            self.event("status", **facts)
        elif self._is_lively:
            self._print(partial(self._draw, text), instead_of="status")
        elif text:
            self._print(partial(say, text), instead_of="status")

    def when_stopped(self, stop: Callable[[], None]) -> None:
        """Call ``stop`` at a signal that asks for the end; at once if there was one."""
        self._stop = stop
        if self._is_stopped:
            stop()

    def __enter__(self) -> Self:
        numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
        self._before = {number: signal.signal(number, self._on_signal) for number in numbers}
        self._printer = Keeper(self.tell, rest=0.0)
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        assert self._printer is not None
        self._print(self._end_line)
        has_ended = self._printer.close(PATIENCE)
        self._printer = None
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if not has_ended:
            os._exit(UNREAD)    # Python itself would wait for the stream

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopped = True
        if self._stop is not None:
            self._stop()

    def _print(self, job: Callable[[], None], instead_of: Hashable = None) -> None:
        if self._printer is None:
            job()
        else:
            self._printer.do(partial(self._try, job), instead_of)

    def _try(self, job: Callable[[], None]) -> None:
        try:
            job()
        except OSError as error:    # a disk that is full must not end the sound
            self._gone = error

    def _tell(self, sentence: str) -> None:
        if self._line is not None:
            self._line.console.print(sentence, highlight=False, markup=False)
        else:
            sys.stderr.write(f"audiobend: {sentence}\n")

    def _say(self, text: str) -> None:
        self._end_line()
        say(text)

    def _draw(self, text: str) -> None:
        if self._line is None:
            from rich.console import Console
            from rich.live import Live

            self._line = Live("", console=Console(stderr=True), transient=True, auto_refresh=False)
            self._line.start()
        self._line.update(text, refresh=True)

    def _end_line(self) -> None:
        if self._line is not None:
            self._line.stop()
            self._line = None
