"""Phase from magnitudes alone, in one pass.

Every function takes magnitudes `(..., 513, time)` as `stft(...).abs()` gives them; leading dimensions are
worked through one by one, so that a batch gives what its members give. NaN and infinities count as silence.
Phases are those of `stft`, in radians.
"""

import math
from collections.abc import Callable
from itertools import repeat
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from audiobend.errors import AudioError
from audiobend.spectral import _phase_kernels
from audiobend.spectral.stft import N_BINS

SILENT = 1e-30    # keeps logarithms finite
NEAR = 43    # columns, a quarter of a second: a quiet passage is not noise because a loud one comes later
LOUDEST = 1e9    # bins are clamped here so that their squares stay finite; full scale is 512
Solve = Callable[[Tensor, Any], Tensor]


def pghi(magnitude: Tensor, *, tol: float = 5e-3, seed: int = 0, known: Tensor | None = None) -> Tensor:
    """Return the phase of `magnitude` by phase gradient heap integration (Prusa, Balazs & Sondergaard 2017).

    Args:
        magnitude: `(..., 513, time)`.
        tol: bins under `tol` times the loudest within a quarter of a second get a random phase. 5e-3 is enough
            as a start for sweeps; use 1e-6 to listen to the phase as it is.
        seed: of the random phase.
        known: phase in radians, same shape, NaN where it is wanted; the integration goes on from known bins.

    Returns:
        Phase in radians, same shape.
    """
    check_range("pghi", "tol", tol, 0, 1)

    def solve(target: Tensor, given: Tensor | None) -> Tensor:
        loudest = F.max_pool1d(target.amax(1)[None], 2 * NEAR + 1, 1, NEAR)[0]
        wanted = target > (tol * loudest).clamp_min(SILENT)[:, None]
        phase = torch.where(wanted, torch.nan, _uniform(target, seed))
        borders = wanted.new_zeros(0)
        if given is not None:
            wanted &= given.isnan()
            phase = torch.where(given.isnan(), phase, _recentred(given))
            borders = (~given.isnan() & (_loudest_neighbour(wanted.float()) > 0)).flatten()
        level = (target + SILENT).log()
        loudness = torch.where(wanted, level, -torch.inf)
        # The integration reaches all but the loudest bin of an island, so that other bins need not be sorted.
        seeds = (wanted & (loudness >= _loudest_neighbour(loudness))).flatten().nonzero()[:, 0]
        seeds = seeds[level.flatten()[seeds].argsort(descending=True, stable=True)]
        phase = phase.contiguous()
        _phase_kernels.pghi(level.numpy(), phase.numpy(), borders.nonzero()[:, 0].numpy(), seeds.numpy())
        return _recentred(phase)

    return each_channel(magnitude, known, solve)


def spsi(magnitude: Tensor, *, known: Tensor | None = None) -> Tensor:
    """Return the phase of `magnitude` by single-pass spectrogram inversion (Beauregard, Harish & Wyse 2015).

    Some times cheaper than `pghi`, and causal; as a start for sweeps 4 dB behind it, with drums much more.

    Args:
        magnitude: `(..., 513, time)`.
        known: phase in radians, same shape; columns that begin with NaN are wanted.

    Returns:
        Phase in radians, same shape.
    """

    def solve(target: Tensor, given: Tensor | None) -> Tensor:
        phase = torch.full_like(target, torch.nan) if given is None else _recentred(given).contiguous()
        _phase_kernels.spsi((target + SILENT).log().numpy(), phase.numpy())
        return _recentred(phase)

    return each_channel(magnitude, known, solve)


def random_phase(magnitude: Tensor, *, seed: int = 0) -> Tensor:
    """Return a random phase of the shape of `magnitude`, -pi..pi, the same for every member of a batch."""
    return each_channel(magnitude, None, lambda target, _: _uniform(target, seed))


def clean(magnitude: Tensor) -> Tensor:
    """Return float32 magnitudes on the CPU, finite and >= 0, or raise `AudioError` for another shape."""
    if magnitude.ndim < 2 or magnitude.shape[-2] != N_BINS:
        shape = " x ".join(str(n) for n in magnitude.shape)
        raise AudioError(f"magnitudes must be (..., {N_BINS}, time), frequency before time, got {shape}")
    finite = torch.nan_to_num(magnitude.detach().cpu().float(), nan=0.0, posinf=0.0, neginf=0.0)
    return finite.clamp(0, LOUDEST)


def direction(spectrum: Tensor, seed: int = 0) -> Tensor:
    """Return a spectrum `(..., 513, time)` with every magnitude 1; bins without a phase get a random one."""
    finite = torch.complex(torch.nan_to_num(spectrum.real, 0, 0, 0), torch.nan_to_num(spectrum.imag, 0, 0, 0))
    silent = finite == 0
    if not silent.any():
        return torch.sgn(finite)
    return torch.where(silent, rotation(random_phase(finite.real, seed=seed)), torch.sgn(finite))


def rotation(phase: Tensor) -> Tensor:
    """Return `exp(i * phase)`."""
    return torch.polar(torch.ones_like(phase), phase)


def check_range(function: str, name: str, value: float, low: float, high: float) -> None:
    """Raise `AudioError` unless `low <= value <= high`."""
    if not low <= value <= high:
        raise AudioError(f"{function}: {name} must be in {low:g}..{high:g}, got {value:g}")


def check_count(function: str, name: str, value: int) -> None:
    """Raise `AudioError` for a negative number."""
    if value < 0:
        raise AudioError(f"{function}: {name} must be 0 or more, got {value}")


def each_channel(magnitude: Tensor, extra: Tensor | None, solve: Solve) -> Tensor:
    """Run the time-major `solve(magnitude, extra)` for every leading index."""
    target = clean(magnitude)
    shape = target.shape
    if target.numel() == 0:
        return target
    rows = (-1, *shape[-2:])
    targets = target.reshape(rows).mT.contiguous()
    extras = repeat(None) if extra is None else extra.detach().cpu().expand(shape).reshape(rows).mT
    solved = [solve(one, other) for one, other in zip(targets, extras, strict=False)]
    return torch.stack(solved).mT.reshape(shape)


def _uniform(target: Tensor, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(target.shape, generator=generator) - 0.5) * (2 * math.pi)


def _loudest_neighbour(values: Tensor) -> Tensor:
    """Return the maximum of the four neighbours of every bin of `(frame, bin)`."""
    around = F.pad(values, (1, 1, 1, 1), value=-torch.inf)
    across = torch.maximum(around[1:-1, :-2], around[1:-1, 2:])
    return torch.maximum(across, torch.maximum(around[:-2, 1:-1], around[2:, 1:-1]))


def _recentred(phase: Tensor) -> Tensor:
    """Turn phases relative to a frame's start into phases relative to its centre, or back."""
    turned = phase.clone()
    turned[..., 1::2] += math.pi
    return turned
