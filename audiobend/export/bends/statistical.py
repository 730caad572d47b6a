"""Statistical transforms: noise, normalisation, and smoothing over time."""

import torch
from torch import Tensor

from audiobend.export.bends.base import Bender, Place, exported
from audiobend.export.drawn import normal


def instance_norm(x: Tensor) -> Tensor:
    """Return each map minus its mean, over its deviation."""
    full = x.contiguous()
    centred = full - full.mean([2, 3], keepdim=True)
    power = centred.square().mean([2, 3], keepdim=True)
    return centred * (power + 1e-8).rsqrt()


@exported("noise")
class Noise(Bender):
    """Noise that was drawn when the file was made, or, fresh, is drawn for every window."""

    drawn: Tensor

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        step = place.step
        zeros = torch.zeros(1, place.n_features, place.height, place.width)
        drawn = step.entry.function(zeros, place.features, 1.0, 0, seed=step.seed, call=0, other=None)
        self.seed = step.seed
        self.register_buffer("drawn", drawn[0])

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        if values[1] == 0:
            return part + self.drawn * values[0]
        # The lower half of the seed is all that counts.
        seed = (self.seed + call * 0x7F4A7C15) & 0xFFFFFFFF
        return part + normal(seed, self.drawn.numel()).view(self.drawn.shape).to(part.device) * values[0]


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
