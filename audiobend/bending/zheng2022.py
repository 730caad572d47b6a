"""Profile ``zheng2022``: the operations of J. Zheng's network bending of StyleGAN (2022), by their own names.

Distances are cells and angles radians. Their surprises are kept: `scale` blurs even by nothing, `sharpen`
rounds to whole numbers, moved maps are read at the nearest cell with holes at the edges, `mirrorX` turns
whole features.
"""

import math
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiobend.bending import filters, morphology, numerical, permutation
from audiobend.bending.features import fixed_permutation
from audiobend.bending.transform import Param, transform

zheng = partial(transform, profile="zheng2022")
cells = partial(Param, low=-1024, high=1024, default=0, unit="cells")

zheng("block", elementwise=True)(numerical.ablate)
zheng("invert", elementwise=True)(numerical.negate)
zheng("brightness", numerical.DELTA, elementwise=True)(numerical.offset)
zheng("vanish", whole=True)(permutation.vanish)


@zheng("none")
def none(x: Tensor) -> Tensor:
    """Change nothing."""
    return x.clone()


@zheng("shuffle", seeded=True)
def shuffle(x: Tensor, features: Tensor, *, seed: int, call: int, other: Tensor | None) -> Tensor:
    """Replace each selected feature by one drawn from all features, each at most once."""
    order = fixed_permutation(x.shape[1], seed).to(x.device)
    return x.index_select(1, order[features])


@zheng("mean_filter", Param("filter_shape", 1, 33, default=3, unit="cells", integer=True))
def mean_filter(x: Tensor, filter_shape: int) -> Tensor:
    """Blur by the mean of a square; the map is reflected at its edges."""
    return filters.separable(x, [1 / filter_shape] * filter_shape, "reflect")


@zheng("sharpen", Param("sharpen_factor", 0, 100, default=1))
def sharpen(x: Tensor, sharpen_factor: float) -> Tensor:
    """Strengthen what differs from the neighbourhood; rounds to whole numbers, above factor 1 to 0..255."""
    blurred = x.clone()
    blurred[..., 1:-1, 1:-1] = filters.smoothed(x)[..., 1:-1, 1:-1]
    if sharpen_factor in (0, 1):
        return x.clone() if sharpen_factor else blurred
    out = blurred + sharpen_factor * (x - blurred)
    return out.round() if sharpen_factor < 1 else out.clamp(0, 255).round()


@zheng("erosion")
def erosion(x: Tensor) -> Tensor:
    """The smallest value in 3 by 3 cells."""
    return morphology.spread(x, [1, 1], -1)


@zheng("dilation")
def dilation(x: Tensor) -> Tensor:
    """The largest value in 3 by 3 cells."""
    return morphology.spread(x, [1, 1], 1)


_SINES = (
    Param("sinX", -100, 100, default=1, unit="radians", help="phase over the height"),
    Param("sinY", -100, 100, default=1, unit="radians", help="phase over the width"),
    cells("translateX"),
    cells("translateY"),
)


@zheng("sin_disrupt", *_SINES, elementwise=True)
def sin_disrupt(
    x: Tensor, sin_x: float, sin_y: float, move_x: float, move_y: float, *, out: Tensor | None = None
) -> Tensor:
    """Replace the maps by two crossed sine waves; sinX runs down the rows and sinY along the columns."""
    return numerical.sin_disrupt(x, sin_y, sin_x, 2 + move_x, 4 + move_y, out=out)


@zheng("scale", cells("scale"))
def scale(x: Tensor, scale: float) -> Tensor:
    """Make the maps larger by some cells, through a small Gaussian, and cut or pad them around the centre."""
    full = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    for dim in (-1, -2):
        index, weights = _resizing(full.shape[dim], int(full.shape[dim] + scale))
        shape = (-1, *[1] * (-1 - dim))
        taps = [
            full.index_select(dim, cells.to(x.device)) * weight.to(full).view(shape)
            for cells, weight in zip(index, weights, strict=True)
        ]
        full = taps[0] + taps[1] + taps[2]
    return full.to(x.dtype)


