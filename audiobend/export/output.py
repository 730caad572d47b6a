"""What stands between network and ear in an exported file; `audiobend.spectral.guard` compiled.

The blocker of offsets is the same recursive filter worked out 256 samples at once: its matrices are measured from the
filter itself when the file is made.
"""

import numpy as np
import torch
from torch import Tensor, nn

from audiobend.spectral.filters import Filter, lowpass3
from audiobend.spectral.guard import BYPASS_HOPS, LIMITER_DELAY, OFFSET_HZ
from audiobend.spectral.limiter import CEILING
from audiobend.spectral.stft import HOP_LENGTH


class Glide(nn.Module):
    """A value that moves by itself, or jumps when someone turns it; `audiobend.spectral.follow.Glide`."""

    def __init__(self, n_steps: int) -> None:
        super().__init__()
        self.n_steps, self.left, self.begun = n_steps, 0, False
        self.base, self.offset, self.end = 0.0, 0.0, 0.0

    @torch.jit.export
    def reset(self) -> None:
        """Take the next value without a ramp."""
        self.left, self.begun = 0, False
        self.base, self.offset, self.end = 0.0, 0.0, 0.0

    def forward(self, base: float, start: float, end: float) -> tuple[float, float]:
        """Return the value at the start and the end of this step."""
        if not self.begun:
            self.begun, self.base, self.end = True, base, start
        if base != self.base:
            self.base, self.offset, self.left = base, self.end - start, self.n_steps
        before = start + self.offset * self.left / self.n_steps
        self.left = max(0, self.left - 1)
        self.end = end + self.offset * self.left / self.n_steps
        return before, self.end


class OffsetBlocker(nn.Module):
    """Take away the offset that bends have put in; only what exceeds the input's own."""

    impulse: Tensor    # (256, 256): samples to samples
    to_state: Tensor    # (256, state)
    from_state: Tensor    # (state, 256)
    carried: Tensor    # (state, state)
    state: Tensor

    def __init__(self, n_channels: int, sample_rate: int) -> None:
        super().__init__()
        self.hop_length = HOP_LENGTH
        sections = lowpass3(OFFSET_HZ, sample_rate)
        n_state = 2 * len(sections)

        def respond(samples: "np.ndarray[tuple[int], np.dtype[np.float64]]", state: int = -1) -> tuple[Tensor, Tensor]:
            one = Filter(sections, n_signals=1)
            if state >= 0:
                one.state.flat[state] = 1.0
            out = one.feed(samples[None])
            return torch.from_numpy(out[0]), torch.from_numpy(one.state.flatten())

        units = [respond(unit) for unit in np.eye(HOP_LENGTH)]
        states = [respond(np.zeros(HOP_LENGTH), state) for state in range(n_state)]
        self.register_buffer("impulse", torch.stack([out for out, _ in units]))
        self.register_buffer("to_state", torch.stack([after for _, after in units]))
        self.register_buffer("from_state", torch.stack([out for out, _ in states]))
        self.register_buffer("carried", torch.stack([after for _, after in states]))
        self.register_buffer("state", torch.zeros(2, n_channels, n_state, dtype=torch.float64))

    @torch.jit.export
    def reset(self) -> None:
        """Forget every offset."""
        self.state = torch.zeros_like(self.state)

    def forward(self, wet: Tensor, dry: Tensor) -> Tensor:
        """Return the wet samples ``(channel, time)`` without what the dry ones have less of."""
        signals = torch.stack([wet, dry]).double()
        blocks = signals.reshape(2, wet.shape[0], -1, self.hop_length)
        out, added = blocks @ self.impulse, blocks @ self.to_state
        parts: list[Tensor] = []
        state = self.state
        for block in range(blocks.shape[2]):
            parts.append(out[:, :, block] + state @ self.from_state)
            state = state @ self.carried + added[:, :, block]
        self.state = torch.where(state.abs() < 1e-30, torch.zeros_like(state), state)
        low = torch.cat(parts, dim=-1)
        excess = torch.sign(low[0]) * (low[0].abs() - low[1].abs()).clamp(min=0.0)
        return wet - excess.float()


