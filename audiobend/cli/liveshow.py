"""What a performance shows while it runs: the facts at the start, then a line that lives."""

from time import monotonic
from typing import TYPE_CHECKING, Any

from audiobend.cli.show import SWITCH, Show
from audiobend.live.calm import Tidying, settle
from audiobend.live.priority import come_first

if TYPE_CHECKING:
    from audiobend.live.performance import Performance
    from audiobend.networks.model import Model
    from audiobend.page.opening import Page


class LiveShow(Show):
    """What a performance shows."""

    def say_starting(self) -> None:
        """Tell that it will take some seconds."""
        if not self.as_json:
            self.tell("loading the model and finding its fastest backend ...")

    def run(
        self,
        performance: "Performance",
        model: "Model",
        seconds: float | None,
        page: "Page | None" = None,
        opens: bool = False,
    ) -> None:
        """Start a performance and show it until it ends, is stopped, or the time is over; ``opens`` the page."""
        self.when_stopped(performance.stop)
        if not performance.start():
            return
        settle(SWITCH)
        come_first()    # whichever thread it is that OSC would have to wait for
        self._facts(performance, model, page)
        if page and opens:
            self._open(page)
        begun = monotonic()
        tidying = Tidying(begun)
        while seconds is None or (left := begun + seconds - monotonic()) > 0:
            if not performance.watch(self.interval if seconds is None else min(self.interval, left)):
                break
            status = performance.status()
            self.figures(status.line(), status.as_dict())
            tidying.look(monotonic(), performance.osc.received + performance.desk.state.revision)
        status = performance.status()
        if self.as_json:
            self.event("end", **status.as_dict())
        else:
            self.say(status.line())

    def _open(self, page: "Page") -> None:
        from audiobend.page.opening import browse

        if not browse(page.url):
            self.tell(f"there is no browser to open; the page is at {page.url}")

    def _facts(self, performance: "Performance", model: "Model", page: "Page | None") -> None:
        facts = _facts_of(performance, model, page)
        if self.as_json:
            self.event("start", **facts)
        else:
            self.say(_as_text(facts))


def _facts_of(performance: "Performance", model: "Model", page: "Page | None") -> dict[str, Any]:
    card, latency, osc = performance.streaming, performance.latency, performance.osc
    names, known = [layer.name for layer in model.network.layers()], model.clusters
    return {
        "input": card.input,
        "output": card.output,
        "host": card.host,
        "sample_rate": card.rate,
        "block": latency.block,
        "channels": performance.setup.settings.n_channels,
        "model": model.name,
        "backend": performance.ready.backend,
        "layers": [str(name) for name in names],
        "clusters": {str(name): known.n_clusters(name) for name in names if known and name in known},
        "patch": performance.setup.wanted.patch.name,
        "latency_ms": round(latency.total_ms, 1),
        "latency_samples": latency.delay,
        "latency_parts_ms": {name: round(ms, 1) for name, ms in latency.parts().items()},
        "osc": {"address": osc.address, "port": osc.port, "tcp_port": osc.tcp_port, "query_port": osc.query_port},
        "page": {"url": page.url, "elsewhere": page.url_elsewhere} if page else None,
        "real_time_priority": performance.ready.is_real_time,
        "session": str(performance.session.folder) if performance.session else "",
        "scenes": len(performance.desk.state.scenes),
        "take": performance.desk.state.take,
    }


def _as_text(facts: dict[str, Any]) -> str:
    clusters, osc, page = facts["clusters"], facts["osc"], facts["page"]
    layers = [f"{name} ({clusters[name]} clusters)" if name in clusters else name for name in facts["layers"]]
    made_of = [f"{name} {ms:g}" for name, ms in facts["latency_parts_ms"].items()]
    take = f", take {facts['take']}" if facts["take"] else ""
    ways = [f"udp {osc['address']}:{osc['port']}"]
    ways += [f"tcp {osc['address']}:{osc['tcp_port']}"] * bool(osc["tcp_port"])
    ways += [f"oscquery http://{osc['address']}:{osc['query_port']}"] * bool(osc["query_port"])
    lines = [
        f"in       {facts['input']}",
        f"out      {facts['output']} ({facts['host']}), {facts['sample_rate']} Hz, blocks of {facts['block']}",
        f"model    {facts['model']} on {facts['backend']}, {facts['channels']} channel(s)",
        f"layers   {', '.join(layers)}",
        f"patch    {facts['patch'] or 'none: the sound passes unbent'}",
        f"latency  {facts['latency_ms']:.1f} ms: {', '.join(made_of)}",
        f"session  {facts['session']}: {facts['scenes']} scene(s){take}",
        f"osc      {', '.join(ways)}; addresses: audiobend osc list",
    ]
    if page:
        elsewhere = f", from one other machine {page['elsewhere']}" if page["elsewhere"] else ""
        lines.append(f"page     {page['url']}{elsewhere}")
    return "\n".join([*lines, "Ctrl-C ends"])
