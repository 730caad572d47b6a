"""Features that do the same: where, and in what moments, the network's output changes when each is taken out."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, pad

from audiobend.clustering.grouping import Points, principal
from audiobend.clustering.listening import Inputs, Network, Progress
from audiobend.networks.bendable import LayerName, LayerSpec, bent

BANDS = 32
"""Of sound: logarithmic, so the lowest are one bin wide each."""
STEADY, ATTACKS = 0.6, 0.85
"""Columns of sound that rise more than the second share of all are attacks, those that rise less than the first not."""
CELLS = 8
"""Of pictures: rows and columns of a grid, in each colour."""
LEAST = 0.02
"""A change below this share of the layer's mean is as good as none."""

Places = Callable[[Tensor], Tensor]
"""Takes absolute changes of a batch of outputs and returns their means, place by place."""


class _Without:
    """A plan that takes one feature of one layer out."""

    def __init__(self, layer: LayerName, feature: int) -> None:
        self.layers = (layer,)
        self._feature = feature

    def apply(self, layer: LayerName, x: Tensor, *, times: Tensor | None = None, call: int = 0) -> Tensor:
        x = x.clone()
        x[:, self._feature] = 0
        return x


@torch.inference_mode()
def effects(
    network: Network, inputs: Inputs, specs: Sequence[LayerSpec], on_progress: Progress = lambda _: None
) -> dict[LayerName, NDArray[np.float64]]:
    """Take every feature out by itself and return by how much the output changes, place by place.

    Parameters
    ----------
    network : Network
        Puts out ``(batch, ..., height, width)``.
    inputs : Inputs
        Are gone through once for each feature, and kept in memory.
    specs : sequence of LayerSpec
    on_progress : callable

    Returns
    -------
    mapping from layer name to array ``(feature, place)``
        Mean absolute change. Places of sound are 32 bands of frequency in steady, middling and attacking columns;
        places of pictures are 8 x 8 cells of each colour.
    """
    batches = list(inputs)
    unbent = [network(batch) for batch in batches]
    by_place = _sound_places if network.layers()[-1].axes == ("time", "frequency") else _picture_places
    places = [by_place(one) for one in unbent]
    total, done = sum(spec.n_features for spec in specs), 0
    found: dict[LayerName, NDArray[np.float64]] = {}
    for spec in specs:
        rows = []
        for feature in range(spec.n_features):
            with bent(network, _Without(spec.name, feature)):
                changes = [(network(x) - before).abs() for x, before in zip(batches, unbent, strict=True)]
            rows.append(torch.stack([place(one) for place, one in zip(places, changes, strict=True)]).mean(0))
            done += 1
            on_progress(done / total)
        found[spec.name] = torch.stack(rows).double().numpy()
    return found


def effect_points(changes: NDArray[np.float64]) -> Points:
    """Return a point for each feature from where it acts, whatever its strength.

    Parameters
    ----------
    changes : array of shape ``(feature, place)``
        0 or above.

    Returns
    -------
    array of shape ``(feature, up to 8)``
        Principal components of the logarithm, less its mean over places and its mean over features: what a feature
        changes more than it does elsewhere, and more than others do there.
    """
    if not changes.any():
        return np.zeros((len(changes), 1))
    logs = np.log(changes + LEAST * changes.mean())
    logs -= logs.mean(axis=1, keepdims=True)
    return principal(logs - logs.mean(axis=0))


def _sound_places(unbent: Tensor) -> Places:
    """Return what averages changes ``(batch, 1, time, frequency)`` over bands and kinds of moments."""
    n_bins = unbent.shape[-1]
    edges = np.unique(np.geomspace(1, n_bins, BANDS + 1).round().astype(int))
    band_of = np.searchsorted(edges, np.arange(n_bins), side="right").clip(1, len(edges) - 1) - 1
    bands = torch.eye(len(edges) - 1)[torch.from_numpy(band_of)]
    bands = bands / bands.sum(0)
    rises = pad((unbent[..., 1:, :] - unbent[..., :-1, :]).clamp(min=0).float().mean(-1), (1, 0))
    low, high = torch.quantile(rises[..., 1:].flatten(), torch.tensor([STEADY, ATTACKS]))
    moments = torch.stack([rises <= low, (rises > low) & (rises < high), rises >= high]).float()
    moments = moments / moments.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1)
    return lambda change: torch.einsum("mbct,bctk->mk", moments, change.float() @ bands).flatten()


def _picture_places(unbent: Tensor) -> Places:
    """Return what averages changes ``(batch, colour, height, width)`` over the cells of a grid."""
    rows, columns = (min(CELLS, n) for n in unbent.shape[-2:])
    return lambda change: adaptive_avg_pool2d(change.float().mean(0), (rows, columns)).flatten()
