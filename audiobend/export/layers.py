"""What acts behind one stage of an exported network: bends in their order, and operations on the latent code."""

import torch
from torch import Tensor, nn

from audiobend.bending.bend import LatentBend
from audiobend.bending.step import Step
from audiobend.export.bends import Bender, Place, bender_for
from audiobend.export.bends.statistical import instance_norm
from audiobend.export.slots import Slots


class ExportedStep(nn.Module):
    """One bend: its features, whether it is on, and how much of it is mixed in."""

    slots: list[int]
    features: Tensor

    def __init__(self, place: Place, slots: Slots) -> None:
        super().__init__()
        step = place.step
        id = step.bend.id
        self.bender: Bender = bender_for(place)
        self.everything = len(step.chosen) == place.n_features
        self.with_norm = step.bend.with_norm
        self.slots = [slots[f"{id}/{param.name}"] for param in step.entry.params]
        self.on, self.mix = slots[f"{id}/on"], slots[f"{id}/mix"]
        self.register_buffer("features", place.features)

    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Return how many rows around a row matter; -1 for all."""
        if values[self.on] == 0 or values[self.mix] == 0:
            return 0
        return -1 if self.with_norm else self.bender.reach([values[slot] for slot in self.slots])

    def forward(self, x: Tensor, values: list[float], call: int) -> Tensor:
        """Return the maps ``(batch, feature, height, width)`` bent; ``x`` is not changed."""
        mix = values[self.mix] if values[self.on] != 0 else 0.0
        if mix == 0:
            return x
        part = x if self.everything else x.index_select(1, self.features)
        bent: Tensor = self.bender(x, part, [values[slot] for slot in self.slots], call)
        if mix != 1:
            bent = torch.sub(bent, part).mul_(mix).add_(part)
        out = bent if self.everything else x.index_copy(1, self.features, bent)
        return instance_norm(out) if self.with_norm else out


class LayerBends(nn.Module):
    """All bends of one layer."""

    def __init__(self, places: list[Place], slots: Slots) -> None:
        super().__init__()
        self.steps = nn.ModuleList(ExportedStep(place, slots) for place in places)

    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Return how many rows around a row matter to all of them together; -1 for all rows."""
        total = 0
        for step in self.steps:
            one: int = step.reach(values)    # type: ignore[operator]
            total = -1 if total < 0 or one < 0 else total + one
        return total

    def forward(self, x: Tensor, values: list[float], call: int) -> Tensor:
        """Return the maps bent by one after the other."""
        for step in self.steps:
            x = step(x, values, call)
        return x


class LatentStep(nn.Module):
    """One operation on the latent code: offset, scale, invert or noise."""

    direction: Tensor
    drawn: Tensor

    def __init__(self, one: LatentBend, axes: Tensor, seed: int, slot: int) -> None:
        super().__init__()
        self.op, self.slot = one.op, slot
        axis = int(one.params.get("axis", 0))
        self.whole = axis < 0
        self.replace = bool(one.params.get("replace", 0))
        self.register_buffer("direction", axes[max(axis, 0)].clone())
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("drawn", torch.randn(axes.shape[1:], generator=generator))

    def forward(self, z: Tensor, values: list[float]) -> Tensor:
        """Return codes ``(batch, latent)``."""
        amount = values[self.slot] if self.slot >= 0 else -1.0    # inverting is stretching by -1
        if self.op == "offset":
            return z + amount * self.direction
        if self.op == "noise":
            noise = self.drawn * amount
            return noise.expand_as(z).clone() if self.replace else z + noise
        if self.whole:
            return z * amount
        along = (z * self.direction).sum(-1, keepdim=True) / self.direction.square().sum()
        return z + (amount - 1) * along * self.direction


class LatentBends(nn.Module):
    """All operations on the latent code."""

    def __init__(self, steps: list[LatentStep]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)

    def forward(self, z: Tensor, values: list[float]) -> Tensor:
        """Return codes ``(batch, latent)`` after one after the other."""
        for step in self.steps:
            z = step(z, values)
        return z


def places_of(steps: tuple[Step, ...], n_features: int, height: int, width: int) -> list[Place]:
    """Return the places of a layer's resolved steps."""
    return [Place(step, n_features, height, width) for step in steps]
