"""Zheng's moves, with fixed values: their places are read off the transform itself when the file is made."""

import torch
from torch import Tensor

from audiobend.bending.zheng2022 import rotate
from audiobend.export.bends.base import Bender, Place, exported


def _cells(place: Place) -> Tensor:
    """Return maps that hold the number of every cell, from 1 on: exact in float32."""
    numbers = torch.arange(1.0, place.height * place.width + 1).reshape(1, 1, place.height, place.width)
    return numbers.expand(1, place.n_features, -1, -1).clone()


class _Gather(Bender):
    """Every cell is read somewhere else, or is 0."""

    source: Tensor
    kept: Tensor

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        found = self.found(place).flatten().round().long() - 1
        self.register_buffer("source", found.clamp(min=0))
        self.register_buffer("kept", (found >= 0).float())

    def found(self, place: Place) -> Tensor:
        """Return the number of the cell that is read at each, ``(height, width)``; 0 for none."""
        return place.probe(_cells(place))[0, 0]

    def gathered(self, part: Tensor) -> Tensor:
        return (part.flatten(2).index_select(2, self.source) * self.kept).view(part.shape)

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return self.gathered(part)


@exported("translate", "zheng2022")
class Translate(_Gather):
    """By a number of cells."""

    fixed = ("translateX", "translateY")


@exported("rotate", "zheng2022")
class Rotate(_Gather):
    """By an angle."""

    fixed = ("rotation",)


@exported("mirrorY", "zheng2022")
class MirrorDown(_Gather):
    """The lower half turned."""


@exported("mirrorX", "zheng2022")
class TurnFeatures(_Gather):
    """Features turned by half a turn, except the first height / 2 of the layer."""

    turned: Tensor

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        turned = place.features >= place.height // 2
        self.register_buffer("turned", turned.view(1, -1, 1, 1))

    def found(self, place: Place) -> Tensor:
        return rotate(_cells(place)[:, :1], torch.pi)[0, 0]

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return torch.where(self.turned, self.gathered(part), part)


@exported("scale", "zheng2022")
class Scale(Bender):
    """Larger by some cells: a matrix along each axis."""

    fixed = ("scale",)
    down: Tensor
    across: Tensor

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        (cells,) = place.step.values.values()
        for name, n in (("down", place.height), ("across", place.width)):
            # What the other axis does is alike for all unit rows: its fullest column tells what the rows become.
            units = torch.eye(n).split(16)
            scaled = [place.step.entry.function(rows[None, :, :, None].expand(-1, -1, -1, n), cells) for rows in units]
            fullest = int(torch.stack([one.sum((0, 1, 2)) for one in scaled]).sum(0).argmax())
            self.register_buffer(name, torch.cat([one[0, :, :, fullest] for one in scaled]).mT.contiguous())

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return self.down @ part @ self.across.mT
