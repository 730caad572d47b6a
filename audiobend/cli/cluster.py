"""``audiobend cluster``."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiobend.cli.clusters import check_targets, draw, layer_names, numbers, stages, tell, which_sounds
from audiobend.cli.screen import say
from audiobend.errors import ClusteringError

if TYPE_CHECKING:
    from audiobend.clustering.find import Found
    from audiobend.clustering.settings import Settings
    from audiobend.networks.model import Model
    from audiobend.networks.stylegan2_model import PictureModel


class Method(StrEnum):
    """What makes features alike."""

    metric = "metric"
    coactivation = "coactivation"
    effect = "effect"
    vgg16 = "vgg16"
    pixels = "pixels"


class Algorithm(StrEnum):
    """How alike features are put into groups."""

    kmeans = "kmeans"
    dbscan = "dbscan"


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(cluster)


def cluster(
    model: Annotated[str, typer.Argument(help="A shipped model, a bundle's folder, or a checkpoint of pictures.")],
    sounds: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FOLDER|FILES...", help="Sound to listen to: the training music. None for pictures."),
    ] = None,
    method: Annotated[
        Method,
        typer.Option(
            help="metric: the look of activation maps, learnt; coactivation: active at the same moments; "
            "effect: what each does to the output; vgg16, pixels: the look of mean maps."
        ),
    ] = Method.metric,
    algorithm: Annotated[Algorithm, typer.Option(help="How alike features are put into groups.")] = Algorithm.kmeans,
    clusters: Annotated[
        str | None, typer.Option(metavar="N,N,..", help="Clusters of each layer, or one number [default: the paper's].")
    ] = None,
    layers: Annotated[
        str | None, typer.Option(metavar="L,L,..", help="Layers, such as 1,2,e3 [default: 1 to 4].")
    ] = None,
    for_this_sound: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Cluster by this sound alone, with the networks learnt before.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Cluster file; the networks that method metric trains go beside it (.safetensors).")
    ] = Path("clusters.yaml"),
    networks: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take these networks instead of training any [for one sound: the bundle's]."),
    ] = None,
    vgg16: Annotated[Path | None, typer.Option(help="Weights of a VGG16 (.pth or .safetensors).")] = None,
    eps: Annotated[float | None, typer.Option(help="Radius of dbscan [default: that of the clearest groups].")] = None,
    samples: Annotated[
        int | None,
        typer.Option(min=1, max=100000, help="Windows or pictures to look at [default: 1000 metric, 32 effect, 128]."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Training steps of each layer [default: by the size of its maps].")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Layers to be trained at once [default: as many as there are cores].")
    ] = None,
    describe: Annotated[
        bool | None,
        typer.Option(
            "--describe/--no-describe", help="Measure and name what clusters do [default: not for one sound]."
        ),
    ] = None,
    plots: Annotated[Path | None, typer.Option(metavar="DIR", help="Pictures of where each cluster acts.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace files that are there.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Put the features of a model's layers into clusters.

    For example: audiobend cluster models/mine my_music --out models/mine/clusters.yaml --overwrite

    Or, for pictures: audiobend cluster ffhq.pkl --out ffhq-clusters.yaml
    """
    from audiobend.clustering.settings import Settings
    from audiobend.io.clusterfile import save_clusters
    from audiobend.io.picturemodel import is_picture_model

    settings = Settings(
        method.value, algorithm.value, layer_names(layers), numbers(clusters), seed, samples, steps, eps, vgg16,
        jobs or os.cpu_count() or 1,
    )    # fmt: skip
    silent = json_ or quiet
    words = _Words(model, out, networks, plots, overwrite, describe, silent)
    the_model: Model | PictureModel
    if is_picture_model(model):
        the_model, found, targets = _of_pictures(words, settings, [*(sounds or []), for_this_sound])
    else:
        the_model, found, targets = _of_sound(words, settings, sounds or [], for_this_sound)
    if len(targets) > 1:
        from audiobend.clustering.metric_file import save_networks

        save_networks(found.networks, targets[1], the_model.fingerprint)
    save_clusters(found.clusters, out)
    pictures = draw(the_model, found, plots) if plots else []
    if not quiet:
        tell(the_model, found.clusters, [*targets, *pictures], json_)


@dataclass(frozen=True)
class _Words:
    """Words of the command that models of both kinds share."""

    model: str
    out: Path
    networks: Path | None
    plots: Path | None
    overwrite: bool
    describe: bool | None
    silent: bool

    def targets(self, learns: bool, read: list[Path]) -> list[Path]:
        """Return the files that will be written, none of which is somebody else's."""
        targets = [self.out, *([self.out.with_suffix(".safetensors")] if learns else [])]
        check_targets(targets, self.plots, [*read, *([self.networks] if self.networks else [])], self.overwrite)
        return targets


def _of_sound(
    words: _Words, settings: "Settings", sounds: list[Path], one: Path | None
) -> "tuple[Model, Found, list[Path]]":
    from audiobend.clustering.of_sound import clusters_of_folder, clusters_of_one_sound, networks_of, with_meaning
    from audiobend.io.modelbundle import find_model, load_model

    the_sounds = which_sounds(sounds, one)
    model = load_model(words.model, with_clusters=False)    # older weights' clusters are about to be replaced
    known, is_metric = None, settings.method == Method.metric
    if is_metric and (words.networks or one):
        known = networks_of(model, find_model(words.model), words.networks)
    targets = words.targets(is_metric and known is None, the_sounds)
    with stages(words.silent) as stage:
        if one:
            found, heard = clusters_of_one_sound(model, one, settings, known, stage), [one]
        else:
            report = (lambda _: None) if words.silent else say
            found, heard = clusters_of_folder(model, the_sounds, settings, known, stage, report)
        if words.describe if words.describe is not None else one is None:
            found = with_meaning(model, found, heard, settings.seed, stage)
    return model, found, targets


def _of_pictures(
    words: _Words, settings: "Settings", sounds: list[Path | None]
) -> "tuple[PictureModel, Found, list[Path]]":
    from audiobend.clustering.of_pictures import clusters_of_pictures, picture_networks, with_picture_meaning
    from audiobend.io.picturemodel import load_picture_model

    if any(sounds):
        raise ClusteringError(f"{words.model} is a model of pictures, and needs no sound; leave out the files")
    model = load_picture_model(words.model, with_clusters=False)
    is_metric = settings.method == Method.metric
    known = picture_networks(model, words.networks) if is_metric and words.networks else None
    targets = words.targets(is_metric and known is None, [])
    with stages(words.silent) as stage:
        found = clusters_of_pictures(model, settings, known, stage)
        if words.describe is not False:
            found = with_picture_meaning(model, found, settings.seed, stage)
    return model, found, targets
