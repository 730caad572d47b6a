"""Clusters of a generator's features: from the maps of many pictures, whose codes are drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from audiobend.clustering.find import Found, find_clusters
from audiobend.clustering.listening import Stage
from audiobend.clustering.metric import Trained
from audiobend.clustering.metric_file import load_networks
from audiobend.clustering.seeing import describe_pictures
from audiobend.clustering.settings import Settings, chosen_layers, cluster_counts
from audiobend.networks.bendable import LayerName, LayerSpec
from audiobend.networks.stylegan2_model import PictureModel, truncate

TRUNCATION = 0.7
"""Of pictures that features are told by: rather the usual ones, as in Broad et al."""
TEST_SHARE = 10
"""One more sample for every so many, to measure accuracy on."""
BATCH_PIXELS = 1 << 17
"""How large the pictures of one batch are, together."""


@dataclass(frozen=True)
class Codes:
    """Codes drawn by a seed, ``(batch, latent + 1)``: the last number is the class. The same ones each time."""

    model: PictureModel
    n_samples: int
    seed: int

    def __len__(self) -> int:
        return self.n_samples

    def __iter__(self) -> Iterator[Tensor]:
        one = self.model.network.architecture
        generator = torch.Generator().manual_seed(self.seed)
        z = torch.randn(self.n_samples, one.n_latent, generator=generator)
        classes = torch.arange(self.n_samples) % max(one.n_classes, 1)
        size = max(1, min(16, BATCH_PIXELS // (one.size[0] * one.size[1])))
        return iter(torch.cat([z, classes[:, None]], dim=1).split(size))


class Painting:
    """A generator as a network of one input: `Codes` in, pictures out, the styles truncated where there is a mean."""

    def __init__(self, model: PictureModel) -> None:
        self._model = model

    def layers(self) -> tuple[LayerSpec, ...]:
        """See `Bendable`."""
        return self._model.network.layers()

    def get_submodule(self, target: str) -> nn.Module:
        """See `Bendable`."""
        return self._model.network.get_submodule(target)

    def __call__(self, x: Tensor) -> Tensor:
        """Return pictures of codes with classes."""
        network, mean = self._model.network, self._model.mean
        w = network.levels(network.mapping(x[:, :-1], x[:, -1].long()))
        return network.synthesis(w if mean is None else truncate(w, mean, TRUNCATION))


def clusters_of_pictures(
    model: PictureModel,
    settings: Settings,
    networks: Mapping[LayerName, Trained] | None = None,
    stage: Stage = lambda _: lambda _: None,
) -> Found:
    """Return the clusters that a generator's features fall into while it paints pictures of drawn codes.

    Parameters
    ----------
    model : PictureModel
    settings : Settings
    networks : mapping from layer name to Trained, or None
        For method metric, instead of training.
    """
    cluster_counts(chosen_layers(model.network.layers(), settings), settings)    # before anything is painted
    inputs = Codes(model, settings.n_samples, settings.seed)
    test = Codes(model, max(1, settings.n_samples // TEST_SHARE), settings.seed + 1)
    found = find_clusters(
        Painting(model), inputs, settings, test=test, networks=networks, fingerprint=model.fingerprint, stage=stage
    )
    return replace(found, clusters=replace(found.clusters, made={"pictures": len(inputs), **found.clusters.made}))


def with_picture_meaning(model: PictureModel, found: Found, seed: int, stage: Stage) -> Found:
    """Return the same clusters, named and described by what they do to pictures."""
    progress = stage("looking at what clusters do")
    return found.described(describe_pictures(model, found.clusters, progress=progress, seed=seed))


def picture_networks(model: PictureModel, path: Path) -> dict[LayerName, Trained]:
    """Return networks that know a generator's features, from a file."""
    return load_networks(path, model.fingerprint)