class Limiter(nn.Module):
    """A look-ahead limiter that takes 256 samples and gives 256, `LIMITER_DELAY` later."""

    kernel: Tensor
    gains: Tensor
    pending: Tensor

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.ceiling, self.n_look_ahead, self.hop_length = CEILING, LIMITER_DELAY + 1, HOP_LENGTH
        kernel = np.hanning(self.n_look_ahead + 2)[1:-1]
        self.register_buffer("kernel", torch.from_numpy(kernel / kernel.sum()).view(1, 1, -1))
        self.register_buffer("gains", torch.ones(2 * LIMITER_DELAY, dtype=torch.float64))
        self.register_buffer("pending", torch.zeros(n_channels, LIMITER_DELAY))

    @torch.jit.export
    def reset(self) -> None:
        """Forget everything."""
        self.gains = torch.ones_like(self.gains)
        self.pending = torch.zeros_like(self.pending)

    def forward(self, samples: Tensor) -> Tensor:
        """Return the samples ``(channel, 256)`` whose gain is known."""
        samples = torch.nan_to_num(samples, 0.0, 0.0, 0.0)
        pending = torch.cat([self.pending, samples], dim=1)
        peak = samples.abs().amax(dim=0).double()
        gains = torch.cat([self.gains, self.ceiling / peak.clamp(min=self.ceiling)])
        n = self.hop_length
        out, self.pending, self.gains = pending[:, :n], pending[:, n:], gains[n:]
        if bool((gains == 1.0).all()):
            return out
        lowest = gains.unfold(0, self.n_look_ahead, 1).amin(-1)
        smooth = torch.nn.functional.conv1d(lowest.view(1, 1, -1), self.kernel).view(-1)
        return (out * smooth.float()).clamp(-self.ceiling, self.ceiling)


class Output(nn.Module):
    """Wet samples to what leaves the file: mix, gain, limiter."""

    ramp: Tensor
    dry: Tensor

    def __init__(self, n_channels: int, sample_rate: int, latency: int) -> None:
        super().__init__()
        self.hop_length, self.delay, self.ceiling = HOP_LENGTH, LIMITER_DELAY, CEILING
        self.offset, self.limiter = OffsetBlocker(n_channels, sample_rate), Limiter(n_channels)
        self.mix, self.gain = Glide(BYPASS_HOPS), Glide(BYPASS_HOPS)
        self.register_buffer("ramp", torch.arange(1, HOP_LENGTH + 1, dtype=torch.float32) / HOP_LENGTH)
        self.register_buffer("dry", torch.zeros(n_channels, latency))

    @torch.jit.export
    def reset(self) -> None:
        """Start with silence again."""
        self.offset.reset()
        self.limiter.reset()
        self.mix.reset()
        self.gain.reset()
        self.dry = torch.zeros_like(self.dry)

    @torch.jit.export
    def check(self, wet: Tensor) -> Tensor:
        """Return the wet samples that the next hops will bring: finite, and without an offset."""
        first = self.delay + self.hop_length    # the hop that is coming in is not yet in its place
        finite = torch.nan_to_num(wet, 0.0, 0.0, 0.0)
        out: Tensor = self.offset(finite, self.dry[:, first : first + wet.shape[1]])
        return out

    @torch.jit.export
    def line(self, ends: tuple[float, float]) -> Tensor:
        """Return a straight line over a hop."""
        return ends[0] + (ends[1] - ends[0]) * self.ramp

    def forward(
        self, wet: Tensor, new: Tensor, mix: tuple[float, float, float], gain_db: tuple[float, float, float],
        limited: bool,
    ) -> Tensor:    # fmt: skip
        """Take a hop of checked wet samples and the newest of the input; return a hop.

        ``mix`` and ``gain_db`` are what was set, and the values at the hop's start and end.
        """
        self.dry = torch.cat([self.dry[:, self.hop_length :], new], dim=1)
        dry = self.dry[:, self.delay : self.delay + self.hop_length]
        out = wet
        share: tuple[float, float] = self.mix(mix[0], mix[1], mix[2])
        if share[0] != 1.0 or share[1] != 1.0:
            out = dry + self.line(share) * (out - dry)
        gain: tuple[float, float] = self.gain(gain_db[0], gain_db[1], gain_db[2])
        if gain[0] != 0.0 or gain[1] != 0.0:
            out = out * torch.pow(10.0, self.line(gain) / 20)
        if not limited:
            out = out.clamp(-self.ceiling, self.ceiling)
        result: Tensor = self.limiter(out)
        return result
