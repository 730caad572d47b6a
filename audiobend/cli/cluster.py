"""``audiobend cluster``."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiobend.cli.screen import progress_bar, say, show_json, table
from audiobend.errors import ClusteringError

if TYPE_CHECKING:
    from audiobend.bending import Clusters
    from audiobend.clustering.find import Found
    from audiobend.clustering.listening import Progress, Stage
    from audiobend.clustering.metric import Trained
    from audiobend.clustering.settings import Settings
    from audiobend.networks.bendable import LayerName
    from audiobend.networks.model import Model


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
        Path, typer.Option(help="Cluster file; method metric puts its networks beside it (.safetensors).")
    ] = Path("clusters.yaml"),
    networks: Annotated[
        Path | None, typer.Option(help="Networks for --for-this-sound [default: the bundle's clusters.safetensors].")
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
    from audiobend.clustering.settings import Settings
    from audiobend.io.clusterfile import save_clusters
    from audiobend.io.modelbundle import load_model

    the_sounds = _which_sounds(sounds or [], for_this_sound)
    settings = Settings(
        method.value, algorithm.value, _layer_names(layers), _numbers(clusters), seed, samples, steps, eps, vgg16,
        jobs or os.cpu_count() or 1,
    )    # fmt: skip
    the_model = load_model(model)
    targets = _Targets(out, out.with_suffix(".safetensors") if method == Method.metric and not for_this_sound else None)
    _check_targets(targets, [*the_sounds, *([networks] if networks else [])], overwrite)
    if plots:
        from audiobend.clustering.cluster_pictures import make_picture_folder

        make_picture_folder(plots)
    with _stages(json_ or quiet) as stage:
        report = (lambda _: None) if json_ or quiet else say
        found, heard = _find(the_model, model, the_sounds, for_this_sound, networks, settings, stage, report)
        if describe if describe is not None else for_this_sound is None:
            from audiobend.clustering.describe import describe as measure

            described = measure(
                the_model, found.clusters, heard, progress=stage("listening to what clusters do"), seed=seed
            )
            found = replace(found, clusters=replace(described, made=found.clusters.made))
        if targets.networks:
            from audiobend.clustering.metric_file import save_networks

            save_networks(found.networks, targets.networks, the_model.fingerprint)
        save_clusters(found.clusters, targets.clusters)
        pictures = _draw(the_model, found, plots) if plots else []
    if not quiet:
        _tell(the_model, found.clusters, targets, pictures, json_)


@dataclass(frozen=True)
class _Targets:
    clusters: Path
    networks: Path | None


def _which_sounds(sounds: list[Path], one: Path | None) -> list[Path]:
    if one is not None:
        if sounds:
            raise ClusteringError(f"--for-this-sound {one}: clusters are of this sound alone; leave out the others")
        return [one]
    if not sounds:
        raise ClusteringError("give a folder of sound to listen to, such as the training music, or --for-this-sound")
    return sounds


def _layer_names(words: str | None) -> "tuple[LayerName, ...] | None":
    if words is None:
        return None
    names = [word.strip() for word in words.split(",")]
    return tuple(int(name) if name.isdecimal() else name for name in names)


def _numbers(words: str | None) -> tuple[int, ...] | None:
    if words is None:
        return None
    numbers = [word.strip() for word in words.split(",")]
    if not all(number.isdecimal() and len(number) < 6 for number in numbers):
        raise ClusteringError(f"--clusters {words}: needs whole numbers, one for each layer, such as 5,5,4,4")
    return tuple(map(int, numbers))


def _check_targets(targets: _Targets, read: list[Path], overwrite: bool) -> None:
    """Look before the work begins: nothing that is read is overwritten, nor anything else unasked."""
    from audiobend.io.files import check_not_an_input

    for target in filter(None, (targets.clusters, targets.networks)):
        check_not_an_input(target, read, ClusteringError)
        if target.is_dir():
            raise ClusteringError(f"{target}: is a folder, not a file")
        if not target.absolute().parent.is_dir():
            raise ClusteringError(f"{target}: the folder {target.parent} does not exist")
        if target.exists() and not overwrite:
            raise ClusteringError(f"{target}: exists; add --overwrite to replace it, or choose another --out")


@contextmanager
def _stages(quiet: bool) -> "Iterator[Stage]":
    """Give what shows one bar after the other, each with the time left."""
    with ExitStack() as stack:

        def stage(what: str) -> "Progress":
            stack.close()
            return stack.enter_context(progress_bar(what, quiet))

        yield stage


def _find(
    model: "Model",
    name: str,
    sounds: list[Path],
    one: Path | None,
    networks: Path | None,
    settings: "Settings",
    stage: "Stage",
    report: Callable[[str], None],
) -> "tuple[Found, list[Path]]":
    """Return what was found, and the sounds that were heard."""
    from audiobend.clustering.find import find_clusters
    from audiobend.clustering.sound_inputs import sounds_for, windows_of, windows_of_one

    if one is not None:
        learnt = _networks(model, name, networks) if settings.method == "metric" else None
        found = find_clusters(
            model.network, windows_of_one(model, one), settings, networks=learnt, fingerprint=model.fingerprint,
            stage=stage,
        )    # fmt: skip
        return _with_facts(found, {"for_this_sound": one.name}), [one]
    usable = sounds_for(model, sounds, report)
    progress = stage(f"reading {len(usable)} sounds")
    inputs, test = windows_of(model, usable, settings.n_samples, settings.seed, report, progress)
    found = find_clusters(
        model.network, inputs, settings, test=test, fingerprint=model.fingerprint, stage=stage
    )
    return _with_facts(found, {"sounds": len(usable)}), [sound.path for sound in usable]


def _with_facts(found: "Found", facts: dict[str, Any]) -> "Found":
    return replace(found, clusters=replace(found.clusters, made=facts | dict(found.clusters.made)))


def _networks(model: "Model", name: str, path: Path | None) -> "dict[LayerName, Trained]":
    from audiobend.clustering.metric_file import load_networks
    from audiobend.io.modelbundle import find_model

    path = path or find_model(name) / "clusters.safetensors"
    if not path.exists():
        raise ClusteringError(
            f"{path}: {model.name} has no networks that know its features yet; "
            f"train them first with: audiobend cluster {name} FOLDER --out {path.with_suffix('.yaml')}"
        )
    return load_networks(path, model.fingerprint)


def _draw(model: "Model", found: "Found", folder: Path) -> list[Path]:
    from audiobend.clustering.cluster_pictures import draw_layer, picture_path, where_it_acts

    last = model.network.layers()[-1]
    paths = []
    for spec in model.network.layers():
        if spec.name in found.mean_abs:
            of_layer = found.clusters.of_layer(spec.name)
            maps = where_it_acts(found.mean_abs[spec.name], of_layer, (last.height, last.width))
            paths.append(picture_path(folder, spec.name))
            draw_layer(paths[-1], f"{model.name}, layer {spec.name}", maps, of_layer, spec.axes)
    return paths


def _tell(model: "Model", clusters: "Clusters", targets: _Targets, pictures: list[Path], as_json: bool) -> None:
    figures = clusters.made["figures"]
    if as_json:
        show_json(
            {
                "model": model.name,
                "fingerprint": model.fingerprint,
                "out": str(targets.clusters),
                "networks": str(targets.networks) if targets.networks else None,
                "plots": [str(path) for path in pictures],
                "made": clusters.made,
                "layers": {str(layer): _of_layer(clusters, layer) for layer in clusters.layers},
            }
        )
        return
    rows = [
        [str(layer), str(k), str(one["features"]), one["name"]]
        for layer in clusters.layers
        for k, one in _of_layer(clusters, layer).items()
    ]
    table(f"Clusters of {model.name} by {clusters.made['method']}", ["layer", "cluster", "features", "name"], rows)
    for layer, one in figures.items():
        say(f"layer {layer}: " + ", ".join(_in_words(name, value) for name, value in one.items()))
    for path in filter(None, (targets.clusters, targets.networks, *pictures)):
        say(f"wrote {path}")


def _of_layer(clusters: "Clusters", layer: "LayerName") -> dict[int, dict[str, Any]]:
    of_layer = clusters.of_layer(layer)
    return {
        k: {"name": of_layer.label(k), "features": len(of_layer.features_of(k))} for k in range(of_layer.n_clusters)
    }


def _in_words(name: str, value: float) -> str:
    return f"{name} {value:.1%}" if name in ("accuracy", "chance") else f"{name} {value:g}"
