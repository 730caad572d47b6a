"""Listen to the activation maps of any network while inputs run through it; nothing is kept but what is asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.errors import ClusteringError
from audiobend.networks.bendable import Bendable, LayerName, bent

Progress = Callable[[float], None]
"""Takes the share done, 0..1."""
Stage = Callable[[str], Progress]
"""Takes what is done next, in words, and gives what takes the share done of it."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread for the length of a ``with`` block: sums in another order would be other bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Network(Bendable, Protocol):
    """A network that can be bent, and called with one batch of inputs."""

    def __call__(self, x: Tensor) -> Any:
        """Run a batch through every layer."""
        ...


class Inputs(Protocol):
    """Where a network's inputs come from: windows of sound, latent codes.. The same ones each time."""

    def __len__(self) -> int:
        """Samples in all batches together."""
        ...

    def __iter__(self) -> Iterator[Tensor]:
        """Go through the batches ``(batch, ...)``, as the network takes them."""
        ...


class Listener(Protocol):
    """What wants to hear one layer."""

    def add(self, x: Tensor) -> None:
        """Take in a batch of activation maps ``(batch, feature, height, width)``; never change it."""
        ...


class _Ears:
    """A plan that bends nothing and shows everything."""

    def __init__(self, listeners: Mapping[LayerName, Sequence[Listener]]) -> None:
        self.listeners = listeners
        self.layers = tuple(listeners)

    def apply(self, layer: LayerName, x: Tensor, *, times: Tensor | None = None, call: int = 0) -> Tensor:
        for listener in self.listeners[layer]:
            listener.add(x)
        return x


@torch.inference_mode()
def listen(
    network: Network,
    inputs: Inputs,
    listeners: Mapping[LayerName, Sequence[Listener]],
    on_progress: Progress = lambda _: None,
) -> None:
    """Run all inputs through a network in evaluation mode and show each layer's maps to its listeners.

    Parameters
    ----------
    network : Network
    inputs : Inputs
    listeners : mapping from layer name to listeners
    on_progress : callable
        Takes the share done, 0..1.
    """
    done = 0
    with bent(network, _Ears(listeners)):
        for batch in inputs:
            network(batch)
            done += len(batch)
            on_progress(done / len(inputs))


class MeanMaps:
    """The mean of one layer's maps and of their absolute values, and whether they ever change.

    Attributes
    ----------
    mean, mean_abs : Tensor of shape ``(feature, height, width)``
    varies : Tensor of bool, shape ``(feature,)``
        False where every value of every map was the same.
    """

    def __init__(self) -> None:
        self._n = 0
        self._sum = self._sum_abs = self._low = self._high = torch.zeros(())

    def add(self, x: Tensor) -> None:
        """Take in a batch of maps."""
        x = x.float()
        low, high = x.amin((0, 2, 3)), x.amax((0, 2, 3))
        self._low = torch.minimum(self._low, low) if self._n else low
        self._high = torch.maximum(self._high, high) if self._n else high
        self._sum = self._sum + x.sum(0)
        self._sum_abs = self._sum_abs + x.abs().sum(0)
        self._n += len(x)

    @property
    def mean(self) -> Tensor:
        return self._sum / max(self._n, 1)

    @property
    def mean_abs(self) -> Tensor:
        return self._sum_abs / max(self._n, 1)

    @property
    def varies(self) -> Tensor:
        return self._high > self._low


def check_alive(means: Mapping[LayerName, MeanMaps]) -> None:
    """Refuse a layer of which no map ever changed."""
    for layer, mean in means.items():
        if not bool(mean.varies.any()):
            raise ClusteringError(f"layer {layer}: no map ever changes, so there is nothing to tell its features by")


class Series:
    """How active each feature of one layer is over time, or over samples where maps have no time axis.

    Parameters
    ----------
    over_time : bool
        Whether the maps' height is time; else every sample is one number.
    """

    def __init__(self, over_time: bool) -> None:
        self._over_time = over_time
        self._parts: list[NDArray[np.float32]] = []

    def add(self, x: Tensor) -> None:
        """Take in a batch of maps."""
        activity = x.float().mean(3) if self._over_time else x.float().mean((2, 3))[..., None]
        self._parts.append(activity.transpose(0, 1).flatten(1).numpy().copy())

    @property
    def values(self) -> NDArray[np.float32]:
        """Activity ``(feature, time)``."""
        return np.concatenate(self._parts, axis=1)
