"""What the server shows while it runs: where it is, then a line for each instance."""

import threading
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from audiobend.cli.show import SWITCH, Show
from audiobend.live.calm import Tidying, settle
from audiobend.live.priority import come_first

if TYPE_CHECKING:
    from audiobend.live.chosen import Chosen
    from audiobend.networks.model import Model
    from audiobend.server.hand import Played
    from audiobend.server.instance import Instance
    from audiobend.server.server import Server

T = TypeVar("T")


class ServerShow(Show):
    """What the server shows."""

    def __init__(self, as_json: bool) -> None:
        super().__init__(as_json)
        self._had_instances = False

    def say_starting(self) -> None:
        """Tell that it will take some seconds."""
        if not self.as_json:
            self.tell("loading the model ...")

    def run(self, server: "Server", model: "Model", choice: "Chosen", seconds: float | None) -> None:
        """Show the server until it is stopped, or the time is over."""
        stopped = threading.Event()
        self.when_stopped(stopped.set)
        settle(SWITCH)
        come_first()
        self._facts(server, model, choice)
        end = None if seconds is None else monotonic() + seconds
        tidying = Tidying(monotonic())
        while end is None or monotonic() < end:
            left = self.interval if end is None else max(0.0, min(self.interval, end - monotonic()))
            if stopped.wait(left):
                break
            instances = server.instances
            self._draw_instances(instances)
            tidying.look(monotonic(), sum(_of(instances, _work)))
        if self.as_json:
            self.event("end")

    def _draw_instances(self, instances: list["Instance"]) -> None:
        lines = _of(instances, _line)
        nothing = "no instance" if self._had_instances else ""
        self._had_instances = bool(lines)
        self.figures("\n".join(lines) or nothing, {"instances": _of(instances, _figures)})

    def _facts(self, server: "Server", model: "Model", choice: "Chosen") -> None:
        if self.as_json:
            self.event(
                "start", socket=str(server.path), model=model.name, backend=choice.backend, load=choice.load,
                holds=server.holds(choice.load), removed=[str(path) for path in server.removed],
            )
            return
        for path in server.removed:
            self.say(f"removed  {path}, left behind by a server that was cut off")
        self.say(f"socket   {server.path}")
        self.say(f"model    {model.name} on {choice.backend}")
        self.say(f"load     an instance takes {choice.load:.0%} of a core; about {server.holds(choice.load)} fit")
        self.say("Ctrl-C ends")


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
