"""``audiobend export``."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiobend.cli.choices import LivePhase, Profile
from audiobend.cli.screen import progress_bar, say, show_json

if TYPE_CHECKING:
    from audiobend.bending import Patch
    from audiobend.export.exporting import Export, Exported, Progress
    from audiobend.export.pictures import PictureExport


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
    model: Annotated[str, typer.Argument(help="A shipped model, a bundle's folder, or a checkpoint of pictures.")],
    out: Annotated[Path, typer.Option(help="The file to write; of onnx a folder.")],
    patch: Annotated[Path | None, typer.Option(help="Patch file; without it nothing is bent.")] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="Who is to play it [default: nn~; of pictures torchscript].")
    ] = None,
    controls: Annotated[
        str | None,
        typer.Option(metavar="BEND/PARAM,...", help="What can be turned in the file; by default everything."),
    ] = None,
    latency: Annotated[Profile, typer.Option(help="low needs a fast machine.")] = Profile.balanced,
    phase: Annotated[
        LivePhase, typer.Option(help="The input's phase, or one found for the bent sound.")
    ] = LivePhase.input,
    channels: Annotated[int, typer.Option(min=1, max=2, help="1 mono, 2 stereo.")] = 1,
    label: Annotated[int, typer.Option("--class", min=0, help="Of pictures: the class that is painted.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace files that are there.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Write a bend as a file that runs without audiobend.

    For example: audiobend export corpus-quarter --patch low_tide.yaml --controls fog/radius --out low_tide.ts
    """
    from audiobend.errors import PatchError
    from audiobend.export.exporting import plan_export
    from audiobend.export.pictures import check_format, plan_picture_export
    from audiobend.export.writing import check_target
    from audiobend.io.modelbundle import load_model
    from audiobend.io.picturemodel import is_picture_model, load_picture_model
    from audiobend.io.yamlfile import named

    of_pictures = is_picture_model(model)
    form = (format_ or (Format.torchscript if of_pictures else Format.nn)).value
    if of_pictures:
        check_format(form)
    check_target(out, form, overwrite, patch)
    the_patch, name = _patch(patch), patch or "--patch"
    plan: Export | PictureExport
    if of_pictures:
        pictures = load_picture_model(model)
        of_picture = partial(plan_picture_export, pictures, the_patch, form, controls=controls, label=label)
        plan = named(name, of_picture, error=PatchError)
    else:
        of_sound = partial(
            plan_export, load_model(model), the_patch, form, controls=controls, profile=latency.value,
            phase=phase.value, n_channels=channels,
        )    # fmt: skip
        plan = named(name, of_sound, error=PatchError)
    with progress_bar(f"writing {out.name}", json_) as advance:
        written = _written(plan, out, advance)
    _tell(plan, written, json_)


def _written(plan: "Export | PictureExport", out: Path, advance: "Progress") -> "Exported":
    from audiobend.export.pictures import PictureExport, write_pictures
    from audiobend.export.writing import write

    return write_pictures(plan, out) if isinstance(plan, PictureExport) else write(plan, out, advance)


def _patch(path: Path | None) -> "Patch":
    from audiobend.bending import Patch
    from audiobend.io.patchfile import load_patch

    return load_patch(path) if path else Patch()


def _tell(plan: "Export | PictureExport", written: "Exported", as_json: bool) -> None:
    from audiobend.export.pictures import PictureExport

    if as_json:
        show_json({"files": [str(path) for path in written.files], **written.facts})
        return
    for path in written.files:
        say(str(path))
    turned = ", ".join(one.attribute for one in plan.controls) or "nothing"
    if isinstance(plan, PictureExport):
        height, width = plan.model.network.architecture.size
        say(f"{width} by {height} pixels from codes of {plan.model.network.architecture.n_latent}; to turn: {turned}")
    elif plan.format != "onnx":
        rate, latency = plan.model.codec.sample_rate, plan.settings.latency
        say(f"{rate} Hz, latency {latency} samples ({1000 * latency / rate:.0f} ms); to turn: {turned}")
