"""Morphology: shapes in the maps shrink or grow."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from audiobend.export.bends.base import Bender, exported


def half_widths(radius: int) -> list[int]:
    """Return half the width of a disc in the rows 0, 1, ... radius away from its centre."""
    return [int(math.sqrt(float(radius * radius - row * row)) + 0.5) for row in range(radius + 1)]


def largest(x: Tensor, widths: list[int]) -> Tensor:
    """Return the largest value around each cell: a union of runs, grown from the narrowest row to the widest."""
    height, width = x.shape[2], x.shape[3]
    reach, rows = widths[0], len(widths) - 1
    padded = F.pad(x, [reach, reach, rows, rows], value=-math.inf)
    runs = padded[..., reach : reach + width]
    out = torch.full_like(x, -math.inf)
    half = 0
    for away in range(rows, -1, -1):
        while half < widths[away]:
            half += 1
            left = padded[..., reach - half : reach - half + width]
            right = padded[..., reach + half : reach + half + width]
            runs = torch.maximum(runs, torch.maximum(left, right))
        out = torch.maximum(out, runs[..., rows - away : rows - away + height, :])
        if away > 0:
            out = torch.maximum(out, runs[..., rows + away : rows + away + height, :])
    return out


class _Disc(Bender):
    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Look as far as the disc does."""
        return int(values[0])


@exported("erode")
class Erode(_Disc):
    """The smallest value in a disc."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        radius = int(values[0])
        return part if radius == 0 else -largest(-part, half_widths(radius))


@exported("dilate")
class Dilate(_Disc):
    """The largest value in a disc."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        radius = int(values[0])
        return part if radius == 0 else largest(part, half_widths(radius))


class _Square(Bender):
    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Look one row up and down."""
        return 1


@exported("erosion", "zheng2022")
class ErodeSquare(_Square):
    """The smallest value in 3 by 3 cells."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return -largest(-part, [1, 1])


@exported("dilation", "zheng2022")
class DilateSquare(_Square):
    """The largest value in 3 by 3 cells."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return largest(part, [1, 1])
