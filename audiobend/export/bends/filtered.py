"""Filters: each activation and its neighbours."""

import math

import torch
from torch import Tensor

from audiobend.export.bends.base import Bender, exported


def _along(x: Tensor, taps: list[float], dim: int, reflect: bool) -> Tensor:
    n = x.shape[dim]
    places = torch.arange(n + len(taps) - 1, device=x.device) - (len(taps) - 1) // 2
    if reflect and n > 1:
        places = places.remainder(2 * n - 2)
        places = torch.minimum(places, 2 * n - 2 - places)
    else:
        places = places.clamp(0, n - 1)
    padded = x.index_select(dim, places)
    out = padded.narrow(dim, 0, n) * taps[0]
    for start in range(1, len(taps)):
        out.add_(padded.narrow(dim, start, n), alpha=taps[start])
    return out


def separable(x: Tensor, taps: list[float], reflect: bool = False) -> Tensor:
    """Weigh the neighbours along the width, then along the height; edges go on, or are reflected."""
    return _along(_along(x, taps, 3, reflect), taps, 2, reflect)


def smoothed(x: Tensor) -> Tensor:
    """Return the mean over 3 by 3 cells in which the middle one counts 5 times."""
    return (separable(x, [1.0, 1.0, 1.0]) + 4 * x) / 13


@exported("mean-filter")
class Mean(Bender):
    """The mean of a square."""

    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Look half the square's side up and down."""
        return int(values[0]) // 2

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        size = int(values[0])
        return separable(part, [1.0 / size] * size)


@exported("mean_filter", "zheng2022")
class MeanReflected(Bender):
    """The mean of a square, of a map that is reflected at its edges."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        size = int(values[0])
        return separable(part, [1.0 / size] * size, True)


@exported("sharpen")
class Sharpen(Bender):
    """What differs from the neighbourhood, strengthened."""

    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Look one row up and down."""
        return 1

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return part if values[0] == 1 else torch.lerp(smoothed(part), part, values[0])


@exported("sharpen", "zheng2022")
class SharpenRounded(Bender):
    """The same, rounded to whole numbers; the outermost cells stay."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        factor = values[0]
        if factor == 1:
            return part
        blurred = part.clone()
        blurred[..., 1:-1, 1:-1] = smoothed(part)[..., 1:-1, 1:-1]
        if factor == 0:
            return blurred
        out = blurred + factor * (part - blurred)
        return out.round() if factor < 1 else out.clamp(0, 255).round()


@exported("blur")
class Blur(Bender):
    """A Gaussian bell."""

    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Look three sigma up and down."""
        return math.ceil(3 * values[0])

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        reach = math.ceil(3 * values[0])
        if reach == 0:
            return part
        bell = [math.exp(-0.5 * (place / values[0]) * (place / values[0])) for place in range(-reach, reach + 1)]
        total = 0.0
        for weight in bell:
            total += weight
        return separable(part, [weight / total for weight in bell])
