"""Affine transforms: the maps are moved, turned, stretched, mirrored or cut (Broad et al. 2021, section 4.1).

Directions, for every transform: ``x`` runs along the width (frequency on the spectrogram VAE) to the right,
``y`` along the height (time) downwards. The centre of an axis of ``n`` cells is ``(n - 1) / 2``; sampling is
bilinear; what comes from outside the map is 0. Coordinates are computed in double precision.
"""

import math

import torch
from torch import Tensor

from audiobend.bending.memory import ALLOCATOR_BYTES, copy_of, fresh_like
from audiobend.bending.transform import Param, transform
from audiobend.bending.warp import Inverse, warp

Linear = tuple[float, float, float, float]
"""(xx, xy, yx, yy): how far the source moves along x and y when the result's place moves by one cell."""


def about_centre(x: Tensor, linear: Linear) -> Inverse:
    """The inverse map, for `warp`, of a linear map that leaves the centre of the maps ``x`` where it is."""
    xx, xy, yx, yy = linear
    cx, cy = (x.shape[-1] - 1) / 2, (x.shape[-2] - 1) / 2
    return xx, xy, cx - xx * cx - xy * cy, yx, yy, cy - yx * cx - yy * cy


@transform(
    "translate",
    Param("x", -1, 1, default=0, unit="of the width", help="x (frequency): positive moves right"),
    Param("y", -1, 1, default=0, unit="of the height", help="y (time): positive moves down"),
)
def translate(x: Tensor, along_x: float, along_y: float) -> Tensor:
    """Move the maps by a fraction of their width and height."""
    height, width = x.shape[-2:]
    return warp(x, (1, 0, -along_x * width, 0, 1, -along_y * height))


@transform(
    "scale",
    Param("k", 0, 10, default=1, help="above 1 magnifies, below 1 shrinks, 0 leaves nothing"),
    Param("kx", 0, 10, default=1, help="more of it along x (frequency)"),
    Param("ky", 0, 10, default=1, help="more of it along y (time)"),
    forms=(("k",), ("kx", "ky"), ("k", "kx", "ky")),
)
def scale(x: Tensor, k: float, kx: float, ky: float) -> Tensor:
    """Stretch or shrink the maps about their centre, by k kx along x and by k ky along y."""
    if k * kx < 1e-6 or k * ky < 1e-6:
        return fresh_like(x).zero_()
    return warp(x, about_centre(x, (1 / (k * kx), 0, 0, 1 / (k * ky))))


@transform("rotate", Param("angle", 0, 360, default=0, unit="degrees", help="counter-clockwise"))
def rotate(x: Tensor, angle: float) -> Tensor:
    """Turn the maps counter-clockwise about their centre; a cell counts as a square."""
    cos, sin = cos_sin(angle)
    return warp(x, about_centre(x, (cos, -sin, sin, cos)))


def cos_sin(degrees: float) -> tuple[float, float]:
    """Cosine and sine, exact for quarter turns, so that these move whole cells."""
    quarters, rest = divmod(degrees, 90)
    if rest == 0:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarters) % 4]
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


@transform(
    "shear",
    Param("x", -2, 2, default=0, unit="cells per row", help="rows slide along x (frequency), lower right"),
    Param("y", -2, 2, default=0, unit="cells per column", help="columns slide along y (time), right down"),
)
def shear(x: Tensor, along_x: float, along_y: float) -> Tensor:
    """Slant the maps about their centre: first the rows along x, then the columns along y."""
    return warp(x, about_centre(x, (1 + along_x * along_y, -along_x, -along_y, 1)))


@transform(
    "roll",
    Param("x", -1, 1, default=0, unit="of the width", help="x (frequency): positive moves right"),
    Param("y", -1, 1, default=0, unit="of the height", help="y (time): positive moves down"),
)
def roll(x: Tensor, along_x: float, along_y: float) -> Tensor:
    """Move the maps in a circle: what leaves on one side comes in on the other."""
    return _roll(_roll(x, along_x * x.shape[-1], -1), along_y * x.shape[-2], -2)


def _roll(x: Tensor, cells: float, dim: int) -> Tensor:
    whole = math.floor(cells)
    near = torch.roll(x, whole, dim)
    return near if cells == whole else torch.lerp(near, torch.roll(x, whole + 1, dim), cells - whole)


@transform("flip-h")
def flip_h(x: Tensor) -> Tensor:
    """Reverse the width (frequency)."""
    return _flip(x, -1)


@transform("flip-v")
def flip_v(x: Tensor) -> Tensor:
    """Reverse the height (time)."""
    return _flip(x, -2)


def _flip(x: Tensor, dim: int) -> Tensor:
    if x.numel() * x.element_size() < ALLOCATOR_BYTES or x.requires_grad or x.device.type != "cpu":
        return x.flip(dim)
    out = fresh_like(x)
    for target, source in zip(out.flatten(0, 1), x.flatten(0, 1), strict=True):    # flipped in the cache
        target.copy_(source.flip(dim))
    return out


@transform("mirror-h")
def mirror_h(x: Tensor) -> Tensor:
    """Reflect the left half (low frequencies) onto the right half."""
    return _mirror(x, -1)


@transform("mirror-v")
def mirror_v(x: Tensor) -> Tensor:
    """Reflect the upper half (earlier time) onto the lower half."""
    return _mirror(x, -2)


def _mirror(x: Tensor, dim: int) -> Tensor:
    n = x.shape[dim]
    out = copy_of(x)
    out.narrow(dim, n - n // 2, n // 2).copy_(x.narrow(dim, 0, n // 2).flip(dim))
    return out


def _box(x: float, y: float, width: float, height: float) -> tuple[Param, ...]:
    return (
        Param("x", 0, 1, default=x, unit="of the width", help="left edge of the box, x (frequency)"),
        Param("y", 0, 1, default=y, unit="of the height", help="upper edge of the box, y (time)"),
        Param("width", 0, 1, default=width, unit="of the width", help="size of the box along x (frequency)"),
        Param("height", 0, 1, default=height, unit="of the height", help="size of the box along y (time)"),
    )


@transform("crop", *_box(0, 0, 1, 1))
def crop(x: Tensor, left: float, top: float, width: float, height: float) -> Tensor:
    """Keep a box and silence everything outside; its edges are rounded to whole cells."""
    rows, columns = _span(top, height, x.shape[-2]), _span(left, width, x.shape[-1])
    out = fresh_like(x).zero_()
    out[..., rows, columns] = x[..., rows, columns]
    return out


@transform("mask", *_box(0.25, 0.25, 0.5, 0.5))
def mask(x: Tensor, left: float, top: float, width: float, height: float) -> Tensor:
    """Silence a box and keep everything outside; its edges are rounded to whole cells."""
    out = copy_of(x)
    out[..., _span(top, height, x.shape[-2]), _span(left, width, x.shape[-1])] = 0
    return out


def _span(start: float, size: float, n: int) -> slice:
    """The cells whose centres lie in the box."""
    return slice(math.ceil(start * n - 0.5), max(0, math.ceil((start + size) * n - 0.5)))
