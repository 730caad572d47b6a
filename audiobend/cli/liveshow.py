"""What a performance shows while it runs: the facts at the start, then a line that lives."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from audiobend.cli.screen import say
from audiobend.live.calm import Tidying, settle
from audiobend.live.priority import come_first

if TYPE_CHECKING:
    from audiobend.live.performance import Performance
    from audiobend.networks.model import Model
    from audiobend.page.opening import Page

LIVELY = 0.2
"""Seconds between two states of the line on a terminal."""
SWITCH = 0.0005
"""Seconds after which a thread that computes gives way: OSC would else wait ten times as long after every packet."""
PLAIN = 2.0
"""Seconds between two lines elsewhere."""


class Show:
    """Facts, a line, and sentences about what happens; as text, or as JSON lines.

    Parameters
    ----------
    as_json : bool
        One object a line: ``{"event": "start" | "told" | "status" | "end", ...}``.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._console: Any = None
        self._lock = Lock()

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
            sys.stderr.write("audiobend: loading the model and finding its fastest backend ...\n")

    def run(
        self,
        performance: "Performance",
        model: "Model",
        seconds: float | None,
        page: "Page | None" = None,
        opens: bool = False,
    ) -> None:
        """Start a performance and show it until it ends, is stopped, or the time is over; ``opens`` the page."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: performance.stop())
        if not performance.start():
            return
        settle(SWITCH)
        come_first()    # whichever thread it is that OSC would have to wait for
        self._facts(performance, model, page)
        if page and opens:
            self._open(page)
        begun = monotonic()
        tidying = Tidying(begun)
        interval = LIVELY if self._is_lively else PLAIN if not self._as_json else 1.0
        with self._screen() as draw:
            while seconds is None or (left := begun + seconds - monotonic()) > 0:
                if not performance.watch(interval if seconds is None else min(interval, left)):
                    break
                draw(performance)
                tidying.look(monotonic(), performance.osc.received + performance.desk.state.revision)
        status = performance.status()
        if self._as_json:
            self._event("end", **status.as_dict())
        else:
            say(status.line())

    def _open(self, page: "Page") -> None:
        from audiobend.page.opening import browse

        if not browse(page.url):
            self.tell(f"there is no browser to open; the page is at {page.url}")

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
        with Live("", console=console, transient=True, auto_refresh=False) as line:
            self._console = console
            yield lambda performance: line.update(performance.status().line(), refresh=True)
            self._console = None

    def _print(self, performance: "Performance") -> None:
        status = performance.status()
        if self._as_json:
            self._event("status", **status.as_dict())
        else:
            say(status.line())

    def _facts(self, performance: "Performance", model: "Model", page: "Page | None") -> None:
        card, latency, osc = performance.streaming, performance.latency, performance.osc
        parts = {name: round(ms, 1) for name, ms in latency.parts().items()}
        clusters = {
            str(layer.name): model.clusters.n_clusters(layer.name)
            for layer in model.network.layers()
            if model.clusters and layer.name in model.clusters
        }
        names = [str(layer.name) for layer in model.network.layers()]
        facts: dict[str, Any] = {
            "input": card.input,
            "output": card.output,
            "host": card.host,
            "sample_rate": card.rate,
            "block": latency.block,
            "channels": performance.setup.settings.n_channels,
            "model": model.name,
            "backend": performance.ready.backend,
            "layers": names,
            "clusters": clusters,
            "patch": performance.setup.wanted.patch.name,
            "latency_ms": round(latency.total_ms, 1),
            "latency_samples": latency.delay,
            "latency_parts_ms": parts,
            "osc": {"address": osc.address, "port": osc.port, "tcp_port": osc.tcp_port, "query_port": osc.query_port},
            "page": {"url": page.url, "elsewhere": page.url_elsewhere} if page else None,
            "real_time_priority": performance.ready.is_real_time,
            "session": str(performance.session.folder) if performance.session else "",
            "scenes": len(performance.desk.state.scenes),
            "take": performance.desk.state.take,
        }
        if self._as_json:
            self._event("start", **facts)
            return
        made_of = ", ".join(f"{name} {ms:g}" for name, ms in parts.items())
        layers = ", ".join(
            f"{name} ({clusters[name]} clusters)" if name in clusters else name for name in names
        )
        say(f"in       {card.input}\nout      {card.output} ({card.host}), {card.rate} Hz, blocks of {latency.block}")
        say(f"model    {model.name} on {performance.ready.backend}, {facts['channels']} channel(s)\nlayers   {layers}")
        say(f"patch    {facts['patch'] or 'none: the sound passes unbent'}")
        say(f"latency  {latency.total_ms:.1f} ms: {made_of}")
        take = f", take {facts['take']}" if facts["take"] else ""
        say(f"session  {facts['session']}: {facts['scenes']} scene(s){take}")
        ways = [f"udp {osc.address}:{osc.port}"]
        ways += [f"tcp {osc.address}:{osc.tcp_port}"] * bool(osc.tcp_port)
        ways += [f"oscquery http://{osc.address}:{osc.query_port}"] * bool(osc.query_port)
        say(f"osc      {', '.join(ways)}; addresses: audiobend osc list")
        if page:
            elsewhere = f", from one other machine {page.url_elsewhere}" if page.url_elsewhere else ""
            say(f"page     {page.url}{elsewhere}")
        say("Ctrl-C ends")

    def _event(self, event: str, **facts: Any) -> None:
        say(json.dumps({"event": event, **facts}, ensure_ascii=False))
