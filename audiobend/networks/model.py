"""A network together with everything that belongs to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from audiobend.bending.clusters import Clusters
from audiobend.bending.patch import Patch
from audiobend.bending.plan import Plan, resolve
from audiobend.networks.spectrogram_vae import SpectrogramVAE
from audiobend.spectral.codec import SpectrogramCodec


@dataclass(frozen=True)
class Model:
    """A network ready to be bent.

    Attributes
    ----------
    network : SpectrogramVAE
        In evaluation mode, batch norm folded.
    latent_axes : Tensor of shape ``(axis, latent)``
        Principal axes of the latent code over the training music, most audible first, each as long as one standard
        deviation; a latent bend along axis 0 by 1.0 is one standard deviation.
    fingerprint : str
        Of the weights; clusters carry it, so that another model's are refused.
    card : mapping
        The bundle's ``model.yaml``.
    """

    name: str
    network: SpectrogramVAE
    codec: SpectrogramCodec
    fingerprint: str
    latent_axes: Tensor
    clusters: Clusters | None = None
    card: Mapping[str, Any] = field(default_factory=dict)

    def resolve(self, patch: Patch) -> Plan:
        """Fit a patch to this model: draw its random features, look up its clusters, check every value."""
        return resolve(patch, self.network.layers(), self.clusters)
