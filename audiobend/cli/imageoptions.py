"""Words that the verbs of ``audiobend image`` share, and what is read from them."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiobend.errors import PatchError, PictureError

if TYPE_CHECKING:
    from audiobend.bending import Patch
    from audiobend.networks.stylegan2_model import PictureModel
    from audiobend.picture import Painter
    from audiobend.picture_settings import PictureSettings


class Noise(StrEnum):
    """Where the noise in pictures comes from."""

    const = "const"
    random = "random"
    none = "none"


class Directions(StrEnum):
    """What the axes of the latent code are."""

    pca = "pca"
    sefa = "sefa"


class Precision(StrEnum):
    """Of the synthesis."""

    fp32 = "fp32"
    bf16 = "bf16"


ModelName = Annotated[
    str | None,
    typer.Option("--model", help="A .pt or .pkl checkpoint, a bundle's folder, or a name [default: tiles-64]."),
]
ClustersFile = Annotated[Path | None, typer.Option("--clusters", help="Cluster file; default is the bundle's own.")]
Truncation = Annotated[
    float, typer.Option("--truncation", min=-2, max=2, help="1 leaves styles as they are, 0 is the mean picture.")
]
Cutoff = Annotated[
    int | None, typer.Option("--truncation-cutoff", min=0, help="Truncate only the levels below this one.")
]
NoiseMode = Annotated[Noise, typer.Option("--noise", help="The model's own noise, noise by the seed, or none.")]
Label = Annotated[int, typer.Option("--class", min=0, help="Which class to draw, for models that have classes.")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda or mps.")]
PrecisionName = Annotated[Precision, typer.Option("--precision", help="Of the synthesis.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that audiobend did not write.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing.")]


PatchFile = Annotated[Path | None, typer.Option("--patch", help="Patch file; without it the pictures are unbent.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="BEND/PARAM=VALUE", help="Change a value of the patch.")
]
PatchSeed = Annotated[int | None, typer.Option("--patch-seed", min=0, help="Seed of all that the patch draws.")]
DirectionsOf = Annotated[
    Directions, typer.Option("--directions", help="Axes of the latent code: of styles, or of the weights.")
]


def model_of(name: str | None, clusters: Path | None) -> "PictureModel":
    from audiobend.io.picturemodel import load_picture_model

    return load_picture_model(name, clusters)


def patch_of(path: Path | None, changes: list[str], seed: int | None) -> "Patch":
    from dataclasses import replace

    from audiobend.bending import Patch
    from audiobend.io.patchfile import load_patch

    patch = load_patch(path) if path else Patch()
    for change in changes:
        target, equals, value = change.partition("=")
        if not equals or ("/" not in target and target != "seed"):
            raise PatchError(f"--set {change}: needs BEND/PARAM=VALUE, such as turn/angle=45")
        patch = patch.set(target, value)
    return patch if seed is None else replace(patch, seed=seed)


def painter_of(model: "PictureModel", patch: "Patch", path: Path | None, settings: "PictureSettings") -> "Painter":
    """Return what paints a patch; a wrong one is refused here, before anything is made, by the name of its file."""
    from audiobend.io.yamlfile import named
    from audiobend.picture import Painter

    return Painter(model, named(path or "--set", lambda: model.resolve(patch), error=PatchError), settings)


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PictureError(f"{folder}: this folder cannot be made: {error.strerror}") from None
