"""Profile ``broad2020``: what the network-bending code of 2020 did, its swapped axes included.

It gave the number of rows where OpenCV wants x, and of columns where it wants y, so distances and centres are
right on square maps only; and OpenCV 4 rounds places to 1/32 of a cell. Old patches come out as they did.
"""

import math

import numpy as np
from torch import Tensor

from audiobend.bending.transform import Param, transform
from audiobend.bending.warp import Inverse, warp


def _invert(forward: Inverse) -> Inverse:
    """Invert an affine map; a flat one (scale 0) becomes all zeros, so that all cells read the first."""
    xx, xy, x0, yx, yy, y0 = forward
    determinant = xx * yy - xy * yx
    factor = 1 / determinant if determinant else 0.0
    ixx, ixy, iyx, iyy = yy * factor, -xy * factor, -yx * factor, xx * factor
    return ixx, ixy, -ixx * x0 - ixy * y0, iyx, iyy, -iyx * x0 - iyy * y0


def inverse_of_turn(x: Tensor, degrees: float, k: float) -> Inverse:
    """The inverse of a turn and a magnification about the original's centre."""
    rows, columns = x.shape[-2:]
    centre_x, centre_y = rows / 2, columns / 2    # swapped, and half a cell off
    alpha, beta = k * math.cos(degrees * math.pi / 180), k * math.sin(degrees * math.pi / 180)
    forward = (
        alpha, beta, (1 - alpha) * centre_x - beta * centre_y,
        -beta, alpha, beta * centre_x + (1 - alpha) * centre_y,
    )    # fmt: skip
    return _invert(forward)


def inverse_of_translation(x: Tensor, along_x: float, along_y: float) -> Inverse:
    """The inverse of a translation, in the original's float32 and with its swapped axes."""
    rows, columns = x.shape[-2:]
    dx, dy = np.float32(along_x) * np.float32(rows), np.float32(along_y) * np.float32(columns)
    return _invert((1, 0, float(dx), 0, 1, float(dy)))


@transform(
    "translate",
    Param("x", -1, 1, default=0, unit="of the height", help="to the right"),
    Param("y", -1, 1, default=0, unit="of the width", help="down"),
    profile="broad2020",
)
def translate(x: Tensor, along_x: float, along_y: float) -> Tensor:
    """Move the maps right by x times their height and down by y times their width."""
    return warp(x, inverse_of_translation(x, along_x, along_y), fixed_point=True)


@transform("scale", Param("k", 0, 10, default=1, help="above 1 magnifies"), profile="broad2020")
def scale(x: Tensor, k: float) -> Tensor:
    """Magnify or shrink about x = height / 2, y = width / 2."""
    return warp(x, inverse_of_turn(x, 0, k), fixed_point=True)


@transform("rotate", Param("angle", 0, 360, default=0, unit="degrees"), profile="broad2020")
def rotate(x: Tensor, angle: float) -> Tensor:
    """Turn counter-clockwise about x = height / 2, y = width / 2."""
    return warp(x, inverse_of_turn(x, angle, 1), fixed_point=True)
