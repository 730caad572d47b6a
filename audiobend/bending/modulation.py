"""Parameters that move: low-frequency oscillators as pure functions of time, and the level of the input."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from audiobend.bending.features import stable_key
from audiobend.bending.transform import Param
from audiobend.bending.values import shown
from audiobend.errors import PatchError, did_you_mean

OFF, FOLLOW = "off", "follow"

Level = Callable[[Tensor, float], Tensor]
"""The input's loudness, 0..1, at times ``(batch,)`` in seconds, as followed at a rate in Hz; float64 ``(batch,)``."""

MODULATION_PARAMS = {
    "rate_hz": Param("rate_hz", 0, 100, default=0.2, unit="Hz"),
    "depth": Param("depth", -65536, 65536, default=1, help="in the unit of the target"),
    "phase": Param("phase", 0, 1, default=0, unit="of a period"),
}


@dataclass(frozen=True)
class Modulation:
    """One movement of one parameter: ``value(t) = base + depth * lfo(rate_hz * t + phase)``.

    Attributes
    ----------
    target : str
        ``"<bend id>/<parameter>"``, ``"<bend id>/mix"``, ``"output/"`` with mix, detail or gain_db, or
        ``"latent/<axis>/<op>"``.
    lfo : "sine", "triangle", "square", "random", "follow" or "off"
        The first four run between -1 and 1; random holds one drawn value per period. ``follow`` is the input's
        loudness, from 0 at -60 dB of full scale to 1 at 0 dB. ``off`` moves nothing, and keeps the other values.
    rate_hz : float in 0..100, periods per second
        Of ``follow``: how quickly it follows; 0 not at all.
    depth : float, in the unit of the target
    phase : float in 0..1, where in its period the oscillator is at 0 seconds
    """

    target: str
    lfo: str = "sine"
    rate_hz: float = 0.2
    depth: float = 1.0
    phase: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.lfo, str) or self.lfo not in SHAPES:
            raise PatchError(f"unknown lfo {shown(self.lfo)}{did_you_mean(self.lfo, SHAPES)}")
        for name, param in MODULATION_PARAMS.items():
            object.__setattr__(self, name, float(param.check(getattr(self, name), self.target)))

    def at(self, times: Tensor, seed: int = 0, level: Level | None = None) -> Tensor:
        """Return ``depth * lfo`` at ``times`` in seconds, ``(batch,)``; float64, same shape, on the CPU.

        Without a ``level`` there is nothing to follow, as in silence.
        """
        moments = times.detach().double().cpu()
        if self.lfo == FOLLOW:
            return self.depth * (torch.zeros_like(moments) if level is None else level(moments, self.rate_hz))
        if self.lfo == OFF:
            return torch.zeros_like(moments)
        cycles = moments * self.rate_hz + self.phase
        return self.depth * LFOS[self.lfo](cycles, stable_key(seed, "lfo", self.target))


def sine(cycles: Tensor, key: int = 0) -> Tensor:
    """0 at the beginning of a period, 1 at its first quarter."""
    return torch.sin(2 * math.pi * cycles)


def triangle(cycles: Tensor, key: int = 0) -> Tensor:
    """As `sine`, in straight lines."""
    return 4 * (torch.remainder(cycles + 0.25, 1) - 0.5).abs().neg() + 1


def square(cycles: Tensor, key: int = 0) -> Tensor:
    """1 in the first half of a period, -1 in the second."""
    return torch.where(torch.remainder(cycles, 1) < 0.5, 1.0, -1.0).to(cycles.dtype)


def random(cycles: Tensor, key: int = 0) -> Tensor:
    """One value per period, evenly drawn from -1..1, by ``key`` and the number of the period only."""
    drawn = [stable_key(key, int(period)) / 2**62 - 1 for period in torch.floor(cycles).tolist()]
    return torch.tensor(drawn, dtype=cycles.dtype)


LFOS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "sine": sine,
    "triangle": triangle,
    "square": square,
    "random": random,
}


SHAPES = ("off", *LFOS, FOLLOW)
"""What a movement can be."""


@dataclass(frozen=True)
class Moving:
    """A parameter with what moves it; several movements of one parameter add up."""

    param: Param
    oscillators: tuple[Modulation, ...]
    seed: int
    level: Level | None = None

    @property
    def follows(self) -> bool:
        """Whether the input's level is wanted."""
        return any(one.lfo == FOLLOW for one in self.oscillators)

    def at(self, base: float, times: Tensor) -> Tensor:
        """Return the values at ``times``, float64 ``(batch,)``: in the parameter's range, whole if it is."""
        value = sum((one.at(times, self.seed, self.level) for one in self.oscillators), torch.zeros(1).double()) + base
        if self.param.integer:
            value = torch.floor(value + 0.5)
        return value.clamp(self.param.low, self.param.high)

    def values(self, base: float, times: Tensor) -> tuple[float | int, ...]:
        """Return the same as plain numbers, one for each item of the batch."""
        numbers = self.at(base, times).tolist()
        return tuple(int(number) for number in numbers) if self.param.integer else tuple(numbers)
