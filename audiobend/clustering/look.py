"""Method metric for a whole network: its layers' maps to disk, a network for each layer, an embedding of each feature."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor

from audiobend.clustering.listening import Inputs, Listener, MeanMaps, Network, Progress, Stage, listen
from audiobend.clustering.maps import LARGEST, Grey, GreyMeter, PictureStore, Pictures
from audiobend.clustering.metric import Trained, default_steps, embeddings
from audiobend.clustering.metric_network import depth_for
from audiobend.clustering.metric_work import Job, Learnt, learn_all, one_thread
from audiobend.clustering.settings import Settings
from audiobend.errors import ClusteringError
from audiobend.networks.bendable import LayerName, LayerSpec

FIRST = 60
"""Samples that tell which activations are black and white."""
MOST_BYTES = 8 << 30
"""Maps of several layers are on disk at the same time up to here; beyond, a layer comes after the other."""


@dataclass(frozen=True)
class Look:
    """What a layer's network knows: the network, a point for each feature ``(feature, 10)``, and how good it is."""

    trained: Trained
    embeddings: Tensor
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _First:
    inputs: Inputs
    n_samples: int

    def __len__(self) -> int:
        return min(self.n_samples, len(self.inputs))

    def __iter__(self) -> Iterator[Tensor]:
        left = len(self)
        for batch in self.inputs:
            yield batch[:left]
            left -= len(batch)
            if left <= 0:
                return


def learn_looks(
    network: Network, inputs: Inputs, test: Inputs, means: Mapping[LayerName, MeanMaps], settings: Settings, stage: Stage
) -> dict[LayerName, Look]:
    """Train a network for each layer that means are wanted of, measure it on ``test``, and embed the features."""
    meters = {layer: GreyMeter() for layer in means}
    listen(network, _First(inputs, FIRST), {layer: (meter,) for layer, meter in meters.items()}, stage("listening first"))
    greys = {layer: meter.grey for layer, meter in meters.items()}
    looks: dict[LayerName, Look] = {}
    for part in _portions(network, tuple(means), len(inputs) + len(test)):
        with TemporaryDirectory(prefix="audiobend-maps-", ignore_cleanup_errors=True) as folder:
            looks |= _learn_part(network, inputs, test, {layer: means[layer] for layer in part}, greys, Path(folder), settings, stage)
    return looks


def _learn_part(
    network: Network,
    inputs: Inputs,
    test: Inputs,
    means: Mapping[LayerName, MeanMaps],
    greys: Mapping[LayerName, Grey],
    folder: Path,
    settings: Settings,
    stage: Stage,
) -> dict[LayerName, Look]:
    maps = _to_disk(network, inputs, greys, folder / "train", means, stage("listening"))
    test_maps = _to_disk(network, test, {layer: greys[layer] for layer in means}, folder / "test", {}, stage("listening to other sound"))
    jobs = {layer: _job(maps[layer], test_maps[layer], settings) for layer in means}
    learnt = learn_all(list(jobs.values()), settings.processes, stage("learning what features look like"))
    return {layer: _look(greys[layer], jobs[layer], one) for layer, one in zip(jobs, learnt, strict=True)}


def _job(maps: Pictures, test: Pictures, settings: Settings) -> Job:
    return Job(maps, test, settings.steps or default_steps(depth_for(maps.shape[2])), settings.seed)


def _look(grey: Grey, job: Job, learnt: Learnt) -> Look:
    figures = {"accuracy": learnt.accuracy, "chance": 1 / job.maps.shape[1], "steps": job.steps}
    return Look(Trained(learnt.network, grey), learnt.embeddings, figures)


def see_looks(
    network: Network, inputs: Inputs, means: Mapping[LayerName, MeanMaps], networks: Mapping[LayerName, Trained], stage: Stage
) -> dict[LayerName, Look]:
    """Embed the features of each layer by networks that were trained earlier."""
    for layer in means:
        if layer not in networks:
            known = ", ".join(map(str, networks))
            raise ClusteringError(f"layer {layer} has no trained network; there are networks for: {known}")
    looks: dict[LayerName, Look] = {}
    for part in _portions(network, tuple(means), len(inputs)):
        with TemporaryDirectory(prefix="audiobend-maps-", ignore_cleanup_errors=True) as folder:
            greys = {layer: networks[layer].grey for layer in part}
            maps = _to_disk(network, inputs, greys, Path(folder), {layer: means[layer] for layer in part}, stage("listening"))
            for layer, pictures in maps.items():
                if networks[layer].network.shape != pictures.shape[1:]:
                    raise ClusteringError(f"layer {layer}: its trained network is for maps of another size; train it again")
                with one_thread():
                    looks[layer] = Look(networks[layer], embeddings(networks[layer].network, pictures))
    return looks


def _to_disk(
    network: Network,
    inputs: Inputs,
    greys: Mapping[LayerName, Grey],
    folder: Path,
    means: Mapping[LayerName, MeanMaps],
    on_progress: Progress,
) -> dict[LayerName, Pictures]:
    folder.mkdir(exist_ok=True)
    stores = {layer: PictureStore(folder / f"{index}", len(inputs), grey) for index, (layer, grey) in enumerate(greys.items())}
    listeners: dict[LayerName, tuple[Listener, ...]] = {
        layer: (store, means[layer]) if layer in means else (store,) for layer, store in stores.items()
    }
    try:
        listen(network, inputs, listeners, on_progress)
    except OSError as error:
        raise ClusteringError(f"{folder}: the maps cannot be kept: {error.strerror}") from None
    return {layer: store.done() for layer, store in stores.items()}


def _portions(network: Network, layers: tuple[LayerName, ...], n_samples: int) -> list[list[LayerName]]:
    """Divide layers so that the maps of each portion fit on the disk together."""
    table = {spec.name: spec for spec in network.layers()}
    portions: list[list[LayerName]] = [[]]
    total = 0
    for layer in layers:
        size = _n_bytes(table[layer], n_samples)
        if total and total + size > MOST_BYTES:
            portions.append([])
            total = 0
        portions[-1].append(layer)
        total += size
        _check_room(layer, total)
    return portions


def _n_bytes(spec: LayerSpec, n_samples: int) -> int:
    return n_samples * spec.n_features * min(spec.height * spec.width, LARGEST)


def _check_room(layer: LayerName, n_bytes: int) -> None:
    with TemporaryDirectory(prefix="audiobend-maps-") as folder:
        free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise ClusteringError(
            f"the maps up to layer {layer} need {n_bytes / 1e9:.1f} GB in the folder for temporary files, "
            f"which has {free / 1e9:.1f} GB left; use fewer --samples or --layers"
        )
