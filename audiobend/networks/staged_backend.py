"""The shortest way through a network's stages for a bent and an unbent result.

Up to the first place where a plan acts, bent and unbent windows are the same and are worked out once.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from audiobend.bending import Plan
from audiobend.bending.bend import WeightBend
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import WINDOW, SpectrogramVAE
from audiobend.networks.stages import ALL_COLUMNS, CODE, N_STAGES, Bending, Eye, Run, rows_wanted

KEPT_KERNELS = 4
"""Sets of bent kernels that a backend remembers."""


class Machine(Protocol):
    """Runs the stages of one network."""

    def run(self, x: Tensor, run: Run) -> Tensor:
        """Run stages, each followed by what acts there; float32 in and out.

        The result may lie in memory that the next such run writes to.
        """
        ...

    def prepare(self, run: Run) -> None:
        """Do what is slow about a run ahead of time."""
        ...


class StagedBackend:
    """A backend made of a machine for each set of kernels.

    Parameters
    ----------
    name : str
    model : Model
    build : function from a network to its machine

    Attributes
    ----------
    eye : Eye or None
        Sees what stages put out: all of them where torch runs them, those behind which a graph ends with OpenVINO.
    """

    def __init__(self, name: str, model: Model, build: Callable[[SpectrogramVAE], Machine]) -> None:
        self.name = name
        self._model, self._build = model, build
        self._layers = tuple(layer.name for layer in model.network.layers())
        self._plain = build(model.network)
        # Replaced as a whole, never changed: another thread may be reading it.
        self._bent: tuple[tuple[tuple[WeightBend, ...], Machine], ...] = ()
        self.eye: Eye | None = None

    def prepare(self, plan: Plan, columns: slice = ALL_COLUMNS) -> None:
        """See `audiobend.networks.backends.Backend`."""
        way = self._way(Bending(plan, self._layers, self._model.latent_axes), columns)
        self._plain.prepare(way.shared)
        self._plain.prepare(way.unbent)
        way.machine.prepare(way.bent)

    @torch.no_grad()
    def reconstruct(
        self,
        x: Tensor,
        plan: Plan,
        times: Tensor | None = None,
        call: int = 0,
        columns: slice = ALL_COLUMNS,
    ) -> tuple[Tensor, Tensor]:
        """See `audiobend.networks.backends.Backend`."""
        bending = Bending(plan, self._layers, self._model.latent_axes, times, call, self.eye)
        way = self._way(bending, columns)
        if self.eye is not None:
            way = way.seen_by(self.eye)
        shared = self._plain.run(x, way.shared)
        unbent = way.cut(self._plain.run(shared, way.unbent), way.unbent)
        if way.machine is self._plain and not way.bend_follows:
            return unbent, unbent
        begun = bending.at(way.shared.last - 1, shared) if way.bend_follows else shared
        way.bent.see(way.shared.last - 1, begun)
        return way.cut(way.machine.run(begun, way.bent), way.bent), unbent

    def _way(self, bending: Bending, columns: slice) -> "_Way":
        weights = bending.plan.patch.weights
        kernel = min((self._layers.index(one.layer) for one in weights), default=N_STAGES)
        bend = bending.first()
        split = min(kernel, bend + 1, N_STAGES)
        wanted = range(*columns.indices(WINDOW))
        rows = rows_wanted(wanted, bending)
        given = rows[split - 1] if split > CODE + 1 else None
        return _Way(
            wanted,
            Run(0, split, rows),
            Run(split, N_STAGES, rows_wanted(wanted), given=given),
            Run(split, N_STAGES, rows, bending, given),
            self._machine(weights, bending) if weights else self._plain,
            bend < kernel,
        )

    def _machine(self, weights: tuple[WeightBend, ...], bending: Bending) -> Machine:
        for known, machine in self._bent:
            if known == weights:
                return machine
        machine = self._build(self._model.bent_network(bending.plan.patch))
        self._bent = ((weights, machine), *self._bent[: KEPT_KERNELS - 1])
        return machine


@dataclass(frozen=True)
class _Way:
    """Stages that bent and unbent windows share, and what follows for each.

    ``bend_follows`` says whether the first bend acts on what is shared (or the first bent kernel reads it).
    """

    wanted: range
    shared: Run
    unbent: Run
    bent: Run
    machine: Machine
    bend_follows: bool

    def seen_by(self, eye: Eye) -> "_Way":
        """Return the same way with an eye on all that is heard; the bent run comes last, and takes the place."""
        shared, unbent, bent = (replace(run, eye=eye) for run in (self.shared, self.unbent, self.bent))
        return replace(self, shared=shared, unbent=unbent, bent=bent)

    def cut(self, x: Tensor, run: Run) -> Tensor:
        """Return a copy of the wanted rows; a run without stages put out what it was given."""
        rows = run.rows[-1] if run.last > run.first or run.given is None else run.given
        first = self.wanted.start - rows.start
        return x[:, :, first : first + len(self.wanted)].clone()
