"""A network as a row of stages: what acts behind each, and which rows of its maps are wanted.

Where only some columns of a window are wanted, the decoder works out what those are made of and no more, as far back
as every bend says how far it looks.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from audiobend.bending import Plan
from audiobend.bending.pointwise import is_pointwise
from audiobend.bending.reach import reach
from audiobend.networks.bendable import LayerName
from audiobend.networks.spectrogram_vae import DECODER, DECODER_MAPS, WINDOW
from audiobend.networks.subpixel import Axis

CODE = 5
"""The stage that puts out the latent code; before it the encoder's, after it the decoder's."""
N_STAGES = 11
ALL_COLUMNS = slice(0, WINDOW)
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
