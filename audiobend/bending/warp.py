"""Bilinear resampling through cached tables: for each cell of the result, where it comes from.

The coordinates of a warp depend only on the shape and the parameters, and one table serves all features of
all items, so the most recent tables are kept, and a call costs four reads and four products a cell.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from audiobend.bending.memory import fresh_like

Inverse = tuple[float, ...]
"""(xx, xy, x0, yx, yy, y0): the result's cell (x, y) is read at (xx x + xy y + x0, yx x + yy y + y0)."""

BIG_MAP = 1 << 16
"""Cells from which on a table takes more than a megabyte, and only a few are kept."""


def warp(x: Tensor, inverse: Inverse, *, fixed_point: bool = False) -> Tensor:
    """Read maps at moved places, bilinearly; everything outside the map is 0.

    Parameters
    ----------
    x : Tensor [shape=(batch, feature, height, width)]; half precisions are computed in float32
    inverse : where each cell of the result comes from
    fixed_point : round places to 1/32 of a cell, as OpenCV 4 does
    """
    if x.dtype in (torch.float16, torch.bfloat16):
        return warp(x.float(), inverse, fixed_point=fixed_point).to(x.dtype)
    height, width = x.shape[-2:]
    compiled = x.dtype == torch.float32 and x.device.type == "cpu" and not x.requires_grad
    table = _few_tables if height * width > BIG_MAP else _tables
    index, weights = table(height, width, inverse, fixed_point, x.dtype, x.device, compiled)
    if compiled:
        return _warp_compiled(x, index, weights)
    padded = F.pad(x, (1, 1, 2, 1)).flatten(2)
    step = width + 2
    out = padded.index_select(2, index).mul_(weights[0])
    for weight, tap in zip(weights[1:], (1, step, step + 1), strict=True):
        out.addcmul_(padded.index_select(2, index + tap), weight)
    return out.view(x.shape)


def _warp_compiled(x: Tensor, index: Tensor, weights: Tensor) -> Tensor:
    from audiobend.bending._kernels import gather_bilinear  # compiled on first use only

    x = x.contiguous()
    out = fresh_like(x)
    gather_bilinear(x.flatten(0, 1).numpy(), index.numpy(), weights.numpy(), out.flatten(0, 1).numpy())
    return out


def _table(
    height: int,
    width: int,
    inverse: Inverse,
    fixed_point: bool,
    dtype: torch.dtype,
    device: torch.device,
    compiled: bool,
) -> tuple[Tensor, Tensor]:
    """Index of the first of four neighbours in the padded map, and the weights [shape=(4, height * width)].

    The padding is one cell of zeros at the sides and below, two above: cells from outside read its corner.
    """
    sx, sy = (_fixed_point_places if fixed_point else _places)(height, width, inverse)
    inside = (sx > -1) & (sx < width) & (sy > -1) & (sy < height)
    sx, sy = np.where(inside, sx, 0), np.where(inside, sy, 0)
    x0, y0 = np.floor(sx), np.floor(sy)
    fx, fy = sx - x0, sy - y0
    index = np.where(inside, (y0 + 2) * (width + 2) + x0 + 1, 0)
    weights = np.stack([(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx]) * inside
    return (
        torch.from_numpy(index.ravel()).to(device, torch.int32 if compiled else torch.int64),
        torch.from_numpy(weights.reshape(4, -1)).to(device, dtype),
    )


_tables = lru_cache(maxsize=48)(_table)
_few_tables = lru_cache(maxsize=4)(_table)


def _places(height: int, width: int, inverse: Inverse) -> tuple[Any, Any]:
    xx, xy, x0, yx, yy, y0 = inverse
    columns, rows = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)[:, None]
    return xx * columns + (xy * rows + x0), yx * columns + (yy * rows + y0)


def _fixed_point_places(height: int, width: int, inverse: Inverse) -> tuple[Any, Any]:
    """OpenCV 4's places: 10 fractional bits for each summand, then 5 for the sum."""
    xx, xy, x0, yx, yy, y0 = inverse
    columns, rows = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)[:, None]

    def place(per_column: float, per_row: float, start: float) -> Any:
        fixed = np.rint(per_column * columns * 1024) + np.rint((per_row * rows + start) * 1024)
        return np.floor((fixed + 16) / 32) / 32

    return place(xx, xy, x0), place(yx, yy, y0)
