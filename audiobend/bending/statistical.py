"""Statistical transforms: noise, normalisation, and smoothing over time."""

from functools import lru_cache

import torch
from torch import Tensor

from audiobend.bending.transform import Param, transform


@transform(
    "noise",
    Param("sigma", 0, 10, default=0.1, help="standard deviation"),
    Param("fresh", 0, 1, default=0, integer=True, help="0: always the same noise, 1: new for every batch of windows"),
    seeded=True,
    forms=(("sigma",), ("sigma", "fresh")),
)
def noise(
    x: Tensor, features: Tensor, sigma: float, fresh: int, *, seed: int, call: int, other: Tensor | None
) -> Tensor:
    """Add Gaussian noise, drawn by the seed: x + sigma * noise; the same for all items of a batch."""
    part = x.index_select(1, features)
    if fresh:
        drawn = _draw((features.numel(), *x.shape[2:]), (seed + call * 0x9E3779B97F4A7C15) % 2**63)
    else:
        drawn = _frozen(tuple(x.shape[1:]), seed).index_select(0, features.cpu())
    return part.add_(drawn.to(x), alpha=sigma)


def _draw(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@lru_cache(maxsize=4)
def _frozen(shape: tuple[int, ...], seed: int) -> Tensor:
    """Noise for all features of a layer, so that selecting more changes nothing for the earlier ones."""
    return _draw(shape, seed)


@transform("normalise")
def normalise(x: Tensor) -> Tensor:
    """Give each map a mean of 0 and a deviation of 1 (instance norm; Zheng's `with_norm`)."""
    return instance_norm(x)


def instance_norm(x: Tensor, epsilon: float = 1e-8) -> Tensor:
    """Each map minus its mean, over its deviation: ``(x - mean) / sqrt(variance + epsilon)``.

    Half precisions are computed in float32. Zheng's `with_norm` is this on all features of the layer, also on
    those that were not bent.
    """
    full = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    full = full.contiguous()    # sums come out alike whatever the layout
    centred = full - full.mean((-2, -1), keepdim=True)
    power = centred.square().mean((-2, -1), keepdim=True)
    return (centred * (power + epsilon).rsqrt()).to(x.dtype)


@transform("smooth", Param("amount", 0, 0.999, default=0.5, help="share of the past; 0 changes nothing"))
def smooth(x: Tensor, amount: float) -> Tensor:
    """Slow the maps down over y (time): each row keeps a share of the smoothed row before it.

    ``row[t] = (1 - amount) x[t] + amount row[t - 1]``, and ``row[0] = x[0]``. It looks back only, and only
    inside the map: made for maps that stand for a window of time.
    """
    out = x.clone()
    for row in range(1, x.shape[-2]):
        out[..., row, :].lerp_(out[..., row - 1, :], amount)
    return out
