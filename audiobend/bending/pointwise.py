"""Bends that look at one activation at a time, as numbers for each feature: a chain of them becomes one formula.

``scale * x + offset + jump * (slope * x + level > 0)`` says what silencing, inverting, negating, multiplying,
offsetting and one threshold do, each on its own features and with its own mix. A compiled graph can take these numbers
as inputs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from audiobend.bending.step import Step
from audiobend.bending.transform import TRANSFORMS, Transform, Value

Column = NDArray[np.float32]
"""One number for each item of the batch, ``(batch, 1)``."""

_THRESHOLD = "binary-thresh"
# factor and summand
_STRAIGHT: dict[str, Callable[..., tuple[Column | float, Column | float]]] = {
    "ablate": lambda: (0.0, 0.0),
    "invert": lambda: (-1.0, 1.0),
    "negate": lambda: (-1.0, 0.0),
    "scalar-multiply": lambda factor: (factor, 0.0),
    "offset": lambda delta: (1.0, delta),
}


@dataclass
class Points:
    """The numbers of the formula, each ``(batch, feature)``."""

    scale: Column
    offset: Column
    jump: Column
    slope: Column
    level: Column

    @classmethod
    def nothing(cls, batch: int, n_features: int) -> "Points":
        """Return the numbers that change nothing."""
        scale = np.ones((batch, n_features), np.float32)
        zeros = [np.zeros_like(scale) for _ in range(3)]
        return cls(scale, zeros[0], zeros[1], zeros[2], -np.ones_like(scale))

    def arrays(self) -> tuple[Column, ...]:
        """Return scale, offset, jump, slope and level."""
        return self.scale, self.offset, self.jump, self.slope, self.level


def is_pointwise(steps: Sequence[Step]) -> bool:
    """Return whether a layer's bends have such a formula, whatever the values of their parameters."""
    known = all(not step.bend.with_norm and _is_known(step.entry) for step in steps)
    return known and sum(step.entry.name == _THRESHOLD for step in steps) <= 1


def _is_known(entry: Transform) -> bool:
    return entry.name in {*_STRAIGHT, _THRESHOLD} and TRANSFORMS[entry.name] is entry


def points_of(steps: Sequence[Step], n_features: int, batch: int, times: Tensor | None = None) -> Points:
    """Return the numbers for bends that are `is_pointwise`, in their order.

    Parameters
    ----------
    times : Tensor of shape ``(batch,)`` or None
        For parameters that move.
    """
    points = Points.nothing(batch, n_features)
    for step in steps:
        values, mix = step.at(times)
        columns = [_column(value, batch) for value in values.values()]
        chosen = np.asarray(step.chosen, dtype=np.intp)
        if step.entry.name == _THRESHOLD:
            _add_threshold(points, chosen, columns[0], _column(mix, batch))
        else:
            _add_straight(points, chosen, _STRAIGHT[step.entry.name](*columns), _column(mix, batch))
    return points


def _column(value: Value, batch: int) -> Column:
    return np.broadcast_to(np.asarray(value, np.float32).reshape(-1, 1), (batch, 1))


def _add_straight(
    points: Points, chosen: NDArray[np.intp], line: tuple[Column | float, Column | float], mix: Column
) -> None:
    factor, summand = 1 + mix * (line[0] - 1), mix * line[1]
    for part in (points.scale, points.offset, points.jump):
        part[:, chosen] *= factor
    points.offset[:, chosen] += summand


def _add_threshold(points: Points, chosen: NDArray[np.intp], threshold: Column, mix: Column) -> None:
    points.slope[:, chosen] = points.scale[:, chosen]
    points.level[:, chosen] = points.offset[:, chosen] - threshold
    points.jump[:, chosen] = mix
    points.scale[:, chosen] *= 1 - mix
    points.offset[:, chosen] *= 1 - mix
