"""Answers that change nothing: who is there, how it goes, what there is."""

from dataclasses import dataclass
from importlib.metadata import version

from audiobend.control import AddBend, Command, Context, StartRecording, StartTake, State
from audiobend.errors import ControlError
from audiobend.osc.decode import Ask
from audiobend.osc.desk import Desk
from audiobend.osc.encode import PROTOCOL, ROOT, Sent
from audiobend.osc.feedback import Told
from audiobend.osc.listing import lines

PAGE = 64
"""Addresses in one page of a dump."""

Answer = tuple[str, tuple[Sent, ...]]


@dataclass
class Counters:
    """What the receive path has seen.

    Attributes
    ----------
    received : int
        Packets.
    rejected : int
        Packets that were no sound OSC.
    failed : int
        Messages that could not be carried out.
    unsent : int
        Answers that were not sent because too many were due at once.
    work : int
        Steps that reading packets and matching patterns took.
    """

    received: int = 0
    rejected: int = 0
    failed: int = 0
    unsent: int = 0
    work: int = 0


def answers(ask: Ask, desk: Desk, values: list[Told], counters: Counters, ports: tuple[int, int, int]) -> list[Answer]:
    """Return the messages that answer a service; `AudiobendError` where it has no answer now."""
    state, context = desk.state, desk.context
    if ask.name.startswith("list/"):
        return _list(ask, state, context)
    match ask.name:
        case "ping":
            return [(f"{ROOT}/pong", tuple(int(one) if isinstance(one, bool) else one for one in ask.args))]
        case "hello":
            return [(f"{ROOT}/hello.reply", ("audiobend", version("audiobend"), PROTOCOL, state.model, *ports))]
        case "status":
            return [(f"{ROOT}/status.reply", _status(desk, counters))]
        case "sync":
            return [(f"{ROOT}/synced", ask.args)]
        case "dump":
            return _page(int(ask.args[0]) if ask.args else 0, values)
        case "scene/load":
            return [(f"{ROOT}/scene/load", (state.scene,))]
        case "model/load":
            return [(f"{ROOT}/model/load", (state.model,))]
        case "scene/morph" if state.morph is not None:
            return [(f"{ROOT}/scene/morph", (state.morph.a, state.morph.b, state.morph.position))]
        case "scene/pad" if state.pad is not None:
            return [(f"{ROOT}/scene/pad", (*state.pad.corners, state.pad.x, state.pad.y))]
        case "scene/morph" | "scene/pad":
            raise ControlError("no scenes are being morphed")
    return []


def came_of(command: Command, state: State) -> tuple[str, ...]:
    """Return what ``/audiobend/done`` tells of a command besides that it was carried out: a name that was found."""
    match command:
        case StartTake():
            return (state.take,)
        case StartRecording():
            return (state.recording,)
        case AddBend() if state.patch.bends:
            return (state.patch.bends[-1].id,)
    return ()


def _status(desk: Desk, counters: Counters) -> tuple[Sent, ...]:
    told = desk.status()
    ratios = tuple(float(told.get(name, 0)) for name in ("load", "latency_ms"))
    counts = tuple(int(told.get(name, 0)) for name in ("xruns", "late", "dropped"))
    return (*ratios, *counts, counters.received, counters.rejected)


def _list(ask: Ask, state: State, context: Context) -> list[Answer]:
    found = lines(ask.name, str(ask.args[0]) if ask.args else "", state, context)
    address = f"{ROOT}/{ask.name}"
    told: list[Answer] = [(address, (index, len(found), *line)) for index, line in enumerate(found)]
    return [*told, (f"{ROOT}/done", (address, len(found)))]


def _page(number: int, values: list[Told]) -> list[Answer]:
    pages = max(1, -(-len(values) // PAGE))
    if not 0 <= number < pages:
        raise ControlError(f"there are pages 0..{pages - 1}, got {number}")
    shown = values[number * PAGE : (number + 1) * PAGE]
    return [*((one.address, one.args) for one in shown), (f"{ROOT}/dump.end", (number, pages))]
