"""What played pictures show while they run: where they are seen and bent, and how quickly they are painted."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from audiobend.cli.screen import say

if TYPE_CHECKING:
    from audiobend.picture_live.performance import PicturePerformance

INTERVAL = {True: 1.0, False: 5.0}
"""Seconds between two lines: as JSON, and as text."""


class PictureShow:
    """Facts, and a line now and then; as text, or as JSON lines.

    Parameters
    ----------
    as_json : bool
        One object a line: ``{"event": "start" | "told" | "status" | "end", ...}``.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._lock = Lock()

    def tell(self, sentence: str) -> None:
        """Print a sentence; from any thread."""
        with self._lock:
            if self._as_json:
                self._event("told", text=sentence)
            else:
                sys.stderr.write(f"audiobend: {sentence}\n")

    def run(self, performance: "PicturePerformance", seconds: float | None) -> None:
        """Start a performance and show it until it ends, is stopped, or the time is over."""
        with _until_stopped(performance.stop):
            performance.start()
            self._facts(performance)
            self._watch(performance, seconds)
        self._figures("end", performance)

    def _watch(self, performance: "PicturePerformance", seconds: float | None) -> None:
        begun, interval = monotonic(), INTERVAL[self._as_json]
        while seconds is None or (left := begun + seconds - monotonic()) > 0:
            if not performance.watch(interval if seconds is None else min(interval, left)):
                break
            self._figures("status", performance)

    def _facts(self, performance: "PicturePerformance") -> None:
        ready, osc = performance.pictures.ready, performance.osc
        ports = {"address": osc.address, "port": osc.port, "tcp_port": osc.tcp_port, "query_port": osc.query_port}
        if self._as_json:
            self._event("start", url=ready.url, stream=f"{ready.url}stream.mjpg", model=ready.model,
                        height=ready.height, width=ready.width, osc=ports)    # fmt: skip
            return
        say(f"page     {ready.url}\nstream   {ready.url}stream.mjpg")
        say(f"model    {ready.model}, {ready.width} by {ready.height} pixels")
        say(f"osc      udp {osc.address}:{osc.port}; addresses: audiobend osc list\nCtrl-C ends")

    def _figures(self, event: str, performance: "PicturePerformance") -> None:
        one = performance.pictures.figures
        if self._as_json:
            self._event(event, fps=round(one.fps, 2), paint_ms=round(one.paint_ms, 1), viewers=one.viewers,
                        painted=one.painted)    # fmt: skip
        else:
            say(f"{one.painted} pictures, {one.fps:.1f} a second, {one.paint_ms:.0f} ms each, {one.viewers} viewer(s)")

    def _event(self, event: str, **facts: Any) -> None:
        say(json.dumps({"event": event, **facts}, ensure_ascii=False))


@contextmanager
def _until_stopped(stop: Callable[[], None]) -> Iterator[None]:
    """Let the system's signals ask for the end, for the length of a ``with`` block."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda *_: stop()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
