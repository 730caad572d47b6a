"""A walk through the latent space: from seed to seed, in z or in w, straight or along great circles."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.bending.latent import lerp, slerp
from audiobend.errors import PictureError, did_you_mean
from audiobend.picture import Painter

SPACES = ("z", "w")
INTERPOLATIONS = {"slerp": slerp, "lerp": lerp}
USUAL = {"z": "slerp", "w": "lerp"}
"""Codes lie on a sphere, so circles keep their length; styles lie in no shape that is known."""


@dataclass(frozen=True)
class Walk:
    """From seed to seed.

    Attributes
    ----------
    seeds : tuple of int
        One alone stands still.
    space : "w" or "z"
        What lies between two seeds: the mixture of their styles, or the style of a mixture of their codes.
    interpolation : "slerp", "lerp" or ""
        Great circles or straight lines; empty is what is usual in the space.
    loop : bool
        Whether it goes back to the first seed.

    >>> Walk((1, 5, 9), "z").interpolation, Walk((1, 5, 9)).n_ways, Walk((1, 5, 9), loop=True).n_ways
    ('slerp', 2, 3)
    """

    seeds: tuple[int, ...]
    space: str = "w"
    interpolation: str = ""
    loop: bool = False
    _codes: dict[int, Tensor] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.seeds:
            raise PictureError("a walk needs one seed or more")
        if self.space not in SPACES:
            raise PictureError(f"unknown walk {self.space!r}{did_you_mean(self.space, SPACES)}")
        object.__setattr__(self, "interpolation", self.interpolation or USUAL[self.space])
        if self.interpolation not in INTERPOLATIONS:
            known = did_you_mean(self.interpolation, INTERPOLATIONS)
            raise PictureError(f"unknown interpolation {self.interpolation!r}{known}")

    @property
    def n_ways(self) -> int:
        """How many ways from one seed to the next there are."""
        return 0 if len(self.seeds) == 1 else len(self.seeds) - (not self.loop)

    def styles(self, painter: Painter, place: float, times: Tensor | None = None) -> Tensor:
        """Return the style W+ ``(1, level, style)`` at a place, 0..``n_ways``, with what the painter's patch does."""
        way = min(int(place), max(self.n_ways - 1, 0))
        share, n = place - way, len(self.seeds)
        ends = (self._code(painter, way % n), self._code(painter, (way + 1) % n))
        if share == 0 or self.n_ways == 0:
            return painter.of_codes(ends[0], times)
        if self.space == "z":
            return painter.of_codes(self._between(*ends, share), times)
        a, b = (painter.mapped(code, times) for code in ends)
        return painter.bent_styles(self._between(a, b, share), times)

    def _between(self, a: Tensor, b: Tensor, share: float) -> Tensor:
        return INTERPOLATIONS[self.interpolation](a, b, share)

    def _code(self, painter: Painter, index: int) -> Tensor:
        if index not in self._codes:
            self._codes[index] = painter.model.codes([self.seeds[index]])
        return self._codes[index]


def places(n_frames: int, walk: Walk, speeds: Sequence[float] | NDArray[np.float64] | None = None) -> list[float]:
    """Return where each frame is on a walk, 0..``n_ways``.

    The last frame is at the last seed; of a loop, one step before the first frame.

    Parameters
    ----------
    speeds : numbers of 0 or more, one for each frame, optional
        How quickly the walk goes on there; the whole of it takes as long as the film all the same.

    >>> places(3, Walk((1, 5))), places(2, Walk((1, 5), loop=True))
    ([0.0, 0.5, 1.0], [0.0, 1.0])
    """
    pace = torch.ones(n_frames, dtype=torch.float64) if speeds is None else torch.tensor(speeds, dtype=torch.float64)
    steps = pace if walk.loop else pace[:-1]
    if float(steps.sum()) <= 0:
        return [0.0] * n_frames
    begun = torch.cat([torch.zeros(1, dtype=torch.float64), steps.cumsum(0)])[:n_frames]
    shares = begun / steps.sum()
    return [float(share) * walk.n_ways for share in shares]
