"""A patch's ``latent`` entries in an exported generator: what they do to W+."""

import torch
from torch import Tensor, nn

from audiobend.bending import Patch
from audiobend.bending.bend import LatentBend
from audiobend.bending.features import stable_key
from audiobend.bending.latent import ALL_AXES, NEEDS_ANOTHER
from audiobend.export.slots import Slots
from audiobend.networks.stylegan2_model import PictureModel

NUMBERS = ("amount", "factor", "sigma")


class StyleStep(nn.Module):
    """One operation: offset, scale, invert, noise, swap or interpolate, at some levels or at all.

    Attributes
    ----------
    code : Tensor of shape ``(1, latent)``
        Of the seed that it takes a style of; zeros where it takes none.
    """

    direction: Tensor
    drawn: Tensor
    levels: Tensor

    def __init__(self, one: LatentBend, model: PictureModel, seed: int, slot: int) -> None:
        super().__init__()
        sizes = model.network.architecture
        self.op, self.slot = one.op, slot
        axis = int(one.params.get("axis", ALL_AXES))
        self.whole = axis == ALL_AXES
        self.replace = bool(one.params.get("replace", 0))
        direction = torch.zeros(sizes.n_style) if self.whole else model.latent_axes[axis].clone()
        drawn = torch.zeros(0)
        if one.op == "noise":
            drawn = torch.randn(sizes.n_levels, sizes.n_style, generator=torch.Generator().manual_seed(seed))
        takes_another = one.op in NEEDS_ANOTHER
        self.code = model.codes([int(one.params["seed"])]) if takes_another else torch.zeros(1, sizes.n_latent)
        chosen = range(sizes.n_levels) if one.levels is None else one.levels
        levels = torch.zeros(sizes.n_levels, 1, dtype=torch.bool)
        levels[list(chosen)] = True
        for name, value in (("direction", direction), ("drawn", drawn), ("levels", levels)):
            self.register_buffer(name, value)

    def forward(self, w: Tensor, other: Tensor, values: list[float]) -> Tensor:
        """Return styles ``(batch, level, style)``; ``other`` is the one of `code`."""
        return torch.where(self.levels, self.changed(w, other, values), w)

    @torch.jit.export
    def changed(self, w: Tensor, other: Tensor, values: list[float]) -> Tensor:
        """Return styles changed at all levels."""
        number = values[self.slot] if self.slot >= 0 else -1.0    # inverting is stretching by -1
        if self.op == "swap":
            return other.expand_as(w)
        if self.op == "interpolate":
            return torch.lerp(w, other.expand_as(w), number)
        if self.op == "offset":
            return w + number * self.direction
        if self.op == "noise":
            noise = self.drawn * number
            return noise.expand_as(w) if self.replace else w + noise
        if self.whole:
            return w * number
        along = (w * self.direction).sum(-1, keepdim=True) / self.direction.square().sum()
        return w + (number - 1) * along * self.direction


def style_steps(model: PictureModel, patch: Patch, slots: Slots) -> list[StyleStep]:
    """Return the operations of a patch; their numbers get places."""
    return [_step(model, patch, index, one, slots) for index, one in enumerate(patch.latent)]


def _step(model: PictureModel, patch: Patch, index: int, one: LatentBend, slots: Slots) -> StyleStep:
    slot = -1
    name = next((name for name in NUMBERS if name in one.params), None)
    if name is not None:
        target = f"latent/{one.params.get('axis', index)}/{one.op}"
        slot = slots.add(target if target not in slots.where else f"{target}-{index}", float(one.params[name]))
    return StyleStep(one, model, stable_key(patch.seed, "latent", index) >> 32, slot)
