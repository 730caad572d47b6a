"""A picture network together with everything that belongs to it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiobend.bending import Clusters, Patch, Plan, resolve
from audiobend.bending.values import seed_number
from audiobend.errors import PatchError
from audiobend.networks.model import bent_kernels, with_kernels
from audiobend.networks.stylegan2 import StyleGAN2
from audiobend.networks.stylegan2_directions import directions


@dataclass(frozen=True)
class PictureModel:
    """A generator ready to be bent.

    Attributes
    ----------
    name, source : str
        What it is called, and from where it can be loaded again.
    network : StyleGAN2
        In evaluation mode.
    fingerprint : str
        Of the weights; clusters carry it, so that another model's are refused.
    mean : Tensor of shape ``(style,)`` or None
        The mean style, which truncation goes towards; None where the file had none.
    clusters : Clusters or None
    directions : "pca" or "sefa"
        What the axes of a patch's ``latent`` entries are.
    card : mapping
        The bundle's ``model.yaml``; empty for a checkpoint.
    """

    name: str
    network: StyleGAN2
    fingerprint: str
    mean: Tensor | None = None
    clusters: Clusters | None = None
    directions: str = "pca"
    card: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    @cached_property
    def latent_axes(self) -> Tensor:
        """Directions ``(axis, style)`` in W, most visible first; worked out when they are first asked for."""
        return directions(self.network, self.directions)

    def resolve(self, patch: Patch) -> Plan:
        """Fit a patch to this model: draw its random features, look up its clusters, check every value."""
        plan = resolve(patch, self.network.layers(), self.clusters, axes=self.network.architecture.n_style)
        for index, one in enumerate(patch.latent):
            wrong = [level for level in one.levels or () if level >= self.network.architecture.n_levels]
            if wrong:
                rule = f"levels must be in 0..{self.network.architecture.n_levels - 1} for this model"
                raise PatchError(f"latent[{index}]: {one.op}: {rule}, got {wrong[0]}")
        self.bent_kernels(patch)
        return plan

    def bent_network(self, patch: Patch) -> StyleGAN2:
        """Return a network to put bends into: a shell of this one, with the patch's kernels bent."""
        return with_kernels(self.network, self.bent_kernels(patch))

    def bent_kernels(self, patch: Patch) -> dict[str, Tensor]:
        """Return the kernels that the patch's ``weights`` entries change, bent, by parameter name."""
        return bent_kernels(self.network, self.network.kernels(), patch)

    def codes(self, seeds: Sequence[int]) -> Tensor:
        """Return codes z ``(seed, latent)``: those that NVIDIA's programs draw by the same seeds."""
        n_latent = self.network.architecture.n_latent
        rows = [np.random.RandomState(seed_number(seed)).randn(n_latent) for seed in seeds]
        return torch.from_numpy(np.stack(rows)).float() if rows else torch.zeros(0, n_latent)


def truncate(w: Tensor, mean: Tensor, amount: float, cutoff: int | None = None) -> Tensor:
    """Draw W+ ``(batch, level, style)`` towards the mean.

    ``amount`` 1 changes nothing, 0 gives the mean; only levels below ``cutoff`` change, or all.
    """
    moved = torch.lerp(mean.to(w), w, amount)
    if cutoff is None or cutoff >= w.shape[1]:
        return moved
    return torch.cat([moved[:, :cutoff], w[:, cutoff:]], dim=1)


@torch.no_grad()
def mean_style(network: StyleGAN2, n_codes: int = 10000, seed: int = 0) -> Tensor:
    """Return the mean style of random codes, for files that were saved without."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(n_codes, network.architecture.n_latent, generator=generator)
    classes = torch.arange(n_codes) % max(network.architecture.n_classes, 1)
    return network.mapping(z, classes).mean(dim=0)


def weights_fingerprint(network: StyleGAN2) -> str:
    """Return 16 hexadecimal digits that depend on the weights only, in whatever file they came."""
    digest = hashlib.blake2b(digest_size=8)
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().float().contiguous().numpy().data)
    return digest.hexdigest()
