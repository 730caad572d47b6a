"""``audiobend image project``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from audiobend.cli.imageoptions import AsJson, Device, ModelName, Overwrite, Quiet, model_of
from audiobend.cli.screen import progress_bar, say, show_json
from audiobend.errors import PictureError


class Styles(StrEnum):
    """What is searched."""

    w = "w"
    w_plus = "w+"


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(project)


def project(
    picture: Annotated[Path, typer.Argument(help="A picture; it is cut to the model's shape and size.")],
    out: Annotated[Path, typer.Option(help="The styles, an .npz for: image generate --latent.")],
    model: ModelName = None,
    space: Annotated[Styles, typer.Option(help="One style for all levels, or one for each.")] = Styles.w_plus,
    noise: Annotated[bool, typer.Option("--noise", help="Search the model's noise too.")] = False,
    steps: Annotated[int, typer.Option(min=1, max=100000, help="More come nearer.")] = 500,
    rate: Annotated[float, typer.Option(help="How far a step goes.")] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the search.")] = 0,
    vgg16: Annotated[Path | None, typer.Option(help="Weights of a VGG16 (.pth, .safetensors) that looks too.")] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Also the picture and what was found, side by side.")
    ] = None,
    device: Device = "cpu",
    overwrite: Overwrite = False,
    json_: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Search the styles with which a model paints a picture.

    For example: audiobend image project --model tiles-64 face.png --out w.npz
    """
    from time import perf_counter

    from audiobend.io.files import check_not_an_input
    from audiobend.io.imagefile import to_bytes, write_png
    from audiobend.picture_files import check_outputs, sheet
    from audiobend.picture_project.files import read_target, save_projected
    from audiobend.picture_project.projecting import Search
    from audiobend.picture_project.projecting import project as search_styles
    from audiobend.picture_settings import device_named

    begun = perf_counter()
    if out.suffix.lower() != ".npz":
        raise PictureError(f"{out}: a file of styles must end in .npz")
    if compare is not None and compare.suffix.lower() != ".png":
        raise PictureError(f"{compare}: a picture's name must end in .png")
    targets = [out, *([compare] if compare else [])]
    for target in targets:
        check_not_an_input(target, [picture], PictureError)
        if not target.absolute().parent.is_dir():
            raise PictureError(f"{target}: the folder {target.parent} does not exist")
    check_outputs(targets, overwrite)
    device_named(device)
    the_model = model_of(model, None)
    goal = read_target(picture, the_model.network.architecture.size)
    search = Search(steps, rate, space.value, noise, seed, vgg16, device)
    with progress_bar(f"searching {picture.name}", json_ or quiet) as advance:
        found = search_styles(the_model, goal, search, advance)
    save_projected(out, found)
    if compare:
        write_png(compare, sheet([to_bytes(goal), to_bytes(found.picture)], 2), {"version": 1, "sheet": 2})
    took = perf_counter() - begun
    if json_:
        show_json(
            {"file": str(out), "likeness_db": round(found.likeness_db, 2), "steps": steps, "space": space.value,
             "noise": noise, "model": the_model.name, "took_seconds": round(took, 2)}
        )    # fmt: skip
    elif not quiet:
        say(f"{out}: {found.likeness_db:.1f} dB like the picture, after {steps} steps in {took:.1f} s")
