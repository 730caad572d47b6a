"""Permutation: features take the place of others. Which ones is drawn when the file is made."""

import torch
from torch import Tensor

from audiobend.export.bends.base import Bender, Place, exported


def partners(place: Place) -> Tensor:
    """Return which feature comes in the place of each bent one, ``(k,)``; -1 for silence."""
    numbers = torch.arange(1.0, place.n_features + 1).reshape(1, -1, 1, 1)
    return place.probe(numbers)[0, :, 0, 0].round().long() - 1


@exported("shuffle", "zheng2022")
@exported("vanish", "zheng2022")
@exported("shuffle")
@exported("vanish")
@exported("swap")
class Exchange(Bender):
    """Each bent feature is replaced by another."""

    source: Tensor

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        source = partners(place)[: len(place.features)]
        self.silent = bool((source < 0).any())
        self.register_buffer("source", source)

    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Look at no other row."""
        return 0

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return torch.zeros_like(part) if self.silent else x.index_select(1, self.source)


@exported("blend")
class Blend(Bender):
    """Each bent feature is cross-faded with another."""

    source: Tensor

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        numbers = torch.arange(1.0, place.n_features + 1).reshape(1, -1, 1, 1)
        entry = place.step.entry
        whole = entry.function(numbers, place.features, 1.0, seed=place.step.seed, call=0, other=None)
        self.register_buffer("source", whole[0, :, 0, 0].round().long() - 1)

    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Look at no other row."""
        return 0

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return torch.lerp(part, x.index_select(1, self.source), values[0])
