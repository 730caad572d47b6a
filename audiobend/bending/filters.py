"""Filters: each activation and its neighbours (Zheng 2022). Beyond an edge the edge itself goes on."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from audiobend.bending.transform import Param, transform


@transform(
    "mean-filter",
    Param("size", 1, 33, default=3, unit="cells", integer=True, help="side of the square; 1 changes nothing"),
)
def mean_filter(x: Tensor, size: int) -> Tensor:
    """Blur by the mean of a square; one of even side reaches one cell further right and down."""
    return separable(x, [1 / size] * size)


@transform("sharpen", Param("factor", 0, 10, default=2, help="0 smooths, 1 changes nothing, above sharpens"))
def sharpen(x: Tensor, factor: float) -> Tensor:
    """Strengthen what differs from the neighbourhood: s + factor (x - s), where s is the smoothed map."""
    if factor == 1:
        return x.clone()
    full = _wide(x)
    return torch.lerp(smoothed(full), full, factor).to(x.dtype)


def smoothed(x: Tensor) -> Tensor:
    """The mean over 3 by 3 cells in which the middle one counts 5 times."""
    return (separable(x, [1.0, 1.0, 1.0]) + 4 * x) / 13


@transform("blur", Param("sigma", 0, 16, default=1, unit="cells", help="of the bell; 0 changes nothing"))
def blur(x: Tensor, sigma: float) -> Tensor:
    """Blur by a Gaussian bell, cut at three sigma."""
    reach = math.ceil(3 * sigma)
    if reach == 0:
        return x.clone()
    bell = [math.exp(-0.5 * (place / sigma) ** 2) for place in range(-reach, reach + 1)]
    return separable(x, [weight / math.fsum(bell) for weight in bell])


def separable(x: Tensor, taps: Sequence[float], edge: str = "repeat") -> Tensor:
    """Weigh the neighbours along the width, then along the height; half precisions are computed in float32.

    Parameters
    ----------
    x : Tensor [shape=(batch, feature, height, width)]
    taps : weights; the middle one, the earlier of two, is the cell itself
    edge : ``repeat`` (a a|a b c|c c) or ``reflect`` (c b|a b c|b a) beyond the edges
    """
    return _along(_along(_wide(x), taps, -1, edge), taps, -2, edge).to(x.dtype)


def _along(x: Tensor, taps: Sequence[float], dim: int, edge: str) -> Tensor:
    n = x.shape[dim]
    places = torch.arange(n + len(taps) - 1) - (len(taps) - 1) // 2
    padded = x.index_select(dim, _folded(places, n, edge).to(x.device))
    out = padded.narrow(dim, 0, n) * taps[0]
    for start, weight in enumerate(taps[1:], 1):
        out.add_(padded.narrow(dim, start, n), alpha=weight)
    return out


def _folded(places: Tensor, n: int, edge: str) -> Tensor:
    """Places beyond the edges, brought back onto 0..n-1."""
    if edge == "repeat" or n == 1:
        return places.clamp(0, n - 1)
    around = places.remainder(2 * n - 2)
    return torch.minimum(around, 2 * n - 2 - around)


def _wide(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
