"""What moves parameters in an exported file: the oscillators of a patch, and the loudness of the input."""

import math

import torch
from torch import Tensor, nn

from audiobend.bending import Patch
from audiobend.bending.features import stable_key
from audiobend.bending.modulation import FOLLOW, LFOS, OFF, Modulation
from audiobend.bending.movement import canonical
from audiobend.export.slots import Slots
from audiobend.spectral.follow import QUIETEST_DB, REMEMBERED
from audiobend.spectral.stft import HOP_LENGTH

SHAPES = (*LFOS, FOLLOW)
N_DRAWN = 8192
"""Periods after which a random oscillator begins again: the file holds its numbers, it cannot draw them."""


class Movement(nn.Module):
    """Base values in, values at a time out.

    Parameters
    ----------
    patch : Patch
        Movements of what has no place in ``slots`` are left out.
    slots : Slots
        Rate, depth and phase of every movement get places of their own.
    sample_rate : int, Hz
    """

    drawn: Tensor
    power: Tensor
    moved: list[int]
    shapes: list[int]
    rates: list[int]
    depths: list[int]
    phases: list[int]
    lows: list[float]
    highs: list[float]
    whole: list[bool]

    def __init__(self, patch: Patch, slots: Slots, sample_rate: int) -> None:
        super().__init__()
        self.hop_length, self.sample_rate, self.remembered = HOP_LENGTH, sample_rate, REMEMBERED
        self.quietest_db, self.n_drawn, self.n_heard = QUIETEST_DB, N_DRAWN, 0
        self.moved, self.shapes, self.rates, self.depths, self.phases = [], [], [], [], []
        self.lows, self.highs, self.whole = [], [], []
        tables = [self._add(patch, one, slots) for one in patch.modulation if _acts(patch, one, slots)]
        self.register_buffer("drawn", torch.stack(tables) if tables else torch.zeros(0, 1, dtype=torch.float64))
        self.follows = SHAPES.index(FOLLOW) in self.shapes
        self.register_buffer("power", torch.zeros(REMEMBERED if self.follows else 0, dtype=torch.float64))

    def _add(self, patch: Patch, one: Modulation, slots: Slots) -> Tensor:
        target, param = canonical(patch, one.target), patch.param(one.target)
        name = f"{target}/lfo"
        name = name if f"{name}/rate" not in slots.where else f"{name}-{len(self.moved)}"
        self.moved.append(slots[target])
        self.shapes.append(SHAPES.index(one.lfo))
        self.rates.append(slots.add(f"{name}/rate", one.rate_hz))
        self.depths.append(slots.add(f"{name}/depth", one.depth))
        self.phases.append(slots.add(f"{name}/phase", one.phase))
        self.lows.append(float(param.low))
        self.highs.append(float(param.high))
        self.whole.append(param.integer)
        if one.lfo != "random":
            return torch.zeros(N_DRAWN, dtype=torch.float64)
        key = stable_key(patch.seed, "lfo", one.target)
        return LFOS["random"](torch.arange(N_DRAWN, dtype=torch.float64), key)

    @torch.jit.export
    def reset(self) -> None:
        """Forget what was heard."""
        self.power = torch.zeros_like(self.power)
        self.n_heard = 0

    @torch.jit.export
    def hear(self, samples: Tensor) -> None:
        """Take whole hops of the input, ``(channel, time)``."""
        n = samples.shape[1] // self.hop_length
        self.n_heard += n
        if self.follows:
            new = samples.double().square().reshape(samples.shape[0], n, self.hop_length).mean([0, 2])
            self.power = torch.cat([self.power[n:], new])

    @torch.jit.export
    def level(self, time: float, rate: float) -> float:
        """Return the input's loudness at a time, 0 at -60 dB of full scale and below, 1 at 0 dB."""
        hop = int(time * self.sample_rate) // self.hop_length
        n = max(0, min(self.remembered, self.remembered - self.n_heard + hop))
        before = self.power[:n].flip([0])
        keep = math.exp(-2 * math.pi * rate * self.hop_length / self.sample_rate)
        ages = torch.arange(n, dtype=torch.float64, device=before.device)
        power = float((before * torch.pow(keep, ages)).sum().item()) * (1 - keep)
        if power <= 0:
            return 0.0
        return min(max(1.0 - 10 * math.log10(power) / self.quietest_db, 0.0), 1.0)

    @torch.jit.export
    def shape(self, index: int, time: float, rate: float, phase: float) -> float:
        """Return an oscillator's value at a time, between -1 and 1; of the input's loudness between 0 and 1."""
        kind = self.shapes[index]
        cycles = time * rate + phase
        share = cycles - math.floor(cycles)
        if kind == 0:
            return math.sin(2 * math.pi * cycles)
        if kind == 1:
            quarter = cycles + 0.25
            return 1.0 - 4 * abs(quarter - math.floor(quarter) - 0.5)
        if kind == 2:
            return 1.0 if share < 0.5 else -1.0
        if kind == 3:
            return float(self.drawn[index, math.floor(cycles) % self.n_drawn].item())
        return self.level(time, rate)

    def forward(self, values: list[float], time: float) -> list[float]:
        """Return the values at ``time`` in seconds; the list that is given stays as it is."""
        if len(self.moved) == 0:
            return values
        out = values.copy()
        for i in range(len(self.moved)):
            depth = values[self.depths[i]]
            out[self.moved[i]] += depth * self.shape(i, time, values[self.rates[i]], values[self.phases[i]])
        for i in range(len(self.moved)):
            value = out[self.moved[i]]
            value = float(math.floor(value + 0.5)) if self.whole[i] else value
            out[self.moved[i]] = min(max(value, self.lows[i]), self.highs[i])
        return out


def _acts(patch: Patch, one: Modulation, slots: Slots) -> bool:
    return one.lfo != OFF and canonical(patch, one.target) in slots.where
