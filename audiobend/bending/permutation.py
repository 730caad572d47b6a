"""Permutation: features take the place of others (Zheng 2022).

Only the selected features change; the others are read. All draws are decided by the seed.
"""

import torch
from torch import Tensor

from audiobend.bending.features import fixed_permutation
from audiobend.bending.transform import Param, transform


@transform("shuffle", seeded=True)
def shuffle(x: Tensor, features: Tensor, *, seed: int, call: int, other: Tensor | None) -> Tensor:
    """Exchange the selected features among themselves, in an order drawn by the seed."""
    order = fixed_permutation(features.numel(), seed).to(x.device)
    return x.index_select(1, features[order])


@transform("vanish", whole=True)
def vanish(x: Tensor, features: Tensor, *, other: Tensor | None) -> Tensor:
    """Overwrite the selected features by the others, one after the other; with no others left, by silence.

    Feature ``i`` takes the ``i``-th of a list in which each of the ``n`` others stands ``features // n``
    times in a row, begun again to fill up.
    """
    rest = _rest(x, features)
    if rest.numel() == 0:
        return torch.zeros_like(x)
    times = x.shape[1] // rest.numel()
    line = torch.cat([rest.repeat_interleave(times), rest[: x.shape[1] - times * rest.numel()]])
    return x.index_select(1, line[features])


@transform("swap", seeded=True)
def swap(x: Tensor, features: Tensor, *, seed: int, call: int, other: Tensor | None) -> Tensor:
    """Put a partner in the place of each selected feature.

    The partner is the same feature of the second maps ``other``, if they are given; else one of the features
    that are not selected, drawn by the seed, each before any comes twice; and if all are selected, they
    change places in pairs.
    """
    return _partners(x, features, seed, other)


@transform("blend", Param("amount", 0, 1, default=0.5, help="0 keeps the feature, 1 is swap"), seeded=True)
def blend(
    x: Tensor, features: Tensor, amount: float, *, seed: int, call: int, other: Tensor | None
) -> Tensor:
    """Cross-fade each selected feature with a partner, chosen as in swap."""
    return torch.lerp(x.index_select(1, features), _partners(x, features, seed, other), amount)


def _partners(x: Tensor, features: Tensor, seed: int, other: Tensor | None) -> Tensor:
    if other is not None:
        return other.index_select(1, features).to(x).expand(x.shape[0], -1, -1, -1).contiguous()
    rest = _rest(x, features)
    n = rest.numel()
    if n == 0:
        order = fixed_permutation(x.shape[1], seed).to(x.device)
        even = order.numel() // 2 * 2
        partner = features.clone()
        partner[order[:even]] = order[:even].view(-1, 2).flip(1).flatten()
        return x.index_select(1, partner)
    order = fixed_permutation(n, seed).to(x.device)
    return x.index_select(1, rest[order[torch.arange(features.numel(), device=x.device) % n]])


def _rest(x: Tensor, features: Tensor) -> Tensor:
    """The features that are not selected."""
    free = torch.ones(x.shape[1], dtype=torch.bool, device=x.device)
    free[features] = False
    return free.nonzero().flatten()
