"""Plans that take turns: what is to be heard when, at every column and every sample of a sound."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.bending import Plan
from audiobend.bending.modulation import Level
from audiobend.spectral.stft import HOP_LENGTH

Curve = NDArray[np.float64]
"""Straight lines: ``(point, 2)``, each a position and the value there."""


@dataclass(frozen=True)
class Timeline:
    """What is heard of a sound at the model's sample rate; positions are columns or samples of it.

    Attributes
    ----------
    plans : sequence of Plan
        Those that the network runs by, each from its column on, over ``n_ramp`` columns. At least one.
    columns : sequence of int
        Where they begin, ascending; the first counts from the beginning, whatever it says.
    n_ramp : int > 0
    values : sequence of Plan
        Those whose output values count, each from its sample on.
    samples : sequence of int
        Where those begin, as of ``columns``.
    curves : mapping from mix, gain_db, bypass (by sample) and detail (by column) to Curve
        What was set, without what moves it.
    sample_rate : int, Hz
    began : float
        Seconds since the beginning of all movements at the first sample of the sound.
    """

    plans: Sequence[Plan]
    columns: Sequence[int]
    n_ramp: int
    values: Sequence[Plan]
    samples: Sequence[int]
    curves: dict[str, Curve]
    sample_rate: int
    began: float = 0.0
    _targets: frozenset[str] = field(init=False, repr=False, default=frozenset())

    def __post_init__(self) -> None:
        moved = frozenset(one.target for plan in self.values for one in plan.patch.modulation)
        object.__setattr__(self, "_targets", moved)

    def hearing(self, level: Level) -> "Timeline":
        """Return a timeline whose plans hear the level of this sound."""

        def heard(times: Tensor, rate_hz: float) -> Tensor:
            return level(times - self.began, rate_hz)

        plans = [plan.hearing(heard) if plan.follows else plan for plan in self.plans]
        values = [plan.hearing(heard) if plan.follows else plan for plan in self.values]
        return replace(self, plans=plans, values=values)

    def over(self, first: int, n: int) -> dict[int, Tensor]:
        """Return which plans are heard in ``n`` columns from ``first``, and how much of each: ``(n,)``, 1 in all."""
        columns = torch.arange(first, first + n)
        last = bisect_right(self.columns, first + n - 1, lo=1) - 1
        shares: dict[int, Tensor] = {}
        left = torch.ones(n)
        for index in range(last, -1, -1):
            risen = ((columns - self.columns[index] + 1) / self.n_ramp).clamp(0, 1) if index else torch.ones(n)
            if bool((left * risen > 0).any()):
                shares[index] = left * risen
            left = left * (1 - risen)
            if not bool((left > 0).any()):
                break
        return shares

    def at(self, sample: int) -> Plan:
        """Return the plan whose output values count at a sample."""
        return self.values[max(0, bisect_right(self.samples, sample, lo=1) - 1)]

    def curve(self, name: str, first: int, n: int, sample_rate: int | None = None) -> Tensor:
        """Return an output value at ``n`` samples from ``first``, at another sample rate if one is given; float32."""
        pace = self.sample_rate / (sample_rate or self.sample_rate)
        position: Curve = (first + np.arange(n, dtype=np.float64)) * pace
        return self._valued(name, position, position)

    def detail(self, first: int, n: int) -> Tensor:
        """Return how much detail ``n`` columns from ``first`` get back; float32."""
        columns: Curve = first + np.arange(n, dtype=np.float64)
        return self._valued("detail", columns, columns * HOP_LENGTH)

    def _valued(self, name: str, position: Curve, sample: Curve) -> Tensor:
        points = self.curves[name]
        values = np.interp(position, points[:, 0], points[:, 1])
        if f"output/{name}" in self._targets:
            values = values + self._movement(f"output/{name}", sample)
            low, high = (-60.0, 24.0) if name == "gain_db" else (0.0, 1.0)
            values = np.clip(values, low, high)
        return torch.from_numpy(values).float()

    def _movement(self, target: str, sample: Curve) -> Curve:
        """Return how far a value is from where it was set; worked out every 256 samples, and straight between."""
        knots = np.arange(sample[0] // HOP_LENGTH, sample[-1] // HOP_LENGTH + 2) if len(sample) else np.zeros(1)
        away = [self._away(target, int(knot) * HOP_LENGTH) for knot in knots]
        return np.interp(sample / HOP_LENGTH, knots, away)

    def _away(self, target: str, sample: int) -> float:
        plan = self.at(sample)
        seconds = max(0.0, sample / self.sample_rate + self.began)
        value = plan.value(target, torch.tensor([seconds], dtype=torch.float64))
        return float(value[0]) - float(plan.patch.get(target)) if isinstance(value, Tensor) else 0.0


def straight(value: float) -> list[tuple[float, float]]:
    """Return a line that stays at a value."""
    return [(0.0, value)]


def turned(points: list[tuple[float, float]], position: float, value: float, length: float) -> None:
    """Let a line turn to another value at a position, which it reaches after a length.

    >>> points = straight(1.0)
    >>> turned(points, 10, 0.0, 4); turned(points, 12, 1.0, 4)
    >>> points
    [(0.0, 1.0), (10, 1.0), (12, 0.5), (16, 1.0)]
    """
    if points[-1][1] == value:
        return
    now = float(np.interp(position, [one[0] for one in points], [one[1] for one in points]))
    while len(points) > 1 and points[-1][0] > position:
        points.pop()
    points += [(position, now), (position + length, value)]


def curves_of(lines: dict[str, list[tuple[float, float]]]) -> dict[str, Curve]:
    """Return lines as arrays."""
    return {name: np.array(points, dtype=np.float64) for name, points in lines.items()}
