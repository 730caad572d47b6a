"""A network as a row of stages, and the shortest way through them for a bent and an unbent result.

Up to the first place where a plan acts, bent and unbent windows are the same and are worked out once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from audiobend.bending import Plan
from audiobend.bending.bend import WeightBend
from audiobend.networks.bendable import LayerName
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import SpectrogramVAE

CODE = 5
"""The stage that puts out the latent code; before it the encoder's, after it the decoder's."""
N_STAGES = 11
KEPT_KERNELS = 4
"""Sets of bent kernels that a backend remembers."""


@dataclass(frozen=True)
class Bending:
    """What acts behind each stage.

    Attributes
    ----------
    layers : names of the layers, one for each stage
    axes : Tensor of shape ``(axis, latent)``
    times, call : as `audiobend.networks.backends.Backend.reconstruct` takes them
    """

    plan: Plan
    layers: tuple[LayerName, ...]
    axes: Tensor
    times: Tensor | None = None
    call: int = 0

    def acts(self, stage: int) -> bool:
        """Return whether anything is done to what a stage puts out."""
        return self.layers[stage] in self.plan.layers or (stage == CODE and bool(self.plan.patch.latent))

    def first(self) -> int:
        """Return the first stage behind which something acts; `N_STAGES` where nothing does."""
        return next((stage for stage in range(N_STAGES) if self.acts(stage)), N_STAGES)

    def at(self, stage: int, x: Tensor) -> Tensor:
        """Return what a stage put out, bent; ``x`` is not changed."""
        layer = self.layers[stage]
        if stage != CODE:
            return self.plan.apply(layer, x, times=self.times, call=self.call)
        moved = self.plan.apply_latent(x, self.axes, times=self.times)
        return self.plan.apply(layer, moved[..., None, None], times=self.times, call=self.call)[..., 0, 0]


class Machine(Protocol):
    """Runs the stages of one network."""

    def run(self, x: Tensor, first: int, last: int, bending: Bending | None = None) -> Tensor:
        """Run the stages ``first <= stage < last``, each followed by what acts there; float32 in and out."""
        ...

    def prepare(self, first: int, last: int, bending: Bending | None = None) -> None:
        """Do what is slow about such a run ahead of time."""
        ...


class StagedBackend:
    """A backend made of a machine for each set of kernels.

    Parameters
    ----------
    name : str
    model : Model
    build : function from a network to its machine
    """

    def __init__(self, name: str, model: Model, build: Callable[[SpectrogramVAE], Machine]) -> None:
        self.name = name
        self._model, self._build = model, build
        self._layers = tuple(layer.name for layer in model.network.layers())
        self._plain = build(model.network)
        # Replaced as a whole, never changed: another thread may be reading it.
        self._bent: tuple[tuple[tuple[WeightBend, ...], Machine], ...] = ()

    def prepare(self, plan: Plan) -> None:
        """See `audiobend.networks.backends.Backend`."""
        bending = Bending(plan, self._layers, self._model.latent_axes)
        machine, split, _ = self._way(bending)
        self._plain.prepare(0, split)
        self._plain.prepare(split, N_STAGES)
        machine.prepare(split, N_STAGES, bending)

    @torch.no_grad()
    def reconstruct(self, x: Tensor, plan: Plan, times: Tensor | None = None, call: int = 0) -> tuple[Tensor, Tensor]:
        """See `audiobend.networks.backends.Backend`."""
        bending = Bending(plan, self._layers, self._model.latent_axes, times, call)
        machine, split, begins_with_bend = self._way(bending)
        shared = self._plain.run(x, 0, split)
        unbent = self._plain.run(shared, split, N_STAGES)
        if machine is self._plain and not begins_with_bend:
            return unbent, unbent
        bent = bending.at(split - 1, shared) if begins_with_bend else shared
        return machine.run(bent, split, N_STAGES, bending), unbent

    def _way(self, bending: Bending) -> tuple[Machine, int, bool]:
        """Return the machine with bent kernels, how many stages are shared, and whether a bend follows on them."""
        weights = bending.plan.patch.weights
        kernel = min((self._layers.index(one.layer) for one in weights), default=N_STAGES)
        bend = bending.first()
        machine = self._machine(weights, bending) if weights else self._plain
        return machine, min(kernel, bend + 1, N_STAGES), bend < kernel

    def _machine(self, weights: tuple[WeightBend, ...], bending: Bending) -> Machine:
        for known, machine in self._bent:
            if known == weights:
                return machine
        machine = self._build(self._model.bent_network(bending.plan.patch))
        self._bent = ((weights, machine), *self._bent[: KEPT_KERNELS - 1])
        return machine
