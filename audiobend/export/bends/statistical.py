"""Statistical transforms: noise, normalisation, and smoothing over time."""

import torch
from torch import Tensor

from audiobend.export.bends.base import Bender, Place, exported


def instance_norm(x: Tensor) -> Tensor:
    """Return each map minus its mean, over its deviation."""
    full = x.contiguous()
    centred = full - full.mean([2, 3], keepdim=True)
    power = centred.square().mean([2, 3], keepdim=True)
    return centred * (power + 1e-8).rsqrt()


@exported("noise")
class Noise(Bender):
    """Noise that was drawn when the file was made.

    Fresh noise is the same numbers in another order at every window: nothing in a file draws as audiobend does, and it
    begins alike after every reset.
    """

    drawn: Tensor

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        step = place.step
        zeros = torch.zeros(1, place.n_features, place.height, place.width)
        drawn = step.entry.function(zeros, place.features, 1.0, 0, seed=step.seed, call=0, other=None)
        self.register_buffer("drawn", drawn[0])

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        drawn = self.drawn
        if values[1] != 0:
            n = drawn.numel()
            drawn = drawn.flatten().roll([(call * 40503 + call * call * 31) % n], [0]).view(drawn.shape)
        return part + drawn * values[0]


@exported("normalise")
class Normalise(Bender):
    """A mean of 0 and a deviation of 1."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return instance_norm(part)


@exported("smooth")
class Smooth(Bender):
    """Each row keeps a share of the row before it."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        rows = [part[:, :, 0]]
        for row in range(1, part.shape[2]):
            rows.append(torch.lerp(part[:, :, row], rows[-1], values[0]))
        return torch.stack(rows, 2)
