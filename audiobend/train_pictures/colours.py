"""Colours by lightness, strength and hue as the eye has them (Björn Ottosson, "A perceptual color space", 2020)."""

import math

import torch
from torch import Tensor

TURN = 2 * math.pi
_TO_ROOTS = ((0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480))
_TO_RGB = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)


def from_lightness(lightness: Tensor, strength: Tensor, hue: Tensor) -> Tensor:
    """Return colours ``(..., 3, height, width)`` in 0..1 (sRGB) of Oklab's polar form; what a screen lacks is cut.

    Parameters
    ----------
    lightness : Tensor of shape ``(..., height, width)``
        0 is black, 1 is white.
    strength : Tensor of the same shape
        0 is grey; about 0.3 is the strongest a screen has.
    hue : Tensor of the same shape
        Turns: 0.08 is red, 0.3 yellow, 0.4 green, 0.73 blue.

    Examples
    --------
    >>> from_lightness(torch.ones(1, 1), torch.zeros(1, 1), torch.zeros(1, 1)).flatten().round(decimals=3)
    tensor([1., 1., 1.])
    """
    a, b = strength * torch.cos(TURN * hue), strength * torch.sin(TURN * hue)
    cones = [(lightness + of_a * a + of_b * b) ** 3 for of_a, of_b in _TO_ROOTS]
    linear = [sum((weight * cone for weight, cone in zip(row, cones, strict=True)), torch.zeros(())) for row in _TO_RGB]
    light = torch.stack(linear, dim=-3).clamp(0, 1)
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light.clamp(min=1e-8) ** (1 / 2.4) - 0.055)
