"""Numerical transforms: each activation by itself (Broad et al. 2021, section 4.1; Zheng 2022)."""

import torch
from torch import Tensor

from audiobend.bending.transform import Param, transform


@transform("ablate", elementwise=True)
def ablate(x: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Silence the features: every activation becomes 0."""
    return torch.zeros_like(x) if out is None else out.zero_()


@transform("invert", elementwise=True)
def invert(x: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Turn the activations over: 1 - x."""
    return torch.sub(torch.ones((), dtype=x.dtype, device=x.device), x, out=out)


@transform("negate", elementwise=True)
def negate(x: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Change the sign: -x."""
    return torch.neg(x, out=out)


@transform(
    "scalar-multiply",
    Param("factor", -10, 10, default=1, help="0 silences, 1 changes nothing"),
    elementwise=True,
)
def scalar_multiply(x: Tensor, factor: float, *, out: Tensor | None = None) -> Tensor:
    """Make the features stronger or weaker: factor * x."""
    return torch.mul(x, factor, out=out)


DELTA = Param("delta", -10, 10, default=0, help="0 changes nothing")


@transform("offset", DELTA, elementwise=True)
def offset(x: Tensor, delta: float, *, out: Tensor | None = None) -> Tensor:
    """Raise or lower the features: x + delta."""
    return torch.add(x, delta, out=out)


@transform(
    "binary-thresh",
    Param("threshold", -10, 10, default=0.5, help="above it is 1, the rest 0", aliases=("t",)),
    elementwise=True,
    forms=(("threshold",), ()),    # the original's example patch gives no value
)
def binary_thresh(x: Tensor, threshold: float, *, out: Tensor | None = None) -> Tensor:
    """Leave only on and off: 1 where x > threshold, else 0."""
    return torch.gt(x, threshold, out=torch.empty_like(x) if out is None else out)


@transform(
    "sin-disrupt",
    Param("wave-x", -100, 100, default=1, unit="radians", help="phase over the width, x (frequency)"),
    Param("wave-y", -100, 100, default=1, unit="radians", help="phase over the height, y (time)"),
    Param("shift-x", -1024, 1024, default=0, unit="cells", help="moves the wave along x (frequency)"),
    Param("shift-y", -1024, 1024, default=0, unit="cells", help="moves the wave along y (time)"),
    elementwise=True,
)
def sin_disrupt(
    x: Tensor, wave_x: float, wave_y: float, shift_x: float, shift_y: float, *, out: Tensor | None = None
) -> Tensor:
    """Replace the maps by two crossed sine waves of height 4.

    ``4 sin(wave_x (column - shift_x) / width) + 4 sin(wave_y (row - shift_y) / height)``
    """
    height, width = x.shape[-2:]
    field = _wave(height, wave_y, shift_y).unsqueeze(1) + _wave(width, wave_x, shift_x)
    return (torch.empty_like(x) if out is None else out).copy_(field.to(x.device))


def _wave(n: int, phase: float, shift: float) -> Tensor:
    places = torch.arange(n, dtype=torch.float64) - shift
    return 4 * torch.sin(phase * places / n)
