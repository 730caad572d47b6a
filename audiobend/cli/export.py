"""``audiobend export``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiobend.cli.choices import LivePhase, Profile
from audiobend.cli.screen import progress_bar, say, show_json

if TYPE_CHECKING:
    from audiobend.bending import Patch
    from audiobend.export.exporting import Export, Exported


class Format(StrEnum):
    """Who is to play the file."""

    nn = "nn~"
    neutone = "neutone"
    torchscript = "torchscript"
    onnx = "onnx"


def add_to(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("export")(export)


def export(
    model: Annotated[str, typer.Argument(help="Name of a shipped model, or a bundle's folder.")],
    out: Annotated[Path, typer.Option(help="The file to write; of onnx a folder.")],
    patch: Annotated[Path | None, typer.Option(help="Patch file; without it the sound passes unbent.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="Who is to play it.")] = Format.nn,
    controls: Annotated[
        str | None,
        typer.Option(metavar="BEND/PARAM,...", help="What can be turned in the file; by default everything."),
    ] = None,
    latency: Annotated[Profile, typer.Option(help="low needs a fast machine.")] = Profile.balanced,
    phase: Annotated[
        LivePhase, typer.Option(help="The input's phase, or one found for the bent sound.")
    ] = LivePhase.input,
    channels: Annotated[int, typer.Option(min=1, max=2, help="1 mono, 2 stereo.")] = 1,
    overwrite: Annotated[bool, typer.Option(help="Replace files that are there.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Write a bend as a file that runs without audiobend.

    For example: audiobend export corpus-quarter --patch low_tide.yaml --controls fog/radius --out low_tide.ts
    """
    from audiobend.errors import PatchError
    from audiobend.export.exporting import plan_export
    from audiobend.export.writing import check_target, write
    from audiobend.io.modelbundle import load_model
    from audiobend.io.yamlfile import named

    check_target(out, format_.value, overwrite, patch)
    the_model, the_patch = load_model(model), _patch(patch)

    def checked() -> "Export":
        return plan_export(
            the_model, the_patch, format_.value, controls=controls, profile=latency.value, phase=phase.value,
            n_channels=channels,
        )    # fmt: skip

    plan = named(patch or "--patch", checked, error=PatchError)
    with progress_bar(f"writing {out.name}", json_) as advance:
        written = write(plan, out, advance)
    _tell(plan, written, json_)


def _patch(path: Path | None) -> "Patch":
    from audiobend.bending import Patch
    from audiobend.io.patchfile import load_patch

    return load_patch(path) if path else Patch()


def _tell(plan: "Export", written: "Exported", as_json: bool) -> None:
    if as_json:
        show_json({"files": [str(path) for path in written.files], **written.facts})
        return
    for path in written.files:
        say(str(path))
    rate = plan.model.codec.sample_rate
    latency = plan.settings.latency
    if plan.format != "onnx":
        turned = ", ".join(one.attribute for one in plan.controls) or "nothing"
        say(f"{rate} Hz, latency {latency} samples ({1000 * latency / rate:.0f} ms); to turn: {turned}")
