"""Morphology: shapes in the maps shrink or grow (Broad et al. 2021, section 4.1).

The neighbourhood is a disc: a union of horizontal runs, one for each row. Run maxima grow by two maxima for
each cell of half-width, and rows are joined by two more, so a radius ``r`` costs about ``4 r`` passes over
the maps instead of the ``(2 r + 1)**2`` of the direct way. What lies outside the map does not count.
"""

import math
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from audiobend.bending.memory import copy_of, fresh_like
from audiobend.bending.transform import Param, transform

RADIUS = Param(
    "radius", 0, 32, default=1, unit="cells", integer=True, help="0 changes nothing", aliases=("r",)
)


def half_widths(radius: int) -> list[int]:
    """Half the width of the disc in the rows 0, 1, ... radius away from its centre.

    ``round(sqrt(radius**2 - row**2))``, which is OpenCV's ellipse: a whole number's root is never halfway
    between two whole numbers, so rounding is safe for every radius. A radius of 1 is a cross of 5 cells.

    >>> half_widths(1), half_widths(5)
    ([1, 0], [5, 5, 5, 4, 3, 0])
    """
    return [round(math.sqrt(radius * radius - row * row)) for row in range(radius + 1)]


@transform("erode", RADIUS)
def erode(x: Tensor, radius: int) -> Tensor:
    """Shrink what is bright: the smallest value in a disc around each cell."""
    return spread(x, half_widths(radius), -1)


@transform("dilate", RADIUS)
def dilate(x: Tensor, radius: int) -> Tensor:
    """Grow what is bright: the largest value in a disc around each cell."""
    return spread(x, half_widths(radius), 1)


def spread(x: Tensor, widths: list[int], sign: int) -> Tensor:
    """The largest (sign 1) or smallest (sign -1) value around each cell.

    Parameters
    ----------
    x : Tensor [shape=(batch, feature, height, width)]
    widths : half-widths of the neighbourhood, 0, 1, 2... rows away from its centre; not growing
    sign : 1 or -1; the smallest value is minus the largest of -x
    """
    if len(widths) == 1 and widths[0] == 0:
        return copy_of(x)
    if x.dtype == torch.float32 and x.device.type == "cpu" and not x.requires_grad:
        return _spread_compiled(x, widths, sign)
    return _largest(x, widths) if sign > 0 else _largest(x.neg(), widths).neg_()


def _spread_compiled(x: Tensor, widths: list[int], sign: int) -> Tensor:
    import numpy as np

    from audiobend.bending._kernels import dilate_runs  # compiled on first use only

    x = x.contiguous()
    out = fresh_like(x)
    dilate_runs(x.flatten(0, 1).numpy(), np.array(widths), sign, out.flatten(0, 1).numpy())
    return out


def _largest(x: Tensor, widths: list[int]) -> Tensor:
    (height, width), reach, rows = x.shape[-2:], widths[0], len(widths) - 1
    padded = F.pad(x, (reach, reach, rows, rows), value=-math.inf)
    runs = padded[..., reach : reach + width]
    parts = []
    half = 0
    for away in range(rows, -1, -1):
        while half < widths[away]:
            half += 1
            left, right = padded[..., reach - half :], padded[..., reach + half :]
            runs = torch.maximum(runs, torch.maximum(left[..., :width], right[..., :width]))
        parts += [runs[..., row : row + height, :] for row in {rows - away, rows + away}]
        parts = [reduce(torch.maximum, parts)]
    return parts[0]
