"""A patch resolved for one network: checked, drawn, and ready to be applied without asking anything again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from audiobend.bending.features import Indices, LayerName, Random, stable_key
from audiobend.bending.latent import Another
from audiobend.bending.modulation import Level, Moving
from audiobend.bending.patch import Patch
from audiobend.bending.step import Step, bend_latent
from audiobend.errors import AudiobendError, PatchError


@dataclass(frozen=True)
class Plan:
    """What is to be done at each layer; made by `resolve`, never changed.

    Attributes
    ----------
    patch : Patch
        What was resolved.
    steps : mapping from layer name to its active bends, in order
    """

    patch: Patch
    steps: Mapping[LayerName, tuple[Step, ...]]
    _moves: Mapping[str, Moving] = field(default_factory=dict)
    _chosen: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """True where no layer and no latent code would be bent."""
        return not self.steps and not self.patch.latent

    @property
    def layers(self) -> frozenset[LayerName]:
        """Names of the layers with active bends."""
        return frozenset(self.steps)

    @property
    def follows(self) -> bool:
        """True where something moves with the level of the input; see `hearing`."""
        return any(one.follows for one in self._moves.values())

    def hearing(self, level: Level) -> "Plan":
        """Return the plan with the input's level for what follows it; without, that stays where silence leaves it."""
        moves = {target: replace(one, level=level) if one.follows else one for target, one in self._moves.items()}
        steps = {layer: tuple(one.hearing(level) for one in of_layer) for layer, of_layer in self.steps.items()}
        return replace(self, steps=steps, _moves=moves)

    def apply(self, layer: LayerName, x: Tensor, *, times: Tensor | None = None, call: int = 0) -> Tensor:
        """Bend one layer's activation maps.

        Parameters
        ----------
        layer : int or str
        x : Tensor of shape ``(batch, feature, height, width)``
            Never changed. Codes come as ``(batch, dim, 1, 1)``.
        times : Tensor of shape ``(batch,)`` or None
            Seconds at the centre of each item, for modulation; None leaves every parameter at its base.
        call : int
            The number of this call, for noise that is fresh every time.

        Returns
        -------
        Tensor of the same shape; ``x`` itself where the layer has no active bend.
        """
        out = x
        for step in self.steps.get(layer, ()):
            out = step.apply(out, times, call, owned=out is not x)
        return out

    def apply_latent(
        self,
        z: Tensor,
        basis: Tensor | None = None,
        *,
        times: Tensor | None = None,
        another: Another | None = None,
    ) -> Tensor:
        """Return codes ``(batch, dim)`` after the patch's ``latent`` operations.

        Parameters
        ----------
        z : Tensor of shape ``(batch, dim)``, or ``(batch, level, dim)`` for W
            Never changed.
        basis : Tensor of shape ``(axis, dim)`` or None
            Principal axes, most audible first; None takes the numbers of the code themselves as axes.
        times : Tensor of shape ``(batch,)`` or None
            As in `apply`.
        another : function from a seed to its code, or None
            What `swap` and `interpolate` take; None for networks that draw no codes.

        Returns
        -------
        Tensor of the same shape; ``z`` itself where the patch has no such operation.
        """
        for index, one in enumerate(self.patch.latent):
            moving = self._moves.get(f"latent/{one.params.get('axis')}/{one.op}")
            seed = stable_key(self.patch.seed, "latent", index) >> 32
            try:
                z = bend_latent(one, z, basis, seed, moving, times, another)
            except AudiobendError as error:
                raise PatchError(f"latent[{index}]: {error}") from None
        return z

    def features_of(self, id: str) -> tuple[int, ...]:
        """Return the features that a bend acts on, sorted; also of a bend that is switched off."""
        self.patch.bend(id)
        return self._chosen.get(id, ())

    def value(self, target: str, times: Tensor | None = None) -> float | bool | Tensor:
        """Return a target's value: a number, or float32 ``(batch,)`` where it moves at given ``times``."""
        base = self.patch.get(target)
        moving = self._moves.get(target)
        if moving is None or times is None:
            return base    # type: ignore[no-any-return]
        return moving.at(float(base), times).to(times.device, torch.float32)

    def drawn(self) -> Patch:
        """Return the patch with `Random` replaced by the drawn `Indices`, to save it as it sounded."""
        bends = [
            replace(bend, features=Indices(self._chosen[bend.id]))
            if isinstance(bend.features, Random) and bend.id in self._chosen
            else bend
            for bend in self.patch.bends
        ]
        return self.patch.replace(bends=tuple(bends))
