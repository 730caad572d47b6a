"""What clusters do to sound: which descriptors move when one is ablated or doubled, and a label that says it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audiobend.bending import Bend, Cluster, Clusters, LayerClusters, Patch
from audiobend.bending.features import LayerName
from audiobend.clustering.descriptors import Profile
from audiobend.clustering.hearing import Ear, passages
from audiobend.clustering.labels import name_clusters, silent
from audiobend.networks.model import Model

N_SOUNDS, N_WINDOWS = 16, 4
"""Files listened to, and windows (0.74 s) of each; more take longer and change the figures little."""
READING = 0.15
"""Share of the time that it takes to read the sounds."""
DOINGS: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "ablate": ("ablate", {}),
    "double": ("scalar-multiply", {"factor": 2.0}),
}


def describe(
    model: Model,
    clusters: Clusters,
    sounds: Sequence[Path],
    *,
    progress: Callable[[float], None] | None = None,
    seed: int = 0,
) -> Clusters:
    """Return the same clusters with names and descriptors filled in, measured on real sound.

    Every cluster is ablated and doubled in passages of the sounds. Its descriptors hold, for both, the changes that
    `audiobend.clustering.descriptors.changes` lists, means over passages against the unbent reconstruction; and
    ``change_db``, ``bands_db`` and ``attacks_over_steady``, from the size of what ablating it changes in the bins that
    can be heard, of which its label is made. A cluster that does nothing is called "silent", and so are those without
    features.

    Parameters
    ----------
    model : Model
        What the clusters belong to.
    clusters : Clusters
        Which features belong together is not changed.
    sounds : paths of sound files
        Passages of at most 16 of them are listened to, chosen by the seed.
    progress : callable, optional
        Gets the share done, 0..1.
    seed : int
        Of the choice of sounds and passages.

    Raises
    ------
    AudioError
        If there is no sound, or none of it can be heard.
    PatchError
        If the clusters are not of this model.
    """
    report = progress or (lambda _: None)
    ear = Ear(model, passages(sounds, N_SOUNDS, N_WINDOWS, seed, lambda share: report(READING * share)))
    of_model = replace(model, clusters=clusters)
    n_clusters = sum(one.n_clusters for one in clusters.layers.values())
    n_done = 0
    layers: dict[LayerName, LayerClusters] = {}
    for layer, of_layer in clusters.layers.items():
        profiles: dict[int, Profile | None] = {}
        descriptors: dict[int, dict[str, Any]] = {}
        for cluster in range(of_layer.n_clusters):
            profiles[cluster], descriptors[cluster] = _listen(ear, of_model, layer, cluster)
            n_done += 1
            report(READING + (1 - READING) * n_done / n_clusters)
        layers[layer] = LayerClusters(of_layer.labels, name_clusters(profiles), descriptors)
    return replace(clusters, layers=layers)


def _listen(ear: Ear, model: Model, layer: LayerName, cluster: int) -> tuple[Profile | None, dict[str, Any]]:
    """Return where and when a cluster acts (None if it does not), and its descriptors."""
    assert model.clusters is not None
    features = len(model.clusters.features_of(layer, cluster))
    if not features:
        return None, {"features": 0, "silent": True}
    profiles: dict[str, Profile] = {}
    found: dict[str, dict[str, float]] = {}
    for doing, (transform, params) in DOINGS.items():
        bend = Bend("one", layer, transform, params, Cluster((cluster,)))
        bent_db = ear.decibels(model.resolve(Patch(bends=(bend,))))
        profiles[doing] = ear.profile(bent_db)
        found[doing] = {name: round(value, 2) for name, value in ear.changes(bent_db).items()}
    act = profiles["ablate"]
    is_silent = silent(list(profiles.values()))
    facts = {
        "features": features,
        "silent": is_silent,
        "change_db": round(act.all, 2),
        "bands_db": {name: round(value, 2) for name, value in act.targets().items() if name not in _TIMES},
        "attacks_over_steady": round(act.attacks / max(act.steady, 1e-9), 2) if not is_silent else 1.0,
    }
    return None if is_silent else act, facts | found


_TIMES = ("attacks", "steady")
