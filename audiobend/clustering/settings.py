"""What one can choose about clusters, and what a choice means for a network's layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audiobend.clustering.grouping import ALGORITHMS
from audiobend.clustering.metric_network import depth_for
from audiobend.errors import ClusteringError, did_you_mean
from audiobend.networks.bendable import LayerName, LayerSpec

METHODS = ("metric", "coactivation", "effect", "vgg16", "pixels")
SAMPLES = {"metric": 1000, "coactivation": 128, "effect": 32, "vgg16": 128, "pixels": 128}
ZHENGS_CLUSTERS = 8


@dataclass(frozen=True)
class Settings:
    """How features are put into clusters.

    Attributes
    ----------
    method : "metric", "coactivation", "effect", "vgg16" or "pixels"
    algorithm : "kmeans" or "dbscan"
    layers : tuple of layer names or None
        None: all numbered layers that have more than one feature.
    n_clusters : tuple of int or None
        One for each layer, or one for all of them; None is the papers' number, or fewer where few features differ.
    seed : int
    samples : int or None
        Inputs that are looked at; None is 1000 for method metric, 32 for effect and 128 for the others.
    steps : int or None
        Of training each layer's network; None depends on the size of the maps.
    eps : float or None
        Radius of DBSCAN.
    vgg16 : Path or None
        Weights, for method vgg16.
    processes : int
        Layers whose networks are trained at the same time; changes nothing but the time.
    """

    method: str = "metric"
    algorithm: str = "kmeans"
    layers: tuple[LayerName, ...] | None = None
    n_clusters: tuple[int, ...] | None = None
    seed: int = 0
    samples: int | None = None
    steps: int | None = None
    eps: float | None = None
    vgg16: Path | None = None
    processes: int = 1

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ClusteringError(f"unknown method '{self.method}'{did_you_mean(self.method, METHODS)}")
        if self.algorithm not in ALGORITHMS:
            raise ClusteringError(f"unknown algorithm '{self.algorithm}'{did_you_mean(self.algorithm, ALGORITHMS)}")
        if self.method == "vgg16" and self.vgg16 is None:
            raise ClusteringError("method vgg16 needs the weights of a VGG16: give their file with --vgg16")
        if self.eps is not None and not self.eps > 0:
            raise ClusteringError(f"eps is a radius above 0, got {self.eps:g}")

    @property
    def n_samples(self) -> int:
        """Inputs that are looked at."""
        return self.samples or SAMPLES[self.method]


def chosen_layers(specs: Sequence[LayerSpec], settings: Settings) -> list[LayerSpec]:
    """Return the layers to be clustered, in the order of the settings.

    Raises
    ------
    ClusteringError
        If there is no such layer, or it has one feature, or maps of one point and the method goes by their look.
    """
    table = {spec.name: spec for spec in specs}
    if settings.layers is None:
        return [spec for spec in specs if isinstance(spec.name, int) and spec.n_features > 1]
    for name in settings.layers:
        if name not in table:
            raise ClusteringError(f"there is no layer {name}{did_you_mean(name, table)}")
        if settings.layers.count(name) > 1:
            raise ClusteringError(f"layer {name} is named twice")
        spec = table[name]
        if spec.n_features < 2:
            raise ClusteringError(f"layer {name} has one feature; clusters need at least two")
        if spec.height * spec.width == 1 and settings.method not in ("coactivation", "effect"):
            raise ClusteringError(f"layer {name} has maps of one point, which look like nothing; use coactivation")
    return [table[name] for name in settings.layers]


def cluster_counts(specs: Sequence[LayerSpec], settings: Settings) -> list[int]:
    """Return how many clusters each layer gets; `ClusteringError` where numbers were given and do not fit."""
    given = settings.n_clusters
    if given is None:
        return [min(_usual(spec, settings.method), max(2, spec.n_features // 2)) for spec in specs]
    if settings.algorithm == "dbscan":
        raise ClusteringError("dbscan finds the number of clusters by itself; leave out --clusters, or use kmeans")
    if len(given) == 1:
        given = given * len(specs)
    if len(given) != len(specs):
        names = ", ".join(str(spec.name) for spec in specs)
        raise ClusteringError(f"{len(given)} numbers of clusters for {len(specs)} layers ({names}); give one for each")
    for spec, count in zip(specs, given, strict=True):
        if not 1 <= count <= spec.n_features:
            rule = f"layer {spec.name} has {spec.n_features} features, so it can have 1..{spec.n_features} clusters"
            raise ClusteringError(f"{rule}, got {count}")
    return list(given)


def _usual(spec: LayerSpec, method: str) -> int:
    """Return the numbers of the papers: Broad et al., Tables 1 and 2; Zheng's eight for his own methods."""
    if method in ("vgg16", "pixels"):
        return ZHENGS_CLUSTERS
    depth = depth_for(max(spec.height, 4))
    if spec.axes == ("time", "frequency"):
        return 5 if depth <= 2 else 4
    return 5 if depth <= 4 else 4 if depth <= 6 else 3
