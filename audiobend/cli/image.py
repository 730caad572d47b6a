"""``audiobend image``: pictures from a bent generator."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiobend.cli import imagefilm, imagelive, imageproject, imagestrips
from audiobend.cli import imageoptions as asked
from audiobend.cli.screen import progress_bar, say, show_json
from audiobend.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiobend.networks.stylegan2_model import PictureModel
    from audiobend.picture import Painter
    from audiobend.picture_files import Painted
    from audiobend.picture_recipe import Job

app = typer.Typer(help="Pictures from a bent StyleGAN2.", no_args_is_help=True, rich_markup_mode=None)


def add_to(parent: typer.Typer) -> None:
    """Add this file's verbs, and those that have a file of their own."""
    for verbs in (imagestrips, imagefilm, imagelive, imageproject):
        verbs.add_to(app)
    parent.add_typer(app, name="image")


@app.command()
def generate(
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")],
    model: asked.ModelName = None,
    seeds: Annotated[str, typer.Option(help="One picture each: 0-15, or 1,5,9.")] = "0",
    patch: asked.PatchFile = None,
    set_: asked.Changes = None,
    patch_seed: asked.PatchSeed = None,
    clusters: asked.ClustersFile = None,
    latent: Annotated[
        Path | None, typer.Option(help="Styles from a file (.npz with 'w') in the place of seeds; never truncated.")
    ] = None,
    truncation: asked.Truncation = 0.7,
    cutoff: asked.Cutoff = None,
    noise: asked.NoiseMode = asked.Noise.const,
    directions: asked.DirectionsOf = asked.Directions.pca,
    label: asked.Label = 0,
    variations: Annotated[int | None, typer.Option(min=1, max=999, help="Paint this many seeded variations.")] = None,
    grid: Annotated[bool, typer.Option("--grid", help="Also a sheet of all pictures.")] = False,
    again: Annotated[
        Path | None, typer.Option(metavar="PICTURE", help="Make this picture once more, from what its file says.")
    ] = None,
    device: asked.Device = "cpu",
    precision: asked.PrecisionName = asked.Precision.fp32,
    overwrite: asked.Overwrite = False,
    json_: asked.AsJson = False,
    quiet: asked.Quiet = False,
) -> None:
    """Paint pictures from seeds.

    For example: audiobend image generate --model ffhq.pkl --seeds 0-15 --patch eyes.yaml --out faces --grid
    """
    from dataclasses import replace
    from time import perf_counter

    from audiobend.picture_files import check_outputs, grid_path, paint_files, patch_path, picture_path
    from audiobend.picture_settings import PictureSettings

    begun = perf_counter()
    if again:
        painted = _again(again, model, clusters, device, out, overwrite, json_ or quiet)
        _tell(painted, perf_counter() - begun, json_, quiet)
        return
    the_model = replace(asked.model_of(model, clusters), directions=directions.value)
    the_patch = asked.patch_of(patch, set_ or [], patch_seed)
    jobs = _jobs(seeds, latent, the_model)
    amount = 1.0 if latent else truncation
    settings = PictureSettings(amount, cutoff, noise.value, label, device, precision.value)
    painter = asked.painter_of(the_model, the_patch, patch, settings)
    silent = json_ or quiet
    if variations:
        painted = _variations(painter, jobs, out, variations, overwrite, silent)
    else:
        targets = [picture_path(out, job) for job in jobs] + [patch_path(out)] * bool(painter.plan.patch.bends)
        check_outputs([*targets, *([grid_path(out)] if grid else [])], overwrite)
        asked.make_folder(out)
        with progress_bar(f"painting {len(jobs)} pictures", silent) as advance:
            painted = paint_files(painter, jobs, out, advance, grid=grid)
    _tell(painted, perf_counter() - begun, json_, quiet)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="A .pt or .pkl checkpoint; nothing in it is run.")],
    out: Annotated[Path, typer.Option(help="Folder for the bundle.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model of another kind there.")] = False,
    json_: asked.AsJson = False,
    quiet: asked.Quiet = False,
) -> None:
    """Make a bundle (safetensors and a card) of a checkpoint.

    For example: audiobend image convert ffhq.pkl --out models/ffhq
    """
    from audiobend.io.picturemodel import convert as convert_model

    model = convert_model(source, out, overwrite=overwrite)
    one = model.network.architecture
    if json_:
        show_json(
            {
                "folder": str(out),
                "fingerprint": model.fingerprint,
                "format": model.card["origin"]["format"],
                "height": one.size[0],
                "width": one.size[1],
                "layers": one.n_layers,
                "mean_was_computed": model.card["mean_was_computed"],
            }
        )
    elif not quiet:
        height, width = one.size
        kind = model.card["origin"]["format"]
        say(f"{out}: {width} by {height} pixels, layers 0..{one.n_layers - 1}, from a file of the kind {kind}")
        if model.card["mean_was_computed"]:
            say("the file had no latent_avg; the mean of 10000 random styles stands for it")


def _jobs(seeds: str, latent: Path | None, model: "PictureModel") -> "list[Job]":
    from audiobend.io.imagefile import read_noise, read_styles
    from audiobend.picture_recipe import Job, parse_seeds

    if latent is None:
        return [Job(seed) for seed in parse_seeds(seeds)]
    one = model.network.architecture
    noise = read_noise(latent, [one.map_size(layer) for layer in range(one.n_layers)])
    return [Job(index, styles, noise) for index, styles in enumerate(read_styles(latent, one.n_levels, one.n_style))]


def _again(
    picture: Path, model: str | None, clusters: Path | None, device: str, out: Path, overwrite: bool, silent: bool
) -> "list[Painted]":
    from audiobend.io.files import check_not_an_input
    from audiobend.picture_files import check_outputs, paint_files, patch_path, picture_path
    from audiobend.picture_recipe import read_recipe

    recipe = read_recipe(picture)
    painter = recipe.painter(asked.model_of(model or recipe.model, clusters), device)
    target = picture_path(out, recipe.job)
    check_not_an_input(target, [picture], PictureError)
    check_outputs([target, patch_path(out)], overwrite)
    asked.make_folder(out)
    with progress_bar(f"painting {picture.name} again", silent) as advance:
        return paint_files(painter, [recipe.job], out, advance)


def _variations(
    painter: "Painter", jobs: "Sequence[Job]", out: Path, n: int, overwrite: bool, silent: bool
) -> "list[Painted]":
    from audiobend.picture_files import check_outputs
    from audiobend.picture_variations import paint_variations, variation_files

    check_outputs(variation_files(out, jobs, n), overwrite)
    asked.make_folder(out)
    with progress_bar(f"painting {n} variations", silent) as advance:
        return paint_variations(painter.model, painter.plan.patch, painter.settings, jobs, out, n, advance)


def _tell(painted: "list[Painted]", took: float, as_json: bool, quiet: bool) -> None:
    if as_json:
        files = [{"file": str(one.path), "seed": one.seed, "height": one.height, "width": one.width} for one in painted]
        show_json({"pictures": files, "took_seconds": round(took, 3)})
    elif not quiet:
        for one in painted:
            say(str(one.path))
        say(f"{len(painted)} picture{'' if len(painted) == 1 else 's'} in {took:.1f} s")
