"""Bilinear resampling, compiled: see `audiobend.bending.warp`, which says the same with numba."""

import torch
import torch.nn.functional as F
from torch import Tensor


def warp_table(height: int, width: int, inverse: list[float], fixed_point: bool) -> tuple[Tensor, Tensor]:
    """Return for each cell the first of four neighbours in the padded map, and their weights ``(4, cells)``.

    ``inverse`` is (xx, xy, x0, yx, yy, y0): cell (x, y) is read at (xx x + xy y + x0, yx x + yy y + y0). With
    ``fixed_point`` places are rounded to 1/32 of a cell, as OpenCV 4 does.
    """
    columns = torch.arange(width, dtype=torch.float64)
    rows = torch.arange(height, dtype=torch.float64).unsqueeze(1)
    xx, xy, x0, yx, yy, y0 = inverse[0], inverse[1], inverse[2], inverse[3], inverse[4], inverse[5]
    if fixed_point:
        sx = torch.round(xx * columns * 1024) + torch.round((xy * rows + x0) * 1024)
        sy = torch.round(yx * columns * 1024) + torch.round((yy * rows + y0) * 1024)
        sx, sy = torch.floor((sx + 16) / 32) / 32, torch.floor((sy + 16) / 32) / 32
    else:
        sx, sy = xx * columns + (xy * rows + x0), yx * columns + (yy * rows + y0)
    inside = (sx > -1) & (sx < width) & (sy > -1) & (sy < height)
    nowhere = torch.zeros_like(sx)
    sx, sy = torch.where(inside, sx, nowhere), torch.where(inside, sy, nowhere)
    left, above = torch.floor(sx), torch.floor(sy)
    fx, fy = sx - left, sy - above
    # One cell of zeros at the sides and below, two above: cells from outside read its corner.
    index = torch.where(inside, (above + 2) * (width + 2) + left + 1, nowhere)
    weights = torch.stack([(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx]) * inside
    return index.flatten().to(torch.int64), weights.reshape(4, -1).to(torch.float32)


def gather_bilinear(x: Tensor, index: Tensor, weights: Tensor) -> Tensor:
    """Return maps ``(batch, feature, height, width)`` read as a table says."""
    padded = F.pad(x, [1, 1, 2, 1]).flatten(2)
    step = x.shape[3] + 2
    out = padded.index_select(2, index) * weights[0]
    out += padded.index_select(2, index + 1) * weights[1]
    out += padded.index_select(2, index + step) * weights[2]
    out += padded.index_select(2, index + (step + 1)) * weights[3]
    return out.view(x.shape)
