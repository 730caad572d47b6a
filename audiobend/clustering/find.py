"""Find the clusters of any network's features: listen, make a point of each feature, group the points, number them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from audiobend.bending import Clusters
from audiobend.clustering.coactivation import coactivation_points
from audiobend.clustering.effect import effect_points, effects
from audiobend.clustering.grouping import Groups, Points, group, n_distinct
from audiobend.clustering.listening import (
    Inputs,
    Listener,
    MeanMaps,
    Network,
    Series,
    Stage,
    check_alive,
    listen,
    one_thread,
)
from audiobend.clustering.look import Look, learn_looks, see_looks
from audiobend.clustering.metric import Trained
from audiobend.clustering.pixels import standardised, vgg16_points
from audiobend.clustering.places import NOISE, names_by_frequency, numbered
from audiobend.clustering.settings import Settings, chosen_layers, cluster_counts
from audiobend.clustering.vgg16 import load_vgg16
from audiobend.errors import ClusteringError
from audiobend.networks.bendable import LayerName, LayerSpec


@dataclass(frozen=True)
class Found:
    """Clusters and what they were found with.

    Attributes
    ----------
    clusters : Clusters
        With names by place where maps have a frequency axis, and with figures in ``made``.
    mean_abs : mapping from layer name to Tensor ``(feature, height, width)``
        Mean absolute activation.
    networks : mapping from layer name to Trained
        What method metric learnt or was given.
    """

    clusters: Clusters
    mean_abs: Mapping[LayerName, Tensor]
    networks: Mapping[LayerName, Trained] = field(default_factory=dict)

    def described(self, clusters: Clusters) -> "Found":
        """Return the same, with the names and descriptors that ``clusters`` have; noise stays called noise."""
        figures = clusters.made["figures"]
        layers = {
            layer: replace(one, names=dict(one.names) | _noise(figures[layer].get("noise")))
            for layer, one in clusters.layers.items()
        }
        return replace(self, clusters=replace(clusters, layers=layers))


def find_clusters(
    network: Network,
    inputs: Inputs,
    settings: Settings,
    *,
    test: Inputs | None = None,
    networks: Mapping[LayerName, Trained] | None = None,
    fingerprint: str | None = None,
    stage: Stage = lambda _: lambda _: None,
) -> Found:
    """Put the features of a network's layers into clusters; the same seed gives the same clusters.

    Parameters
    ----------
    network : Network
        Any that can be bent, in evaluation mode.
    inputs : Inputs
        What it hears or sees while its maps are looked at.
    settings : Settings
    test : Inputs or None
        For method metric: what accuracy is measured on.
    networks : mapping from layer name to Trained, or None
        For method metric: of an earlier run, instead of training.
    fingerprint : str or None
        Of the model, to be kept with the clusters.

    Raises
    ------
    ClusteringError
        If a layer or a number does not fit, or no map of a layer ever changes.
    """
    specs = chosen_layers(network.layers(), settings)
    counts = cluster_counts(specs, settings)
    with one_thread():
        points, means, looks = _points(network, inputs, test, specs, settings, networks, stage)
    groups = {
        spec.name: _grouped(spec, points[spec.name], means[spec.name], count, settings)
        for spec, count in zip(specs, counts, strict=True)
    }
    made = _made(settings, inputs, groups, looks)
    clusters = Clusters.from_labels(
        {layer: torch.from_numpy(one.labels) for layer, one in groups.items()},
        {spec.name: _names(spec, groups[spec.name], means[spec.name].mean) for spec in specs},
        fingerprint,
        made,
    )
    mean_abs = {layer: one.mean_abs for layer, one in means.items()}
    return Found(clusters, mean_abs, {layer: look.trained for layer, look in looks.items()})


def _points(
    network: Network,
    inputs: Inputs,
    test: Inputs | None,
    specs: Sequence[LayerSpec],
    settings: Settings,
    networks: Mapping[LayerName, Trained] | None,
    stage: Stage,
) -> tuple[dict[LayerName, Points], dict[LayerName, MeanMaps], dict[LayerName, Look]]:
    means = {spec.name: MeanMaps() for spec in specs}
    if settings.method == "metric":
        if networks is None:
            looks = learn_looks(network, inputs, test or inputs, means, settings, stage)
        else:
            looks = see_looks(network, inputs, test, means, networks, stage)
        return {layer: look.embeddings.double().numpy() for layer, look in looks.items()}, means, looks
    vgg16 = load_vgg16(settings.vgg16) if settings.vgg16 else None
    series = {spec.name: Series(spec.axes[0] == "time") for spec in specs}
    listeners: dict[LayerName, Sequence[Listener]] = {
        layer: (mean, series[layer]) if settings.method == "coactivation" else (mean,) for layer, mean in means.items()
    }
    listen(network, inputs, listeners, stage("listening"))
    check_alive(means)
    if settings.method == "coactivation":
        return {layer: coactivation_points(one.values) for layer, one in series.items()}, means, {}
    if settings.method == "effect":
        changes = effects(network, inputs, specs, stage("taking out one feature after the other"))
        return {layer: effect_points(one) for layer, one in changes.items()}, means, {}
    if vgg16 is None:
        return {layer: standardised(one.mean) for layer, one in means.items()}, means, {}
    points = {}
    for index, (layer, mean) in enumerate(means.items()):
        progress = stage(f"showing layer {layer} to VGG16 ({index + 1} of {len(means)})")
        points[layer] = vgg16_points(mean.mean, vgg16, progress)
    return points, means, {}


def _grouped(spec: LayerSpec, points: Points, means: MeanMaps, count: int, settings: Settings) -> Groups:
    if settings.n_clusters is None:
        count = min(count, n_distinct(points))
    try:
        return numbered(group(points, count, settings.seed, settings.algorithm, settings.eps), means.mean)
    except ClusteringError as error:
        raise ClusteringError(f"layer {spec.name}: {error}") from None


def _names(spec: LayerSpec, groups: Groups, mean: Tensor) -> dict[int, str]:
    by_place = spec.axes[1] == "frequency" and spec.width > 1
    names = names_by_frequency(mean, groups.labels) if by_place else {}
    return names | _noise(groups.noise)


def _noise(cluster: int | None) -> dict[int, str]:
    return {} if cluster is None else {cluster: NOISE}


def _made(
    settings: Settings, inputs: Inputs, groups: Mapping[LayerName, Groups], looks: Mapping[LayerName, Look]
) -> dict[str, Any]:
    figures = {}
    for layer, one in groups.items():
        of_look = looks[layer].figures if layer in looks else {}
        figures[layer] = {name: _short(value) for name, value in (of_look | one.figures).items()}
        if one.noise is not None:
            figures[layer]["noise"] = one.noise
    return {
        "method": settings.method,
        "algorithm": settings.algorithm,
        "seed": settings.seed,
        "samples": len(inputs),
        "figures": figures,
    }


def _short(value: float) -> float | int:
    return value if isinstance(value, int) else float(f"{value:.4g}")