@lru_cache(maxsize=64)
def _resizing(n: int, size: int) -> tuple[Tensor, Tensor]:
    """For each of ``n`` cells cut out of ``size`` resized ones: three cells to read, and their shares."""
    index, weights = np.zeros((3, n), np.int64), np.zeros((3, n))
    offset = (size - n) // 2 if size >= n else -((n - size) // 2)
    for cell in range(max(0, -offset), min(n, size - offset)):
        centre = (cell + offset + 0.5) * n / size
        near = [place for place in range(n) if abs(place + 0.5 - centre) < 1.5]
        bell = [math.exp(-2 * (place + 0.5 - centre) ** 2) for place in near]    # sigma of half a cell
        index[: len(near), cell] = near
        weights[: len(near), cell] = np.array(bell) / sum(bell)
    return torch.from_numpy(index), torch.from_numpy(weights)


@zheng("translate", cells("translateX"), cells("translateY"))
def translate(x: Tensor, move_x: float, move_y: float) -> Tensor:
    """Move the maps right and down by a number of cells; the map is reflected at its edges."""
    return _nearest(x, (1.0, 0.0, -move_x, 0.0, 1.0, -move_y))


@zheng("rotate", Param("rotation", -100, 100, default=0, unit="radians"))
def rotate(x: Tensor, rotation: float) -> Tensor:
    """Turn the maps counter-clockwise about their centre; the map is reflected at its edges."""
    cos, sin = np.cos(np.float32(rotation)), np.sin(np.float32(rotation))
    right, below = np.float32(x.shape[-1]) - 1, np.float32(x.shape[-2]) - 1
    move_x = (right - (cos * right - sin * below)) / np.float32(2)
    move_y = (below - (sin * right + cos * below)) / np.float32(2)
    return _nearest(x, tuple(map(float, (cos, -sin, move_x, sin, cos, move_y))))


def _nearest(x: Tensor, inverse: tuple[float, ...]) -> Tensor:
    """Read the nearest cell of the reflected maps; in float32, whose rounding decides about the holes."""
    height, width = x.shape[-2:]
    xx, xy, x0, yx, yy, y0 = (np.float32(number) for number in inverse)
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    column = _reflected(xx * columns + xy * rows + x0, width)
    row = _reflected(yx * columns + yy * rows + y0, height)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = torch.from_numpy(np.where(inside, row * width + column, 0).ravel()).to(x.device, torch.int64)
    kept = torch.from_numpy(inside.ravel()).to(x.device)
    return x.flatten(2).index_select(2, index).mul_(kept).view(x.shape)


def _reflected(place: Any, n: int) -> Any:
    """Nearest cell of a reflected map; -1 or n in the holes that TensorFlow 2.3 leaves at the edges."""
    if n == 1:
        return np.where((place < 0) | (place > 0), 0, place)
    twice, one = np.float32(2 * n), np.float32(1)
    below = place + twice * np.trunc(-place / twice)
    below = np.where(below < -n, below + twice, -below - one)
    above = place - twice * np.trunc(place / twice)
    above = np.where(above > n - 1, twice - above - one, above)
    place = np.where(place < 0, below, np.where(place > n - 1, above, place))
    return np.where(place < 0, np.ceil(place - 0.5), np.floor(place + 0.5))


@zheng("mirrorY")
def mirror_y(x: Tensor) -> Tensor:
    """Replace the lower half of the maps by that of the maps turned by half a turn."""
    out = rotate(x, math.pi)
    upper = x.shape[-2] // 2
    out[..., :upper, :] = x[..., :upper, :]
    return out


@zheng("mirrorX", whole=True)
def mirror_x(x: Tensor, features: Tensor, *, other: Tensor | None) -> Tensor:
    """Turn the selected features by half a turn, except the first height / 2 of the layer."""
    part = x.index_select(1, features)
    turned = (features >= x.shape[-2] // 2).view(1, -1, 1, 1)
    return torch.where(turned, rotate(part, math.pi), part)
