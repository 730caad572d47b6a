"""Method metric for a whole network: its layers' maps to disk, a network for each layer, a point for each feature."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor

from audiobend.clustering.listening import Inputs, Listener, MeanMaps, Network, Stage, check_alive, listen
from audiobend.clustering.maps import LARGEST, Grey, GreyMeter, Pictures, PictureStore
from audiobend.clustering.metric import Trained, accuracy, default_steps, embeddings
from audiobend.clustering.metric_network import depth_for
from audiobend.clustering.metric_work import Job, Learnt, learn_all
from audiobend.clustering.settings import Settings
from audiobend.errors import ClusteringError
from audiobend.networks.bendable import LayerName, LayerSpec

FIRST = 60
"""Samples that tell which activations are black and white."""
MOST_BYTES = 8 << 30
"""Maps of several layers are on disk at the same time up to here; beyond, one layer comes after the other."""

Means = Mapping[LayerName, MeanMaps]


@dataclass(frozen=True)
class Look:
    """What a layer's network knows: the network, a point for each feature ``(feature, 10)``, and how good it is."""

    trained: Trained
    embeddings: Tensor
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _First:
    """The first of some inputs."""

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
    network: Network, inputs: Inputs, test: Inputs, means: Means, settings: Settings, stage: Stage
) -> dict[LayerName, Look]:
    """Train a network for each of the layers in ``means``, measure it on ``test``, and embed the layer's features.

    Raises
    ------
    ClusteringError
        If there is not enough room on the disk for the maps.
    """
    meters = {layer: GreyMeter() for layer in means}
    listen(network, _First(inputs, FIRST), {layer: (one,) for layer, one in meters.items()}, stage("listening"))
    looks: dict[LayerName, Look] = {}
    for part in _portions(network, means, len(inputs) + len(test)):
        greys = {layer: meters[layer].grey for layer in part}
        with _room(part.values()) as folder:
            maps = _to_disk(network, inputs, greys, means, folder / "training", stage)
            check_alive({layer: means[layer] for layer in part})
            others = _to_disk(network, test, greys, {}, folder / "test", stage)
            jobs = [_job(maps[layer], others[layer], settings) for layer in part]
            learnt = learn_all(jobs, settings.processes, stage("learning what features look like"))
        looks |= {
            layer: _look(greys[layer], job, one) for layer, job, one in zip(part, jobs, learnt, strict=True)
        }
    return looks


def see_looks(
    network: Network,
    inputs: Inputs,
    test: Inputs | None,
    means: Means,
    networks: Mapping[LayerName, Trained],
    stage: Stage,
) -> dict[LayerName, Look]:
    """Embed the features of each of the layers in ``means`` by networks that were trained earlier.

    Their accuracy is measured where there is a ``test``.
    """
    for layer in means:
        if layer not in networks:
            known = ", ".join(map(str, networks))
            raise ClusteringError(f"layer {layer} has no trained network; there are networks for: {known}")
    looks: dict[LayerName, Look] = {}
    for part in _portions(network, means, len(inputs) + (len(test) if test else 0)):
        greys = {layer: networks[layer].grey for layer in part}
        with _room(part.values()) as folder:
            maps = _to_disk(network, inputs, greys, means, folder / "maps", stage)
            check_alive({layer: means[layer] for layer in part})
            others = _to_disk(network, test, greys, {}, folder / "test", stage) if test else {}
            progress = stage("looking at features")
            for done, (layer, pictures) in enumerate(maps.items()):
                progress(done / len(maps))
                looks[layer] = _seen(layer, networks[layer], pictures, others.get(layer))
    return looks


def _job(maps: Pictures, test: Pictures, settings: Settings) -> Job:
    return Job(maps, test, settings.steps or default_steps(depth_for(maps.shape[2])), settings.seed)


def _look(grey: Grey, job: Job, learnt: Learnt) -> Look:
    trained = Trained(learnt.network, grey, job.steps)
    return Look(trained, learnt.embeddings, _figures(trained, learnt.accuracy))


def _seen(layer: LayerName, trained: Trained, maps: Pictures, test: Pictures | None) -> Look:
    if trained.network.shape != maps.shape[1:]:
        raise ClusteringError(f"layer {layer}: its trained network is for maps of another size; train it again")
    figures = _figures(trained, accuracy(trained.network, test)) if test else {}
    return Look(trained, embeddings(trained.network, maps), figures)


def _figures(trained: Trained, right: float) -> dict[str, float]:
    return {"accuracy": right, "chance": 1 / trained.network.shape[0], "steps": trained.steps}


def _to_disk(
    network: Network, inputs: Inputs, greys: Mapping[LayerName, Grey], means: Means, folder: Path, stage: Stage
) -> dict[LayerName, Pictures]:
    """Listen to all inputs and keep every map, and the means that are wanted."""
    folder.mkdir()
    stores = {layer: PictureStore(folder / str(i), len(inputs), grey) for i, (layer, grey) in enumerate(greys.items())}
    listeners: dict[LayerName, tuple[Listener, ...]] = {
        layer: (store, means[layer]) if layer in means else (store,) for layer, store in stores.items()
    }
    listen(network, inputs, listeners, stage("listening"))
    return {layer: store.done() for layer, store in stores.items()}


def _portions(network: Network, layers: Iterable[LayerName], n_samples: int) -> list[dict[LayerName, int]]:
    """Divide layers, with the bytes of their maps, so that each portion has room on the disk together."""
    table = {spec.name: spec for spec in network.layers()}
    portions: list[dict[LayerName, int]] = [{}]
    for layer in layers:
        size = n_samples * _n_bytes(table[layer])
        if portions[-1] and sum(portions[-1].values()) + size > MOST_BYTES:
            portions.append({})
        portions[-1][layer] = size
    return portions


def _n_bytes(spec: LayerSpec) -> int:
    return spec.n_features * min(spec.height * spec.width, LARGEST)


@contextmanager
def _room(sizes: Iterable[int]) -> Iterator[Path]:
    """Give a folder for temporary files that has room for so many bytes; it is gone afterwards."""
    with TemporaryDirectory(prefix="audiobend-maps-", ignore_cleanup_errors=True) as folder:
        needed, free = sum(sizes), shutil.disk_usage(folder).free
        if needed > free:    # now: to write to a map that has no room would end the process
            raise ClusteringError(
                f"the maps need {needed / 1e9:.1f} GB for a while, and the folder for temporary files has "
                f"{free / 1e9:.1f} GB left; use fewer --samples or --layers, or set TMPDIR"
            )
        yield Path(folder)
