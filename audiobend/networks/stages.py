"""A network as a row of stages, and the shortest way through them for a bent and an unbent result.

Up to the first place where a plan acts, bent and unbent windows are the same and are worked out once. Where only some
columns of a window are wanted, the decoder works out what those are made of and no more, as far back as every bend
says how far it looks.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from audiobend.bending import Plan
from audiobend.bending.bend import WeightBend
from audiobend.bending.pointwise import is_pointwise
from audiobend.bending.reach import reach
from audiobend.networks.bendable import LayerName
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import DECODER, DECODER_MAPS, WINDOW, SpectrogramVAE
from audiobend.networks.subpixel import Axis

CODE = 5
"""The stage that puts out the latent code; before it the encoder's, after it the decoder's."""
N_STAGES = 11
ALL_COLUMNS = slice(0, WINDOW)
KEPT_KERNELS = 4
"""Sets of bent kernels that a backend remembers."""
TIME_AXES = {
    CODE + 1 + i: Axis(kernel[0], stride[0], padding[0]) for i, (_, kernel, stride, padding) in enumerate(DECODER)
}
"""How the decoder's stages stretch time."""


class Eye(Protocol):
    """Sees what stages put out; it keeps nothing of it and changes nothing."""

    def stage(self, stage: int, x: Tensor) -> None:
        """See what a stage put out, after what acts there; of a stage that is seen twice the last counts."""
        ...

    def change(self, stage: int, before: Tensor, after: Tensor) -> None:
        """See what bends do to what a stage put out."""
        ...


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
    eye: Eye | None = None

    def acts(self, stage: int) -> bool:
        """Return whether anything is done to what a stage puts out."""
        return self.layers[stage] in self.plan.layers or (stage == CODE and bool(self.plan.patch.latent))

    def is_pointwise(self, stage: int) -> bool:
        """Return whether all that is done there looks at one activation at a time."""
        latent = stage == CODE and bool(self.plan.patch.latent)
        return not latent and is_pointwise(self.plan.steps.get(self.layers[stage], ()))

    def reach(self, stage: int) -> int | None:
        """Return how many rows around a row matter for what is done there; None where all do."""
        return reach(self.plan.steps.get(self.layers[stage], ()))

    def first(self) -> int:
        """Return the first stage behind which something acts; `N_STAGES` where nothing does."""
        return next((stage for stage in range(N_STAGES) if self.acts(stage)), N_STAGES)

    def at(self, stage: int, x: Tensor) -> Tensor:
        """Return what a stage put out, bent, in float32; ``x`` is not changed."""
        bent = self._bent(stage, x)
        if self.eye is not None:
            self.eye.change(stage, x, bent)
        return bent

    def _bent(self, stage: int, x: Tensor) -> Tensor:
        layer = self.layers[stage]
        x = x.to(torch.float32, memory_format=torch.contiguous_format)    # bends are slow on features side by side
        if stage != CODE:
            return self.plan.apply(layer, x, times=self.times, call=self.call)
        moved = self.plan.apply_latent(x, self.axes, times=self.times)
        return self.plan.apply(layer, moved[..., None, None], times=self.times, call=self.call)[..., 0, 0]


@dataclass(frozen=True)
class Run:
    """A run through the stages ``first <= stage < last``.

    Attributes
    ----------
    rows : for each stage of the network, the rows (in time) of its maps that are wanted
        Before `CODE` always all.
    bending : what acts behind the stages of this run
    given : the rows that the maps run begins with have; None where it begins with a window or a code
    eye : what sees the stages of this run
    """

    first: int
    last: int
    rows: tuple[range, ...]
    bending: Bending | None = None
    given: range | None = None
    eye: Eye | None = None

    def see(self, stage: int, x: Tensor) -> None:
        """Let be seen what a stage put out."""
        if self.eye is not None:
            self.eye.stage(stage, x)

    def acts(self, stage: int) -> bool:
        """Return whether anything is done to what a stage puts out."""
        return self.bending is not None and self.bending.acts(stage)

    def is_pointwise(self, stage: int) -> bool:
        """Return whether all that is done there looks at one activation at a time."""
        return self.bending is None or self.bending.is_pointwise(stage)


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


def rows_wanted(columns: range, bending: Bending | None = None) -> tuple[range, ...]:
    """Return for each stage the rows to work out for a window's ``columns``; with bends, what those look at as well."""
    heights = (64, 32, 16, 8, 4, 1, *(height for height, _ in DECODER_MAPS))
    rows = [range(height) for height in heights]
    wanted = columns
    for stage in range(N_STAGES - 1, CODE, -1):
        reach = 0 if bending is None else bending.reach(stage)
        if reach is not None:
            rows[stage] = range(max(wanted.start - reach, 0), min(wanted.stop + reach, heights[stage]))
        reads = TIME_AXES[stage].reads(rows[stage])
        wanted = range(max(reads.start, 0), min(reads.stop, heights[stage - 1]))
    return tuple(rows)


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
