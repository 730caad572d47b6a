"""What the server shows while it runs: where it is, then a line for each instance."""

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from audiobend.cli.liveshow import LIVELY, PLAIN, SWITCH
from audiobend.cli.screen import say
from audiobend.live.calm import Tidying, settle
from audiobend.live.priority import come_first

if TYPE_CHECKING:
    from audiobend.live.chosen import Chosen
    from audiobend.networks.model import Model
    from audiobend.server.hand import Played
    from audiobend.server.instance import Instance
    from audiobend.server.server import Server

T = TypeVar("T")


class Show:
    """Facts, a line for each instance, and sentences about what happens; as text, or as JSON lines.

    Parameters
    ----------
    as_json : bool
        One object a line: ``{"event": "start" | "told" | "status" | "end", ...}``.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._console: Any = None
        self._lock = Lock()
        self._last: list[str] = []

    def tell(self, sentence: str) -> None:
        """Print a sentence; from any thread."""
        with self._lock:
            if self._as_json:
                self._event("told", text=sentence)
            elif self._console is not None:
                self._console.print(sentence, highlight=False, markup=False)
            else:
                sys.stderr.write(f"audiobend: {sentence}\n")

    def say_starting(self) -> None:
        """Tell that it will take some seconds."""
        if not self._as_json:
            sys.stderr.write("audiobend: loading the model ...\n")

    def run(self, server: "Server", model: "Model", choice: "Chosen", seconds: float | None) -> None:
        """Show the server until it is stopped, or the time is over."""
        stopped = threading.Event()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: stopped.set())
        settle(SWITCH)
        come_first()
        self._facts(server, model, choice)
        end = None if seconds is None else monotonic() + seconds
        tidying = Tidying(monotonic())
        interval = LIVELY if self._is_lively else PLAIN if not self._as_json else 1.0
        with self._screen() as draw:
            while end is None or monotonic() < end:
                left = interval if end is None else max(0.0, min(interval, end - monotonic()))
                if stopped.wait(left):
                    break
                instances = server.instances
                draw(instances)
                tidying.look(monotonic(), sum(_of(instances, _work)))
        if self._as_json:
            self._event("end")

    @property
    def _is_lively(self) -> bool:
        return sys.stderr.isatty() and not self._as_json

    @contextmanager
    def _screen(self) -> Iterator[Any]:
        if not self._is_lively:
            yield self._print
            return
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True)
        with Live("", console=console, transient=True, auto_refresh=False) as lines:
            self._console = console
            yield lambda instances: lines.update("\n".join(_of(instances, _line)), refresh=True)
            self._console = None

    def _print(self, instances: list["Instance"]) -> None:
        if self._as_json:
            with self._lock:
                self._event("status", instances=_of(instances, _figures))
            return
        lines = _of(instances, _line)
        if lines or self._last:
            say("\n".join(lines) or "no instance")
        self._last = lines

    def _facts(self, server: "Server", model: "Model", choice: "Chosen") -> None:
        if self._as_json:
            self._event(
                "start", socket=str(server.path), model=model.name, backend=choice.backend, load=choice.load,
                holds=server.holds(choice.load), removed=[str(path) for path in server.removed],
            )
            return
        for path in server.removed:
            say(f"removed  {path}, left behind by a server that was cut off")
        say(f"socket   {server.path}")
        say(f"model    {model.name} on {choice.backend}")
        say(f"load     an instance takes {choice.load:.0%} of a core; about {server.holds(choice.load)} fit")
        say("Ctrl-C ends")

    def _event(self, event: str, **facts: Any) -> None:
        say(json.dumps({"event": event, **facts}, ensure_ascii=False))


def _work(_: "Instance", played: "Played") -> int:
    return played.osc.received + played.desk.state.revision


def _figures(instance: "Instance", played: "Played") -> dict[str, Any]:
    """Return an instance for JSON."""
    page = instance.page and {"url": instance.page.url, "elsewhere": instance.page.url_elsewhere}
    where = {"osc_port": played.osc.port, "page": page}
    known = {"instance": instance.number, **where, "patch": played.desk.state.patch.name}
    if not played.has_started:
        return {**known, "engine": "starting"}
    how = {"engine_pid": played.pids["engine"], "latency": played.latency.delay}
    return {**known, **how, **played.status().as_dict()}


def _line(instance: "Instance", played: "Played") -> str:
    """Return an instance as a line to read."""
    page = f"  page {instance.page.url_elsewhere or instance.page.url}" if instance.page else ""
    how = played.status().line() if played.has_started else "starting"
    return f"{instance.number:3d}  osc {played.osc.port}{page}  {how}"


def _of(instances: list["Instance"], look: Callable[["Instance", "Played"], T]) -> list[T]:
    """Look at all that play."""
    found = (one.seen(partial(look, one)) for one in instances)
    return [one for one in found if one is not None]
