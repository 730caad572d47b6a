"""Bends on maps that lie as convolutions want them: features side by side, where bends are slow.

Where a layer's bends look at some features only, these alone are taken out, bent, and put back into the maps;
the rest is never touched. Otherwise all maps are laid out one after the other. Both give the same numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from audiobend.bending import Plan, check_features
from audiobend.bending.features import LayerName
from audiobend.bending.memory import fresh_like
from audiobend.bending.step import Step

LARGEST_SHARE = 0.5
"""Of a layer's features; for more it is quicker to lay out all, where the compiled loops are not for the maps."""


@dataclass(frozen=True)
class _Some:
    """A layer's bends, renumbered for the features that they look at."""

    features: Tensor
    steps: tuple[Step, ...]
    are_few: bool


class MapBends:
    """What `audiobend.networks.bent` takes in the place of a plan.

    Parameters
    ----------
    plan : Plan
    n_features : mapping from the layers whose maps may be written to, to the counts of their features
    """

    def __init__(self, plan: Plan, n_features: Mapping[LayerName, int]) -> None:
        self.plan, self.layers = plan, plan.layers
        narrowed = {layer: _narrowed(plan.steps[layer], n_features[layer]) for layer in plan.layers & set(n_features)}
        self._some = {layer: some for layer, some in narrowed.items() if some is not None}

    def apply(self, layer: LayerName, x: Tensor, *, times: Tensor | None = None, call: int = 0) -> Tensor:
        """Bend one layer's maps; those of convolutions are changed themselves."""
        some = self._some.get(layer)
        if some is None or x.requires_grad or not (some.are_few or _side_by_side(x) is not None):
            return self.plan.apply(layer, x.contiguous(), times=times, call=call)
        part = _taken(x, some.features)
        for step in some.steps:
            part = step.apply(part, times, call, owned=True)
        return _put_back(x, some.features, part)


def _taken(x: Tensor, features: Tensor) -> Tensor:
    """Return maps of chosen features, one after the other."""
    rows = _side_by_side(x)
    if rows is None:
        return x.index_select(1, features.to(x.device)).contiguous()
    from audiobend.picture_kernels import take_features  # compiled on first use only

    part = fresh_like(x[:, : len(features)])
    take_features(rows.numpy(), features.numpy(), part[0].flatten(1).numpy())
    return part


def _put_back(x: Tensor, features: Tensor, part: Tensor) -> Tensor:
    """Write maps of chosen features into ``x``, and return that."""
    rows = _side_by_side(x)
    if rows is None:
        return x.index_copy_(1, features.to(x.device), part)
    from audiobend.picture_kernels import put_features

    put_features(rows.numpy(), features.numpy(), part.contiguous()[0].flatten(1).numpy())
    return x


def _side_by_side(x: Tensor) -> Tensor | None:
    """Return one picture's maps as ``(pixel, feature)``, a view; None where they do not lie so."""
    simple = x.device.type == "cpu" and x.dtype == torch.float32 and len(x) == 1
    if not simple or x.shape[1] == 1 or not x.is_contiguous(memory_format=torch.channels_last):
        return None
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _narrowed(steps: tuple[Step, ...], n_features: int) -> _Some | None:
    """Renumber steps; None where one of them looks at all features."""
    chosen = sorted({feature for step in steps for feature in step.chosen})
    looks_around = any(step.entry.whole or step.bend.with_norm for step in steps)
    if looks_around:
        return None
    places = {feature: place for place, feature in enumerate(chosen)}
    own = [[places[feature] for feature in step.chosen] for step in steps]
    narrow = (
        replace(step, features=check_features(indices, len(chosen)), _copies={})
        for step, indices in zip(steps, own, strict=True)
    )
    return _Some(torch.tensor(chosen), tuple(narrow), len(chosen) <= LARGEST_SHARE * n_features)
