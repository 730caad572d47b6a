"""One step of a plan: a bend, or an operation on the latent code, with nothing left to look up."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from audiobend.bending.apply import FeatureIndex, apply_checked
from audiobend.bending.bend import Bend, LatentBend
from audiobend.bending.features import LayerName
from audiobend.bending.latent import Another, apply_latent
from audiobend.bending.modulation import Level, Moving
from audiobend.bending.statistical import instance_norm
from audiobend.bending.transform import Transform, Value


@dataclass(frozen=True)
class Step:
    """One active bend with everything that `apply_checked` takes, and the parameters that move."""

    bend: Bend
    layer: LayerName
    entry: Transform
    values: Mapping[str, Value]
    chosen: tuple[int, ...]
    features: FeatureIndex
    seed: int
    moving: Mapping[str, Moving]
    _copies: dict[torch.device, Tensor] = field(default_factory=dict)

    def hearing(self, level: Level) -> "Step":
        """Return the step with the input's level for what follows it."""
        if not any(one.follows for one in self.moving.values()):
            return self
        moving = {name: replace(one, level=level) if one.follows else one for name, one in self.moving.items()}
        return replace(self, moving=moving)

    def apply(self, x: Tensor, times: Tensor | None, call: int, *, owned: bool) -> Tensor:
        """Return ``x`` bent; ``x`` itself is written to only where it is ``owned``."""
        values, mix = self.at(times)
        features = self._features_on(x.device)
        # Maps that are replaced as a whole need no copy back into the old place.
        inplace = owned and (features is not None or self.entry.elementwise)
        out = apply_checked(
            self.entry, x, values, features=features, mix=mix, seed=self.seed, call=call, inplace=inplace
        )
        return instance_norm(out) if self.bend.with_norm else out

    def at(self, times: Tensor | None) -> tuple[Mapping[str, Value], Value]:
        """Return parameter values and mix: one number each, or one for each of ``times``."""
        if times is None or not self.moving:
            return self.values, self.bend.mix
        moved: dict[str, Value] = {**self.values, "mix": self.bend.mix}
        for name, moving in self.moving.items():
            moved[name] = moving.values(moved[name], times)    # type: ignore[arg-type]
        mix = moved.pop("mix")
        return moved, mix

    def _features_on(self, device: torch.device) -> FeatureIndex:
        if not isinstance(self.features, Tensor) or self.features.device == device:
            return self.features
        if device not in self._copies:
            self._copies[device] = self.features.to(device)
        return self._copies[device]


def bend_latent(
    one: LatentBend,
    z: Tensor,
    basis: Tensor | None,
    seed: int,
    moving: Moving | None,
    times: Tensor | None,
    another: Another | None = None,
) -> Tensor:
    """Do one operation; one item after the other where its number moves."""
    if moving is None or times is None:
        return apply_latent(one.op, z, one.params, basis=basis, levels=one.levels, seed=seed, another=another)
    name = moving.param.name
    values = moving.values(one.params.get(name, moving.param.default), times)
    items = [
        apply_latent(
            one.op, item[None], {**one.params, name: value}, basis=basis, levels=one.levels, seed=seed
        )
        for item, value in zip(z, values, strict=True)
    ]
    return torch.cat(items)
