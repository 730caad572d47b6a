"""Features of one layer that belong together: which cluster each feature is in, and what it is called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from audiobend.bending.features import LayerName
from audiobend.errors import PatchError, did_you_mean

MAX_CLUSTERS = 8192


@dataclass(frozen=True, eq=False)
class LayerClusters:
    """The clusters of one layer.

    Attributes
    ----------
    labels : LongTensor of shape ``(feature,)``
        Index of the cluster that each feature belongs to, 0 or more.
    names : mapping from cluster index to str
        What a cluster does, such as ``"low band"``; may be incomplete.
    descriptors : mapping from cluster index to a mapping
        Measured facts of a cluster, for display; may be empty.
    """

    labels: Tensor
    names: Mapping[int, str] = field(default_factory=dict)
    descriptors: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            labels = torch.as_tensor(self.labels)
        except (OverflowError, RuntimeError, TypeError, ValueError):
            labels = torch.zeros(0)
        wrong = labels.dim() != 1 or labels.numel() == 0 or labels.is_floating_point()
        if wrong or int(labels.min()) < 0 or int(labels.max()) >= MAX_CLUSTERS:
            rule = f"one whole number in 0..{MAX_CLUSTERS - 1} for each feature"
            raise PatchError(f"clusters: labels must be {rule}")
        object.__setattr__(self, "labels", labels.long())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, LayerClusters)
            and torch.equal(self.labels, other.labels)
            and self.names == other.names
            and self.descriptors == other.descriptors
        )

    @property
    def n_features(self) -> int:
        """Features of the layer."""
        return self.labels.numel()

    @property
    def n_clusters(self) -> int:
        """Clusters of the layer: the greatest index plus one, so some may be empty."""
        return int(self.labels.max()) + 1

    def index_of(self, cluster: int | str) -> int:
        """Return a cluster's index from its index or name; `PatchError` with the nearest if there is none."""
        if isinstance(cluster, int):
            if not 0 <= cluster < self.n_clusters:
                raise PatchError(f"cluster {cluster}: this layer has clusters 0..{self.n_clusters - 1}")
            return cluster
        for index, name in self.names.items():
            if name.casefold() == cluster.casefold():
                return index
        known = [*self.names.values(), *range(self.n_clusters)] if self.names else range(self.n_clusters)
        raise PatchError(f"unknown cluster '{cluster}'{did_you_mean(cluster, known)}")

    def features_of(self, cluster: int | str) -> Tensor:
        """Return the features of one cluster, sorted; may be empty."""
        return torch.nonzero(self.labels == self.index_of(cluster)).flatten()

    def label(self, cluster: int) -> str:
        """Return a cluster's name, or ``"cluster 3"`` where it has none."""
        return self.names.get(self.index_of(cluster), f"cluster {cluster}")


@dataclass(frozen=True)
class Clusters:
    """The clusters of a network's layers.

    Attributes
    ----------
    layers : mapping from layer name to `LayerClusters`
    fingerprint : str or None
        Of the model whose features were clustered; None where the file does not say.
    made : mapping
        How they were made: method, seed, figures of each layer; plain data, may be empty.

    Examples
    --------
    >>> clusters = Clusters.from_labels({1: [0, 1, 0, 1]}, names={1: {0: "low band"}})
    >>> clusters.n_clusters(1), clusters.features_of(1, "low band").tolist(), clusters.label(1, 1)
    (2, [0, 2], 'cluster 1')
    """

    layers: Mapping[LayerName, LayerClusters]
    fingerprint: str | None = None
    made: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_labels(
        cls,
        labels: Mapping[LayerName, Sequence[int] | Tensor],
        names: Mapping[LayerName, Mapping[int, str]] | None = None,
        fingerprint: str | None = None,
        made: Mapping[str, Any] | None = None,
    ) -> "Clusters":
        """Build from one list of cluster indices per layer, in the order of the features."""
        names = names or {}
        return cls(
            {
                layer: LayerClusters(torch.as_tensor(of_layer), names.get(layer, {}))
                for layer, of_layer in labels.items()
            },
            fingerprint,
            made or {},
        )

    def __contains__(self, layer: object) -> bool:
        return layer in self.layers

    def of_layer(self, layer: LayerName) -> LayerClusters:
        """Return one layer's clusters; `PatchError` naming the layers that have some."""
        if layer not in self.layers:
            known = ", ".join(map(str, self.layers)) or "no layer"
            raise PatchError(f"layer {layer} has no clusters; there are clusters for: {known}")
        return self.layers[layer]

    def n_clusters(self, layer: LayerName) -> int:
        """Clusters of one layer."""
        return self.of_layer(layer).n_clusters

    def features_of(self, layer: LayerName, cluster: int | str) -> Tensor:
        """Features of one cluster of one layer, sorted."""
        return self.of_layer(layer).features_of(cluster)

    def label(self, layer: LayerName, cluster: int) -> str:
        """Name of one cluster of one layer."""
        return self.of_layer(layer).label(cluster)
