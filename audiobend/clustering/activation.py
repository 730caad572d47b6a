"""Clusters by the look of the mean activation maps: features that are busy in the same places belong together."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from torch import Tensor

from audiobend.bending import Clusters
from audiobend.io.clusterfile import save_clusters
from audiobend.io.modelbundle import load_model
from audiobend.networks.bendable import LayerName, bent
from audiobend.networks.model import Model
from audiobend.train.dataset import Augmentation, WindowSampler, find_sounds, load_tracks
from audiobend.train.evaluation import is_among

N_CLUSTERS: Mapping[LayerName, int] = {1: 5, 2: 5, 3: 4, 4: 4}
"""As many per decoder layer as in the paper."""


class _Listener:
    """A plan that bends nothing and keeps the mean of what it is shown."""

    def __init__(self, layers: tuple[LayerName, ...]) -> None:
        self.layers = layers
        self.sums: dict[LayerName, Tensor] = {}
        self.n_windows = 0

    def apply(self, layer: LayerName, x: Tensor, *, times: Tensor | None = None, call: int = 0) -> Tensor:
        self.sums[layer] = self.sums.get(layer, torch.zeros(())) + x.float().sum(0)
        return x


@torch.inference_mode()
def mean_maps(model: Model, windows_db: Tensor, layers: tuple[LayerName, ...]) -> dict[LayerName, Tensor]:
    """Return mean activation maps ``(feature, height, width)`` over windows ``(window, 1, 128, 513)`` of dB."""
    listener = _Listener(layers)
    x = (windows_db - model.codec.mean_db) / model.codec.scale_db
    with bent(model.network, listener):
        for batch in x.split(8):
            model.network(batch)
    return {layer: total / len(x) for layer, total in listener.sums.items()}


def cluster_maps(maps: Tensor, n_clusters: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the cluster of each feature from its map ``(feature, height, width)``.

    Maps are compared by shape alone (mean taken off, scaled to length 1), through at most 16 principal components.
    Clusters are numbered from low to high by where along the frequency axis they act.
    """
    flat = maps.flatten(1).double().numpy()
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    n_clusters = min(n_clusters, len(np.unique(flat.round(6), axis=0)))    # dead features are all alike
    if n_clusters == 1:
        return np.zeros(len(flat), dtype=np.int64)
    points = PCA(min(16, *flat.shape), random_state=seed).fit_transform(flat)
    labels = KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(points)
    centres = centre_of_activity(maps)
    order = np.argsort([centres[labels == k].mean() for k in range(n_clusters)])
    return np.asarray(np.argsort(order)[labels], dtype=np.int64)


def centre_of_activity(maps: Tensor) -> NDArray[np.float64]:
    """Return where along the frequency axis each feature is busier than usual, 0..1."""
    profile = maps.double().mean(dim=1).numpy()
    busy = profile - profile.min(axis=1, keepdims=True)
    position = (np.arange(profile.shape[1]) + 0.5) / profile.shape[1]
    return np.asarray((busy * position).sum(1) / np.maximum(busy.sum(1), 1e-12))


def place_name(share: float, nyquist: float = 22050.0) -> str:
    """Return the frequency at a share of the axis in words.

    >>> place_name(0.01), place_name(0.25)
    ('around 220 Hz', 'around 5.5 kHz')
    """
    hertz = share * nyquist
    return f"around {hertz / 1000:.2g} kHz" if hertz >= 1000 else f"around {float(f'{hertz:.2g}'):.0f} Hz"


def _names(maps: Tensor, labels: NDArray[np.int64]) -> dict[int, str]:
    """Name each cluster by the frequency where it is busier than the layer as a whole."""
    profile = maps.double().mean(dim=1)
    profile = (profile - profile.mean(1, keepdim=True)) / profile.std(1, keepdim=True).clamp(min=1e-9)
    position = (torch.arange(profile.shape[1]) + 0.5) / profile.shape[1]
    names: dict[int, str] = {}
    for k in range(int(labels.max()) + 1):
        busier = profile[torch.from_numpy(labels == k)].mean(0) - profile.mean(0)
        peak = (busier - 0.5 * busier.max()).clamp(min=0)
        name = place_name(float((peak * position).sum() / peak.sum().clamp(min=1e-9)))
        taken = sum(other.startswith(name) for other in names.values())
        names[k] = f"{name} ({taken + 1})" if taken else name
    return names


def add_clusters(
    bundle: Path, folders: list[Path], seed: int = 0, report: Callable[[str], None] = lambda _: None
) -> Clusters:
    """Cluster a bundle's features on real music and write its ``clusters.yaml``."""
    (bundle / "clusters.yaml").unlink(missing_ok=True)    # those of older weights would be refused
    model = load_model(bundle)
    sounds = find_sounds(folders)
    # Tracks that the model never saw stay unseen here too, so that clusters can be judged on them.
    unseen = set(model.card.get("training", {}).get("kept_out", []))
    tracks = load_tracks([sound for sound in sounds if not is_among(sound, unseen)] or sounds)
    sampler = WindowSampler(tracks, 128, seed, augmentation=Augmentation(level_db=(0.0, 0.0)))
    maps = mean_maps(model, sampler.batch(), tuple(N_CLUSTERS))
    labels = {layer: cluster_maps(maps[layer], n, seed) for layer, n in N_CLUSTERS.items()}
    clusters = Clusters.from_labels(
        {layer: torch.from_numpy(of_layer) for layer, of_layer in labels.items()},
        {layer: _names(maps[layer], of_layer) for layer, of_layer in labels.items()},
        model.fingerprint,
    )
    save_clusters(clusters, bundle / "clusters.yaml")
    report(f"wrote {bundle / 'clusters.yaml'}")
    return clusters
