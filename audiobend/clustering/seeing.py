"""What clusters do to pictures: what changes when one is ablated or doubled, and a label that says it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor

from audiobend.bending import Bend, Cluster, Clusters, LayerClusters, Patch
from audiobend.bending.features import LayerName
from audiobend.clustering.describe import DOINGS
from audiobend.clustering.picture_labels import UNSEEN_PERCENT, name_picture_clusters
from audiobend.clustering.picture_profile import PictureProfile, changes_of, profile_of
from audiobend.networks.stylegan2_model import PictureModel
from audiobend.picture import Painter
from audiobend.picture_settings import PictureSettings

N_PICTURES = 16
PIXELS = 1 << 20
"""Fewer pictures are looked at where they are large: this many pixels in all, but four pictures at least."""


def describe_pictures(
    model: PictureModel,
    clusters: Clusters,
    *,
    progress: Callable[[float], None] | None = None,
    seed: int = 0,
) -> Clusters:
    """Return the same clusters with names and descriptors filled in, measured on pictures of drawn codes.

    Every cluster is ablated and doubled. Its descriptors hold, for both, the changes of `picture_profile.changes_of`;
    and ``change_percent``, ``upright``, ``colour``, ``broad`` and the thirds, from what ablating it changes, of which
    its label is made. A cluster that does nothing is called "unseen", and so are those without features.

    Parameters
    ----------
    model : PictureModel
        What the clusters belong to.
    clusters : Clusters
        Which features belong together is not changed.
    progress : callable, optional
        Gets the share done, 0..1.
    seed : int
        Of the pictures.

    Raises
    ------
    PatchError
        If the clusters are not of this model.
    """
    eye = _Eye(replace(model, clusters=clusters), seed)
    n_clusters, n_done = sum(one.n_clusters for one in clusters.layers.values()), 0
    layers: dict[LayerName, LayerClusters] = {}
    for layer, of_layer in clusters.layers.items():
        profiles: dict[int, PictureProfile | None] = {}
        descriptors: dict[int, dict[str, Any]] = {}
        for cluster in range(of_layer.n_clusters):
            profiles[cluster], descriptors[cluster] = eye.look(layer, cluster)
            n_done += 1
            if progress:
                progress(n_done / n_clusters)
        layers[layer] = LayerClusters(of_layer.labels, name_picture_clusters(profiles), descriptors)
    return replace(clusters, layers=layers)


class _Eye:
    """Some pictures, and what bends make of them."""

    def __init__(self, model: PictureModel, seed: int) -> None:
        self._model = model
        height, width = model.network.architecture.size
        count = max(4, min(N_PICTURES, PIXELS // (height * width)))
        self._seeds = [seed * N_PICTURES + n for n in range(count)]
        truncation = 1.0 if model.mean is None else PictureSettings().truncation
        self._painter = Painter(model, settings=PictureSettings(truncation))
        self._plain = self._paint(Patch())

    def look(self, layer: LayerName, cluster: int) -> tuple[PictureProfile | None, dict[str, Any]]:
        """Return what a cluster draws (None if nothing), and its descriptors."""
        assert self._model.clusters is not None
        features = len(self._model.clusters.features_of(layer, cluster))
        if not features:
            return None, {"features": 0, "silent": True}
        profiles: dict[str, PictureProfile] = {}
        found: dict[str, dict[str, float]] = {}
        for doing, (transform, params) in DOINGS.items():
            bend = Bend("one", layer, transform, params, Cluster((cluster,)))
            bent = self._paint(Patch(bends=(bend,)))
            profiles[doing] = profile_of(self._plain, bent)
            found[doing] = {name: round(value, 2) for name, value in changes_of(self._plain, bent).items()}
        act = profiles["ablate"]
        is_unseen = all(one.change < UNSEEN_PERCENT for one in profiles.values())
        facts = {
            "features": features,
            "silent": is_unseen,
            "change_percent": round(act.change, 2),
            "upright": round(act.upright, 2),
            "colour": round(act.colour, 2),
            "broad": round(act.broad, 2),
            "rows": [round(float(share), 2) for share in act.rows],
            "columns": [round(float(share), 2) for share in act.columns],
        }
        return None if is_unseen else act, facts | found

    def _paint(self, patch: Patch) -> Tensor:
        painter = self._painter.rebent(patch)
        return painter.paint(painter.styles(self._seeds), self._seeds)
