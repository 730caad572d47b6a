"""Blocks of sound through the stages of a render: resampler, engine, what resampling loses, limiter."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from audiobend.bending import Plan
from audiobend.engine import Engine, bypass_curve, output_curve
from audiobend.io.resampling import StreamResampler
from audiobend.spectral.limiter import Limiter
from audiobend.spectral.stft import fit
from audiobend.timeline import Timeline

Blocks = Iterable[Tensor]


def through(engine: Engine, blocks: Blocks) -> Iterator[Tensor]:
    """Run blocks through an engine."""
    for block in blocks:
        yield engine.feed(block)
    yield engine.flush()


def resampled(blocks: Blocks, from_rate: int, to_rate: int, n_channels: int) -> Iterator[Tensor]:
    """Run blocks through a resampler (untouched where the rates are equal)."""
    resampler = StreamResampler(from_rate, to_rate, n_channels)
    for block in blocks:
        yield resampler.feed(block)
    yield resampler.flush()


def keeps_input(plan: Plan | Timeline) -> bool:
    """Whether dry sound or detail is heard anywhere, so that what resampling loses of the input would be missed."""
    if isinstance(plan, Timeline):
        return True
    output = plan.patch.output
    moves = any(one.target in ("output/mix", "output/detail") for one in plan.patch.modulation)
    return moves or output.mix < 1 or output.detail > 0


def with_lost_band(
    bent: Blocks, blocks: Blocks, sample_rate: int, model_rate: int, n_channels: int, plan: Plan | Timeline
) -> Iterator[Tensor]:
    """Give back what the model's sample rate cannot hold, as much as dry sound and detail are heard.

    What is lost is the input minus the input resampled there and back; it is added to the bent blocks in step.
    """
    waiting, lost, first = torch.zeros(n_channels, 0), torch.zeros(n_channels, 0), 0
    losses = _lost(blocks, sample_rate, model_rate, n_channels)
    for block in bent:
        waiting = torch.cat([waiting, block], dim=-1)
        while lost.shape[-1] < waiting.shape[-1] and (more := next(losses, None)) is not None:
            lost = torch.cat([lost, more], dim=-1)
        n = min(waiting.shape[-1], lost.shape[-1])
        yield waiting[:, :n] + _share(plan, first, n, sample_rate) * lost[:, :n]
        waiting, lost, first = waiting[:, n:], lost[:, n:], first + n
    yield waiting


def _lost(blocks: Blocks, sample_rate: int, model_rate: int, n_channels: int) -> Iterator[Tensor]:
    there = StreamResampler(sample_rate, model_rate, n_channels)
    back = StreamResampler(model_rate, sample_rate, n_channels)
    whole = torch.zeros(n_channels, 0)
    for block in blocks:
        whole = torch.cat([whole, block], dim=-1)
        held = back.feed(there.feed(block))
        yield whole[:, : held.shape[-1]] - held
        whole = whole[:, held.shape[-1] :]
    held = torch.cat([back.feed(there.flush()), back.flush()], dim=-1)
    yield whole - fit(held, whole.shape[-1])


def _share(plan: Plan | Timeline, first: int, n: int, sample_rate: int) -> Tensor:
    """Return how much of the input is heard at n samples: dry, and wet with detail."""
    mix, detail, gain_db = (output_curve(plan, name, first, n, sample_rate) for name in ("mix", "detail", "gain_db"))
    share: Tensor = (1 - mix + mix * detail) * 10 ** (gain_db / 20)
    return torch.lerp(share, torch.ones(1), bypass_curve(plan, first, n, sample_rate))


def limited(blocks: Blocks, sample_rate: int, n_channels: int) -> Iterator[Tensor]:
    """Run blocks through a limiter that looks 10 ms ahead."""
    limiter = Limiter(n_channels, n_look_ahead=max(3, round(sample_rate / 100)))
    for block in blocks:
        yield limiter.feed(block)
    yield limiter.flush()
