"""What stands between the network and the ear: no offset, mix, gain, nothing above full scale, panic and bypass."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from audiobend.spectral.filters import Filter, lowpass3
from audiobend.spectral.follow import Glide
from audiobend.spectral.limiter import CEILING, Limiter
from audiobend.spectral.stft import HOP_LENGTH

Samples = NDArray[np.float32]

LIMITER_DELAY = 220
"""Samples by which the limiter sees peaks come: 5 ms."""
LOUDEST_SAMPLE = 4.0
"""12 dB over full scale. No sound card gives more, and what is more would keep the input gain down for minutes."""
OFFSET_HZ = 2.0
BYPASS_HOPS, PANIC_HOPS = 4, 2
_RAMP = np.arange(1, HOP_LENGTH + 1, dtype=np.float32) / np.float32(HOP_LENGTH)


def bypass_hops(stride: int) -> int:
    """Return over how many hops bypass fades, so that a panic is over within one stride of so many columns."""
    return max(1, min(BYPASS_HOPS, stride - 1))


def clean(block: Samples) -> Samples:
    """Return samples that are numbers within reason; sane ones as they are, bit for bit."""
    finite = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(finite, -LOUDEST_SAMPLE, LOUDEST_SAMPLE).astype(np.float32, copy=False)


class OffsetBlocker:
    """Take away the offset (0 to some Hz) that bends have put in.

    Only what exceeds the input's own is taken, so that a sound which is not bent passes bit for bit, bass and all.
    """

    def __init__(self, n_channels: int, sample_rate: int) -> None:
        self._filter = Filter(lowpass3(OFFSET_HZ, sample_rate), 2 * n_channels)

    def reset(self) -> None:
        """Forget every offset."""
        self._filter.reset()

    def feed(self, wet: Samples, dry: Samples) -> Samples:
        """Return the wet samples ``(channel, time)`` without what the dry ones have less of."""
        made, own = np.split(self._filter.feed(np.concatenate([wet, dry])), 2)
        excess = np.sign(made) * np.maximum(np.abs(made) - np.abs(own), 0.0)
        out: Samples = wet - excess.astype(np.float32)
        return out


class Wanted(NamedTuple):
    """What is wanted of a hop: the value that was set, and what it is at the hop's start and end."""

    mix: tuple[object, float, float]
    gain_db: tuple[object, float, float]
    limiter: bool


class Output:
    """Wet samples to what leaves the engine, `LIMITER_DELAY` samples later.

    Parameters
    ----------
    latency : int >= 256
        Samples from the beginning of the wet hop to the end of the newest dry one that comes with it.
    bypass_hops : int > 0
        Over which bypass fades.
    """

    def __init__(self, n_channels: int, sample_rate: int, latency: int, bypass_hops: int = BYPASS_HOPS) -> None:
        self.n_channels, self.latency, self._bypass_hops = n_channels, latency, bypass_hops
        self._offset = OffsetBlocker(n_channels, sample_rate)
        self._limiter = Limiter(n_channels, n_look_ahead=LIMITER_DELAY + 1)
        self._dry = np.zeros((n_channels, latency + LIMITER_DELAY), np.float32)
        self._bypass = self._panic = False
        self.reset()

    def reset(self) -> None:
        """Start with silence again; bypass stays."""
        self._dry[:] = 0
        self._mix, self._gain, self._bypassed, self._open = (
            Glide(steps) for steps in (BYPASS_HOPS, BYPASS_HOPS, self._bypass_hops, PANIC_HOPS)
        )
        self._panic = False
        self._is_shut = False
        self.forget()

    def forget(self) -> None:
        """Drop the sound that is under way, all but the dry."""
        self._offset.reset()
        self._limiter.reset()
        self._limiter.feed(torch.zeros(self.n_channels, LIMITER_DELAY))

    def panic(self) -> None:
        """Fade out; `is_shut` is true when it has, and the next hop opens again."""
        self._panic = True

    def bypass(self, on: bool) -> None:
        """Fade to the dry sound as it came, or back."""
        self._bypass = on

    @property
    def is_shut(self) -> bool:
        """Whether a panic has faded out: now everything can be forgotten unheard."""
        return self._is_shut

    def check(self, wet: Samples) -> Samples:
        """Return all the wet samples that the next hops will bring: finite, and without an offset."""
        first = LIMITER_DELAY + HOP_LENGTH    # the hop that is coming in is not yet in its place
        finite = np.nan_to_num(wet, nan=0.0, posinf=0.0, neginf=0.0)
        return self._offset.feed(finite, self._dry[:, first : first + wet.shape[1]])

    def feed(self, wet: Samples, new: Samples, wanted: Wanted) -> Samples:
        """Take a hop of checked wet samples and the newest of the input, ``(channel, 256)``; return a hop."""
        self._dry[:, :-HOP_LENGTH] = self._dry[:, HOP_LENGTH:]
        self._dry[:, -HOP_LENGTH:] = new
        dry = self._dry[:, LIMITER_DELAY : LIMITER_DELAY + HOP_LENGTH]
        out = wet
        mix = self._mix.step(*wanted.mix)
        if mix != (1.0, 1.0):
            out = dry + _ramp(mix) * (out - dry)
        gain = self._gain.step(*wanted.gain_db)
        if gain != (0.0, 0.0):
            out = out * np.float32(10) ** (_ramp(gain) / np.float32(20))
        if not wanted.limiter:
            out = np.clip(out, -CEILING, CEILING)
        out = self._limiter.feed(torch.from_numpy(out)).numpy()
        return self._bypass_over(self._fade(out), self._dry[:, :HOP_LENGTH])

    def _fade(self, out: Samples) -> Samples:
        target = 0.0 if self._panic else 1.0
        share = self._open.step(target, target, target)
        self._is_shut = self._panic and share[1] == 0.0
        if self._is_shut:
            self._panic = False
        return out if share == (1.0, 1.0) else out * _ramp(share)

    def _bypass_over(self, out: Samples, dry: Samples) -> Samples:
        target = float(self._bypass)
        share = self._bypassed.step(target, target, target)
        if share == (1.0, 1.0):
            return dry.copy()
        return out if share == (0.0, 0.0) else out + _ramp(share) * (dry - out)


def _ramp(ends: tuple[float, float]) -> Samples:
    """Return a straight line over a hop."""
    start, end = ends
    return np.float32(start) + np.float32(end - start) * _RAMP
