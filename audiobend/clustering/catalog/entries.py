"""What a catalog lists: one bend of one cluster at one strength."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from audiobend.bending import Bend, Cluster
from audiobend.bending.features import LayerName
from audiobend.bending.transform import Number
from audiobend.clustering.catalog.ladder import rung, strengths
from audiobend.errors import PatchError
from audiobend.networks.model import Model


@dataclass(frozen=True)
class Entry:
    """One bend of a catalog.

    Attributes
    ----------
    id : str
        ``"<layer>-<cluster>-<transform>-<step>"``; also the name of its sound and of its bend in a patch.
    label : str
        What the cluster is called.
    features : tuple of int
        Those of the cluster.
    strength : float
        0..1, see `audiobend.clustering.catalog.ladder`.
    """

    id: str
    layer: LayerName
    cluster: int
    label: str
    features: tuple[int, ...]
    transform: str
    strength: float
    params: Mapping[str, Number]
    mix: float

    @property
    def bend(self) -> Bend:
        """The bend itself."""
        return Bend(self.id, self.layer, self.transform, self.params, Cluster((self.cluster,)), self.mix)

    @property
    def line(self) -> str:
        """The line to paste under a patch's ``transforms``.

        Labels come from files and may hold anything, so the cluster stands there by number.
        """
        params = ", ".join(f"{name}: {value!r}" for name, value in self.params.items())
        parts = [f"id: {self.id}", f"layer: {self.layer}", f"transform: {self.transform}"]
        parts += [f"params: {{{params}}}"] if params else []
        parts += ["features: cluster", f"feature-param: {self.cluster}"]
        parts += [f"mix: {self.mix!r}"] if self.mix != 1 else []
        return f"- {{{', '.join(parts)}}}"

    def key(self, subject: str) -> str:
        """Return what tells whether an earlier rendering is still right; ``subject`` stands for sound and model."""
        facts = [subject, self.id, str(self.layer), self.features, self.transform, dict(self.params), self.mix]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]


def list_entries(model: Model, transforms: Sequence[str], n_strengths: int) -> list[Entry]:
    """Return every layer x cluster x transform x strength; clusters without features are left out.

    Raises
    ------
    PatchError
        If the model has no clusters, or the bends of different strengths would not differ.
    """
    if model.clusters is None:
        raise PatchError(f"{model.name} has no clusters; make some with: audiobend cluster {model.source} FOLDER")
    return list(_entries(model, transforms, strengths(n_strengths)))


def _entries(model: Model, transforms: Sequence[str], steps: Sequence[float]) -> Iterator[Entry]:
    assert model.clusters is not None
    known = {layer.name for layer in model.network.layers()}
    for layer, of_layer in model.clusters.layers.items():
        if layer not in known:
            continue
        for cluster in range(of_layer.n_clusters):
            features = tuple(of_layer.features_of(cluster).tolist())
            if not features:
                continue
            for transform in transforms:
                for index, strength in enumerate(steps):
                    name = f"{layer}-{cluster}-{transform}-{index + 1}"
                    label = of_layer.label(cluster)
                    params, mix = rung(transform, strength)
                    yield Entry(name, layer, cluster, label, features, transform, strength, params, mix)
