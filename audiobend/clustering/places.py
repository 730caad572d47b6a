"""Where clusters act: their order, and names, by where along a map's width (for sound: frequency) they are busy."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.clustering.grouping import Groups, Labels

NOISE = "noise: belongs nowhere"
"""The name of the group of features that DBSCAN puts into no cluster."""


def centre_of_activity(maps: Tensor) -> NDArray[np.float64]:
    """Return where along the width each of mean maps ``(feature, height, width)`` is busier than usual, 0..1."""
    profile = maps.double().mean(dim=1).numpy()
    busy = profile - profile.min(axis=1, keepdims=True)
    position = (np.arange(profile.shape[1]) + 0.5) / profile.shape[1]
    return np.asarray((busy * position).sum(1) / np.maximum(busy.sum(1), 1e-12))


def numbered(groups: Groups, maps: Tensor) -> Groups:
    """Number groups from low to high by where their features act; the noise stays last."""
    centres = centre_of_activity(maps)
    n_clusters = groups.n_groups if groups.noise is None else groups.noise
    order = np.argsort([centres[groups.labels == k].mean() for k in range(n_clusters)], kind="stable")
    new = np.arange(groups.n_groups)
    new[order] = np.arange(n_clusters)
    return Groups(new[groups.labels], groups.noise, groups.figures)


def place_name(share: float, nyquist: float = 22050.0) -> str:
    """Return the frequency at a share of the axis in words.

    >>> place_name(0.01), place_name(0.25)
    ('around 220 Hz', 'around 5.5 kHz')
    """
    hertz = share * nyquist
    return f"around {hertz / 1000:.2g} kHz" if hertz >= 1000 else f"around {float(f'{hertz:.2g}'):.0f} Hz"


def names_by_frequency(maps: Tensor, labels: Labels) -> dict[int, str]:
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
