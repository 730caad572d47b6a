"""``audiobend image strips``."""

from pathlib import Path
from typing import Annotated

import typer

from audiobend.cli import imageoptions as asked
from audiobend.cli.screen import progress_bar, say, show_json
from audiobend.errors import PictureError


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(strips)


def strips(
    transform: Annotated[str, typer.Option(help="Name of a transform; see audiobend transforms.")],
    model: asked.ModelName = None,
    out: Annotated[Path | None, typer.Option(help="The picture to write, a .png [default: by the transform].")] = None,
    values: Annotated[
        list[str] | None, typer.Option(help="The transform's values, such as 45 or 0.2,0.1; one row for each.")
    ] = None,
    seeds: Annotated[str, typer.Option(help="One row for each: 0-3, or 1,5,9.")] = "0",
    layers: Annotated[str | None, typer.Option(help="Only these layers, such as 1-8 or 2,4,6.")] = None,
    features: Annotated[str, typer.Option(help="all, random 0.5, range 0 9, indices 1 2, cluster 3.")] = "all",
    profile: Annotated[str, typer.Option(help="default, broad2020 or zheng2022.")] = "default",
    clusters: asked.ClustersFile = None,
    truncation: asked.Truncation = 0.7,
    cutoff: asked.Cutoff = None,
    noise: asked.NoiseMode = asked.Noise.const,
    label: asked.Label = 0,
    side: Annotated[int | None, typer.Option(min=8, max=1024, help="Width of each picture, in pixels.")] = None,
    device: asked.Device = "cpu",
    precision: asked.PrecisionName = asked.Precision.fp32,
    overwrite: asked.Overwrite = False,
    json_: asked.AsJson = False,
    quiet: asked.Quiet = False,
) -> None:
    """Bend every layer in turn by the same transform, and show the pictures side by side.

    For example: audiobend image strips --model ffhq.pkl --transform rotate --values 45
    """
    from audiobend.bending.features import parse_features
    from audiobend.io.imagefile import write_png
    from audiobend.picture_files import check_outputs
    from audiobend.picture_recipe import parse_seeds
    from audiobend.picture_settings import PictureSettings
    from audiobend.picture_strips import paint_strips, strip_layers, strip_patches

    out = out or Path(f"{transform}.png")
    if out.suffix.lower() != ".png":
        raise PictureError(f"{out}: a picture's name must end in .png")
    check_outputs([out], overwrite)
    the_model = asked.model_of(model, clusters)
    chosen = strip_layers(the_model, parse_seeds(layers) if layers else None)
    selection = parse_features(features)
    rows = [
        (seed, strip_patches(transform, _numbers(text), chosen, selection, profile))
        for text in values or [""]
        for seed in parse_seeds(seeds)
    ]
    settings = PictureSettings(truncation, cutoff, noise.value, label, device, precision.value)
    with progress_bar(f"bending {len(chosen)} layers", json_ or quiet) as advance:
        pixels = paint_strips(the_model, rows, settings, chosen, advance, side)
    write_png(out, pixels, {"strips": transform, "values": values or [], "layers": chosen, "seeds": seeds})
    if json_:
        show_json({"file": str(out), "layers": chosen, "rows": len(rows), "model": the_model.name})
    elif not quiet:
        say(str(out))


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        raise PictureError(f"--values must be numbers such as 45 or 0.2,0.1; got {text!r}") from None
