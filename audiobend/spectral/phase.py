"""Waveforms from magnitudes by Griffin-Lim sweeps; the estimates to start them from are here as well.

Every function takes magnitudes `(..., 513, time)` as `stft(...).abs()` gives them; leading dimensions are
worked through one by one, so that a batch gives what its members give. NaN and infinities count as silence,
and silence stays exactly silent.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from audiobend.spectral.estimates import (
    check_count,
    check_range,
    direction,
    each_channel,
    pghi,
    random_phase,
    rotation,
    spsi,
)
from audiobend.spectral.stft import HOP_LENGTH, N_BINS, N_FFT, istft
from audiobend.spectral.sweeps import Sweeps

__all__ = ["griffin_lim", "pghi", "raar", "random_phase", "spsi", "warm_up"]

Init = Tensor | Literal["random"] | None


def griffin_lim(
    magnitude: Tensor,
    *,
    n_iter: int = 32,
    momentum: float = 0.99,
    init: Init = None,
    length: int | None = None,
    seed: int = 0,
) -> Tensor:
    """Return a waveform `(..., length)` whose spectrogram is near `magnitude`, by fast Griffin-Lim.

    The same algorithm as `librosa.griffinlim` and `torchaudio.functional.griffinlim` (Perraudin, Balazs &
    Sondergaard 2013); `momentum=0` is the original of Griffin & Lim 1984.

    Args:
        magnitude: `(..., 513, time)`.
        n_iter: sweeps, >= 0.
        momentum: 0..1; beyond 1 it diverges.
        init: where to start: a phase in radians or a complex spectrum, `(..., 513, time)`; or at random.
        length: samples to return, default `256 * (time - 1)`.
        seed: of the random start.

    Raises:
        AudioError: a number outside its range, or magnitudes of another shape.

    >>> griffin_lim(torch.rand(2, 513, 9), n_iter=2).shape
    torch.Size([2, 2048])
    """
    check_range("griffin_lim", "momentum", momentum, 0, 1)
    check_count("griffin_lim", "n_iter", n_iter)
    return _iterate(magnitude, init, length, seed, lambda sweeps: sweeps.fast(n_iter, momentum))


def raar(
    magnitude: Tensor,
    *,
    n_iter: int = 32,
    beta: float = 0.9,
    tail: int = 8,
    init: Init = None,
    length: int | None = None,
    seed: int = 0,
) -> Tensor:
    """Return a waveform `(..., length)` by relaxed averaged alternating reflections (Luke 2005).

    Built of Griffin-Lim's two projections and as cheap per sweep; from 32 sweeps up it comes clearly nearer.

    Args:
        n_iter: sweeps in all, of which the last `tail` are fast Griffin-Lim (8 to 16 are enough).
        beta: 0.5..1; 0.95 pays from 100 sweeps up.

    The other arguments and the errors are those of `griffin_lim`.
    """
    check_range("raar", "beta", beta, 0.5, 1)
    check_count("raar", "n_iter", n_iter)
    check_count("raar", "tail", tail)
    last = min(tail, n_iter)
    return _iterate(magnitude, init, length, seed, lambda sweeps: sweeps.raar(n_iter - last, beta).fast(last))


def warm_up() -> None:
    """Compile everything (or load it from numba's cache), so that no sound has to wait for it."""
    magnitude = torch.rand(N_BINS, 4, generator=torch.Generator().manual_seed(0))
    for phase in (pghi(magnitude), spsi(magnitude)):
        raar(magnitude, n_iter=4, tail=2, init=phase)
        griffin_lim(magnitude, n_iter=1, momentum=0, init=phase)


def _iterate(
    magnitude: Tensor, init: Init, length: int | None, seed: int, run: Callable[[Sweeps], Sweeps]
) -> Tensor:
    natural = HOP_LENGTH * max(0, magnitude.shape[-1] - 1)
    end = N_FFT // 2 + max(natural, length or 0)

    def solve(target: Tensor, start: Tensor) -> Tensor:
        return run(Sweeps(target, target * start, end=end)).spectrum()

    spectrum = each_channel(magnitude, _start(magnitude, init, seed), solve)
    return istft(spectrum, natural if length is None else length).to(magnitude.device)


def _start(magnitude: Tensor, init: Init, seed: int) -> Tensor:
    """Return where sweeps start, as a spectrum with every magnitude 1."""
    if init is None or isinstance(init, str):
        return rotation(random_phase(magnitude, seed=seed))
    if init.is_complex():
        return direction(init, seed)
    return rotation(torch.nan_to_num(init.float(), 0, 0, 0))
