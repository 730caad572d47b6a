"""What a network must offer so that it can be bent, and the call sites that bend it.

Any ``torch.nn.Module`` whose layers are submodules can be bent: it lists them as `LayerSpec`, and `bent` puts one
call site behind each. A plan is swapped behind the call sites while the network stays as it is; leaving the ``with``
block takes the call sites away and the network is the old one, bit for bit.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from torch import Tensor, nn

LayerName = int | str
ModuleT = TypeVar("ModuleT", bound=nn.Module)


@dataclass(frozen=True)
class LayerSpec:
    """One place where bends act.

    Attributes
    ----------
    name : int or str
        As in the paper: decoder 1..5, encoder ``"e1"``.. ``"e5"``, the latent ``"z"``.
    module : str
        Dotted path of the submodule whose output is the activation map.
    n_features, height, width : int > 0
        Shape of its activation maps ``(batch, feature, height, width)``.
    axes : (str, str)
        What height and width mean: ``("time", "frequency")`` for sound, ``("y", "x")`` for pictures.
    """

    name: LayerName
    module: str
    n_features: int
    height: int
    width: int
    axes: tuple[str, str] = ("time", "frequency")


class Bendable(Protocol):
    """A network that names its layers."""

    def layers(self) -> tuple[LayerSpec, ...]:
        """Every layer that can be bent, in the order in which data runs through them."""
        ...

    def get_submodule(self, target: str) -> nn.Module:
        """Return the submodule at a dotted path (every ``nn.Module`` can)."""
        ...


class Bends(Protocol):
    """What `bent` needs of a plan."""

    @property
    def layers(self) -> Any:
        """Names of the layers that have an active bend."""
        ...

    def apply(self, layer: LayerName, x: Tensor, *, times: Tensor | None = None, call: int = 0) -> Tensor:
        """Bend one layer's activation maps."""
        ...


class CallSites:
    """The places in a network where a plan acts; hand in another plan at any time."""

    def __init__(self) -> None:
        self.plan: Bends | None = None
        self.times: Tensor | None = None
        self.call = 0

    def bend(self, layer: LayerName, x: Tensor) -> Tensor:
        """Return ``x`` bent by the plan, or ``x`` itself where nothing is to be done."""
        if self.plan is None or layer not in self.plan.layers:
            return x
        if x.dim() == 4:
            return self.plan.apply(layer, x, times=self.times, call=self.call)
        return self.plan.apply(layer, x[..., None, None], times=self.times, call=self.call)[..., 0, 0]


@contextmanager
def bent(
    network: Bendable, plan: Bends | None = None, times: Tensor | None = None, call: int = 0
) -> Iterator[CallSites]:
    """Bend a network for the length of a ``with`` block.

    Parameters
    ----------
    network : Bendable
    plan : Plan or None
        What `audiobend.bending.resolve` returned; may be replaced inside the block through ``sites.plan``.
    times : Tensor of shape ``(batch,)`` or None
        Seconds at the centre of each batch item, for modulation.
    call : int
        The number of this call, for noise that is fresh every time.

    Examples
    --------
    >>> import torch
    >>> from audiobend.networks import SpectrogramVAE
    >>> vae = SpectrogramVAE(width=0.0625).eval()
    >>> with bent(vae) as sites, torch.no_grad():
    ...     sites.plan is None
    True
    """
    sites = CallSites()
    sites.plan, sites.times, sites.call = plan, times, call
    handles = [_put_in(network.get_submodule(layer.module), layer.name, sites) for layer in network.layers()]
    try:
        yield sites
    finally:
        for handle in handles:
            handle.remove()


def _put_in(module: nn.Module, layer: LayerName, sites: CallSites) -> Any:
    def hook(_module: nn.Module, _args: object, output: Tensor) -> Tensor | None:
        result = sites.bend(layer, output)
        return None if result is output else result

    return module.register_forward_hook(hook)


def shell_of(network: ModuleT) -> ModuleT:
    """Return a network that shares every number with this one, and none of its call sites.

    Two performances of one model then bend side by side without meeting.
    """
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    return copy.deepcopy(network, shared)
