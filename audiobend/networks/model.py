"""A network together with everything that belongs to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from audiobend.bending import Clusters, Patch, Plan, resolve
from audiobend.bending.weights import bend_weight
from audiobend.errors import AudiobendError, PatchError, did_you_mean
from audiobend.networks.bendable import LayerName, ModuleT, shell_of
from audiobend.networks.spectrogram_vae import SpectrogramVAE
from audiobend.spectral.codec import SpectrogramCodec


@dataclass(frozen=True)
class Model:
    """A network ready to be bent.

    Attributes
    ----------
    source : str
        Name or folder from which it can be loaded again.
    network : SpectrogramVAE
        In evaluation mode, batch norm folded.
    clusters_from : str or None
        What `load_model` takes as ``clusters`` to load these again; None where they are the bundle's own.
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
    source: str = ""
    clusters_from: str | None = None

    def resolve(self, patch: Patch) -> Plan:
        """Fit a patch to this model: draw its random features, look up its clusters, check every value."""
        plan = resolve(patch, self.network.layers(), self.clusters, axes=self.latent_axes)
        self.bent_kernels(patch)
        return plan

    def bent_network(self, patch: Patch) -> SpectrogramVAE:
        """Return a network to put bends into: a shell of this one, with the patch's kernels bent."""
        return with_kernels(self.network, self.bent_kernels(patch))

    def bent_kernels(self, patch: Patch) -> dict[str, Tensor]:
        """Return the kernels that the patch's ``weights`` entries change, bent, by parameter name."""
        names = {layer.name: f"{layer.module}.0.weight" for layer in self.network.layers() if layer.name != "z"}
        return bent_kernels(self.network, names, patch)


def bent_kernels(network: nn.Module, names: Mapping[LayerName, str], patch: Patch) -> dict[str, Tensor]:
    """Return the kernels that a patch's ``weights`` entries change, bent, by parameter name.

    ``names`` says for each layer which parameter holds its kernels; `PatchError` for a layer that has none.
    """
    bent: dict[str, Tensor] = {}
    for index, entry in enumerate(patch.weights):
        try:
            if entry.layer not in names:
                raise PatchError(f"layer {entry.layer} has no kernels{did_you_mean(entry.layer, names)}")
            name = names[entry.layer]
            bent[name] = bend_weight(entry.op, bent.get(name, network.get_parameter(name)), entry.params)
        except AudiobendError as error:
            raise PatchError(f"weights[{index}]: {error}") from None
    return bent


def with_kernels(network: ModuleT, kernels: Mapping[str, Tensor]) -> ModuleT:
    """Return a shell of a network with other kernels, by parameter name; the network stays as it is."""
    shell = shell_of(network)
    for name, kernel in kernels.items():
        path, _, attribute = name.rpartition(".")
        setattr(shell.get_submodule(path), attribute, nn.Parameter(kernel, requires_grad=False))
    return shell
