"""``audiobend cluster``."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from audiobend.cli.clusters import check_targets, draw, layer_names, numbers, stages, tell, which_sounds
from audiobend.cli.screen import say


class Method(StrEnum):
    """What makes features alike."""

    metric = "metric"
    coactivation = "coactivation"
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
    model: Annotated[str, typer.Argument(help="Name of a shipped model, or a bundle's folder.")],
    sounds: Annotated[
        list[Path] | None, typer.Argument(metavar="FOLDER|FILES...", help="Sound to listen to: the training music.")
    ] = None,
    method: Annotated[
        Method,
        typer.Option(
            help="metric: the look of activation maps, learnt; coactivation: active at the same moments; "
            "vgg16, pixels: the look of mean maps."
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
        int | None, typer.Option(min=1, max=100000, help="Windows to listen to [default: 1000; 128 if not metric].")
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
            "--describe/--no-describe", help="Measure and name what clusters do to sound [default: not for one sound]."
        ),
    ] = None,
    plots: Annotated[Path | None, typer.Option(metavar="DIR", help="Pictures of where each cluster acts.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace files that are there.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Put the features of a model's layers into clusters.

    For example: audiobend cluster models/mine my_music --out models/mine/clusters.yaml --overwrite
    """
    from audiobend.clustering.of_sound import clusters_of_folder, clusters_of_one_sound, networks_of, with_meaning
    from audiobend.clustering.settings import Settings
    from audiobend.io.clusterfile import save_clusters
    from audiobend.io.modelbundle import find_model, load_model

    the_sounds = which_sounds(sounds or [], for_this_sound)
    settings = Settings(
        method.value, algorithm.value, layer_names(layers), numbers(clusters), seed, samples, steps, eps, vgg16,
        jobs or os.cpu_count() or 1,
    )    # fmt: skip
    the_model = load_model(model, with_clusters=False)    # older weights' clusters are about to be replaced
    known = None
    if method == Method.metric and (networks or for_this_sound):
        known = networks_of(the_model, find_model(model), networks)
    targets = [out, *([out.with_suffix(".safetensors")] if method == Method.metric and known is None else [])]
    check_targets(targets, plots, [*the_sounds, *([networks] if networks else [])], overwrite)
    silent = json_ or quiet
    with stages(silent) as stage:
        if for_this_sound:
            found, heard = clusters_of_one_sound(the_model, for_this_sound, settings, known, stage), [for_this_sound]
        else:
            report = (lambda _: None) if silent else say
            found, heard = clusters_of_folder(the_model, the_sounds, settings, known, stage, report)
        if describe if describe is not None else for_this_sound is None:
            found = with_meaning(the_model, found, heard, seed, stage)
    if len(targets) > 1:
        from audiobend.clustering.metric_file import save_networks

        save_networks(found.networks, targets[1], the_model.fingerprint)
    save_clusters(found.clusters, out)
    pictures = draw(the_model, found, plots) if plots else []
    if not quiet:
        tell(the_model, found.clusters, [*targets, *pictures], json_)
