"""Numerical transforms: each activation by itself."""

import torch
from torch import Tensor

from audiobend.export.bends.base import Bender, exported


class _Pointwise(Bender):
    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Look at no other row."""
        return 0


@exported("block", "zheng2022")
@exported("ablate")
class Ablate(_Pointwise):
    """0."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return torch.zeros_like(part)


@exported("invert")
class Invert(_Pointwise):
    """1 - x."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return 1 - part


@exported("invert", "zheng2022")
@exported("negate")
class Negate(_Pointwise):
    """-x."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return -part


@exported("none", "zheng2022")
class Nothing(_Pointwise):
    """x."""


@exported("scalar-multiply")
class Multiply(_Pointwise):
    """factor * x."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return part * values[0]


@exported("brightness", "zheng2022")
@exported("offset")
class Offset(_Pointwise):
    """x + delta."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return part + values[0]


@exported("binary-thresh")
class Threshold(_Pointwise):
    """1 above the threshold, else 0."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return (part > values[0]).to(part.dtype)


def _wave(n: int, phase: float, shift: float, device: torch.device) -> Tensor:
    places = torch.arange(n, dtype=torch.float64, device=device) - shift
    return 4 * torch.sin(phase * places / n)


@exported("sin-disrupt")
class Sines(Bender):
    """Two crossed sine waves in place of the maps."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        height, width = part.shape[2], part.shape[3]
        down = _wave(height, values[1], values[3], part.device).unsqueeze(1)
        return (down + _wave(width, values[0], values[2], part.device)).to(part.dtype).expand_as(part).clone()


@exported("sin_disrupt", "zheng2022")
class SinesOfRows(Bender):
    """The same with sinX down the rows, and their fixed shifts."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        height, width = part.shape[2], part.shape[3]
        down = _wave(height, values[0], 4 + values[3], part.device).unsqueeze(1)
        return (down + _wave(width, values[1], 2 + values[2], part.device)).to(part.dtype).expand_as(part).clone()
