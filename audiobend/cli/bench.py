"""``audiobend bench``."""

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from audiobend.cli.choices import LivePhase
from audiobend.cli.screen import progress_bar, say, show_json, table

if TYPE_CHECKING:
    from audiobend.networks.model import Model
    from audiobend.speed import Cost

PROFILES = ("low", "balanced", "studio")
WIDTHS = (0.25, 0.5, 1.0)


class Backend(StrEnum):
    """What runs the network."""

    torch = "torch"
    torch_bf16 = "torch-bf16"
    openvino = "openvino"
    openvino_bf16 = "openvino-bf16"


def add_to(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("bench")(bench)


def bench(
    model: Annotated[
        str | None, typer.Option(help="A model's name or folder; without, every shipped one and every usual width.")
    ] = None,
    backend: Annotated[Backend | None, typer.Option(help="Only this backend; without, all that are there.")] = None,
    phase: Annotated[LivePhase, typer.Option(help="Where phases come from; rtisi costs more.")] = LivePhase.input,
    channels: Annotated[int, typer.Option(min=1, max=2, help="1 mono, 2 stereo.")] = 1,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="Sound played for each setting.")] = 2.0,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Measure what playing live costs on this machine, and which latency holds.

    Everything runs on one thread, eight bends are active, and other programs slow it down.
    """
    import torch

    from audiobend.networks.backends import worth_trying

    torch.set_flush_denormal(True)    # as in a performance
    names = [backend.value] if backend else list[str](worth_trying())
    rows = []
    for the_model in _models(model):
        with progress_bar(f"playing {the_model.name}", json_) as advance:
            for done, (profile, name) in enumerate(_settings(names)):
                rows.append((the_model, profile, _cost(the_model, profile, name, phase.value, channels, seconds)))
                advance((done + 1) / (len(PROFILES) * len(names)))
    if json_:
        _show_json(rows, phase.value, channels)
    else:
        _show(rows, phase.value, channels)


def _models(name: str | None) -> "Iterator[Model]":
    from audiobend.io.modelbundle import list_models, load_model
    from audiobend.speed import random_model

    if name is not None:
        yield load_model(name)
        return
    widths = set()
    for shipped in list_models():
        the_model = load_model(shipped)
        widths.add(the_model.network.width)
        yield the_model
    yield from (random_model(width) for width in WIDTHS if width not in widths)


def _settings(names: list[str]) -> Iterator[tuple[str, str]]:
    return ((profile, name) for profile in PROFILES for name in names)


def _cost(model: "Model", profile: str, name: str, phase: str, channels: int, seconds: float) -> "Cost":
    from audiobend.live_engine import LiveSettings
    from audiobend.networks.backends import backend
    from audiobend.speed import cost

    settings = LiveSettings.profile(profile, phase=phase, n_channels=channels)    # type: ignore[arg-type]
    return cost(model, settings, backend(name, model, channels), seconds)    # type: ignore[arg-type]


Row = tuple["Model", str, "Cost"]


def _recommended(rows: list[Row]) -> dict[str, Row | None]:
    """Return for each model the shortest latency that leaves room to spare, with its cheapest backend."""
    found: dict[str, Row | None] = {}
    for row in sorted(rows, key=lambda row: (PROFILES.index(row[1]), row[2].load)):
        if found.get(row[0].name) is None:
            found[row[0].name] = row if row[2].is_comfortable else None
    return found


def _show_json(rows: list[Row], phase: str, channels: int) -> None:
    from dataclasses import asdict

    def settings(row: Row) -> dict[str, object]:
        rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in asdict(row[2]).items()}
        return {"model": row[0].name, "width": row[0].network.width, "latency": row[1], **rounded}

    recommended = {
        name: None if row is None else {"latency": row[1], "backend": row[2].backend}
        for name, row in _recommended(rows).items()
    }
    conditions = {"threads": 1, "bends": 8, "phase": phase, "channels": channels}
    show_json({**conditions, "costs": [settings(row) for row in rows], "recommended": recommended})


def _show(rows: list[Row], phase: str, channels: int) -> None:
    from audiobend.speed import COMFORTABLE

    kind = "mono" if channels == 1 else "stereo"
    title = f"Seconds of work for a second of sound: one thread, eight bends, phase {phase}, {kind}"
    columns = ["model", "latency", "stride", "backend", "load", "network ms", "p50 ms", "p95 ms", "p99 ms", "of ms"]
    cells = [
        [model.name, profile, str(cost.stride), cost.backend, f"{cost.load:.2f}"]
        + [f"{ms:.1f}" for ms in (cost.network_ms, cost.p50_ms, cost.p95_ms, cost.p99_ms, cost.stride_ms)]
        for model, profile, cost in rows
    ]
    table(title, columns, cells)
    for name, row in _recommended(rows).items():
        if row is None:
            say(f"{name}: no latency stays below {COMFORTABLE:.0%} of a core")
        else:
            say(f"{name}: --latency {row[1]} with {row[2].backend} takes {row[2].load:.0%} of a core")
