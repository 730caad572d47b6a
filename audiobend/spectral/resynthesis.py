"""From bent magnitudes back to samples, for tracks of any length at constant memory."""

from collections.abc import Iterable
from typing import get_args

import torch
from torch import Tensor

from audiobend.errors import AudioError, did_you_mean
from audiobend.spectral.estimates import check_count, clean
from audiobend.spectral.rephase import PLAIN_GRIFFIN_LIM, RECIPES, PhaseSource, Quality, Stretch, rephase
from audiobend.spectral.stft import HOP_LENGTH, N_BINS, N_FFT, fit, inverse_envelope, overlap_add

SEGMENT = 2048    # columns settled at once, 12 s
LOOK_AHEAD = 64    # columns after them that are worked out along, so that the last settled ones have a future
CONTEXT = 16    # settled columns that the next segment sees
TAIL = N_FFT - HOP_LENGTH    # samples by which settled frames reach into those to come


def reconstruct(
    magnitude: Tensor,
    *,
    quality: Quality = "default",
    input_stft: Tensor | None = None,
    phase: PhaseSource = "auto",
    length: int | None = None,
    seed: int = 0,
    n_iter: int | None = None,
) -> Tensor:
    """Return the waveform of a (bent) magnitude spectrogram.

    Args:
        magnitude: `(513, time)` or `(channel, 513, time)`.
        quality: "fast" (PGHI and 8 fast Griffin-Lim sweeps), "default" (PGHI, 30 RAAR and 12 sweeps) or "best"
            (84 and 16). Over the input's phase: 0, 3 and 6 plain sweeps.
        input_stft: spectrum of the sound before the bend, same shape: its phase is kept where the bend kept
            the layout in time and frequency, the phase differences between its channels everywhere.
        phase: "auto" chooses frame by frame between "input" and "pghi"; "griffinlim" is the plain algorithm
            from a random start, for comparison.
        length: samples to return, default `256 * (time - 1)`.
        seed: of everything random.
        n_iter: sweeps instead of what `quality` says (for "griffinlim" instead of 100); 0 is allowed.

    Returns:
        Waveform `(length,)` or `(channel, length)`, float32, on the device of `magnitude`.

    Raises:
        AudioError: an unknown quality or phase, "input" without an input, or shapes that do not fit.

    >>> reconstruct(torch.rand(2, 513, 9), quality="fast", length=2100).shape
    torch.Size([2, 2100])
    """
    mono = magnitude.ndim == 2
    columns = magnitude[None] if mono else magnitude
    given = input_stft[None] if mono and input_stft is not None else input_stft
    resynthesizer = Resynthesizer(quality=quality, phase=phase, seed=seed, n_iter=n_iter)
    parts = [resynthesizer.feed(columns, given), resynthesizer.flush(length)]
    waveform = torch.cat(parts, -1)
    return (waveform[0] if mono else waveform).to(magnitude.device)


class Resynthesizer:
    """`reconstruct` for columns that come bit by bit: `feed` them, then `flush`.

    It works through segments of 12 s, cut at fixed places whatever the sizes fed. A segment starts from the
    last columns of the one before, whose phases are settled: estimates go on from them, sweeps hold them.
    Every frame is settled once and only overlap-added, so that nothing clicks and no unrelated waveforms are
    cross-faded.

    The arguments are those of `reconstruct`; `segment` is in columns.
    """

    def __init__(
        self,
        *,
        quality: Quality = "default",
        phase: PhaseSource = "auto",
        seed: int = 0,
        n_iter: int | None = None,
        segment: int = SEGMENT,
    ) -> None:
        _check_name("quality", quality, RECIPES)
        _check_name("phase", phase, get_args(PhaseSource))
        if n_iter is not None:
            check_count("reconstruct", "n_iter", n_iter)
        base = PLAIN_GRIFFIN_LIM if phase == "griffinlim" else RECIPES[quality]
        self.recipe, self.phase, self.seed, self.segment = base.with_sweeps(n_iter), phase, seed, segment
        self.reset()

    def reset(self) -> None:
        """Forget everything that was fed."""
        self._fed: list[tuple[Tensor, Tensor | None]] = []    # the settled context comes first
        self._known: Tensor | None = None    # spectrum of the context
        self._tail: Tensor | None = None    # what settled frames add to the samples to come
        self._waiting = 0    # columns fed and not settled
        self._settled = 0    # columns
        self._returned = 0    # samples
        self._segments = 0
        self._following = True

    def feed(self, magnitude: Tensor, input_stft: Tensor | None = None) -> Tensor:
        """Take columns `(channel, 513, n)` and return the samples `(channel, m)` that are ready."""
        columns = clean(magnitude)
        self._check(columns, input_stft)
        given = None if input_stft is None else input_stft.detach().cpu().to(torch.complex64)
        self._fed.append((columns, given))
        self._waiting += columns.shape[-1]
        ready = [columns.new_zeros(len(columns), 0)]
        while self._waiting >= self.segment + LOOK_AHEAD:
            ready.append(self._settle(self.segment, LOOK_AHEAD))
        samples = torch.cat(ready, -1)
        self._returned += samples.shape[-1]
        return samples

    def flush(self, length: int | None = None) -> Tensor:
        """Return the rest and start anew: `length` samples in all, default `256 * (columns - 1)`."""
        natural = HOP_LENGTH * max(0, self._settled + self._waiting - 1)
        total = natural if length is None else length
        missing = total - self._returned
        if missing < 0:
            raise AudioError(f"length must be {self._returned} or more, as many are out already; got {total}")
        if self._waiting:
            rest = self._settle(self._waiting, 0, end=max(total, natural))
        else:
            rest = torch.zeros(len(self._fed[0][0]) if self._fed else 1, 0)
        self.reset()
        return fit(rest, missing)

    def _check(self, magnitude: Tensor, input_stft: Tensor | None) -> None:
        if magnitude.ndim != 3:
            raise AudioError(f"magnitudes must be (channel, {N_BINS}, time), got {magnitude.ndim} axes")
        if input_stft is None and self.phase == "input":
            raise AudioError("phase 'input' needs the spectrum of the input (input_stft), 'pghi' does not")
        if input_stft is not None and input_stft.shape != magnitude.shape:
            shapes = f"{tuple(input_stft.shape)} against {tuple(magnitude.shape)}"
            raise AudioError(f"input_stft must have the shape of the magnitudes, got {shapes}")
        if self._fed:
            before, given = self._fed[0]
            if len(before) != len(magnitude):
                raise AudioError(f"channels must stay {len(before)} from first to last, got {len(magnitude)}")
            if (given is None) != (input_stft is None):
                raise AudioError("input_stft must be given with all columns or with none")

    def _settle(self, n_columns: int, look_ahead: int, end: int | None = None) -> Tensor:
        """Give the next columns their phases and return their samples; after the last ones, up to `end`."""
        magnitude = torch.cat([columns for columns, _ in self._fed], -1)
        inputs = [given for _, given in self._fed if given is not None]
        given = torch.cat(inputs, -1) if inputs else None
        n_context = magnitude.shape[-1] - self._waiting
        last = n_context + n_columns
        seen = last + look_ahead
        origin = HOP_LENGTH * (self._settled - n_context) - N_FFT // 2    # sample at which the stretch begins
        stretch = Stretch(
            magnitude[..., :seen],
            None if given is None else given[..., :seen],
            magnitude[..., :0].to(torch.complex64) if self._known is None else self._known,
            begin=max(0, -origin),
            end=HOP_LENGTH * seen + TAIL if end is None else end - origin,
            following=self._following,
        )
        # Segments draw different random phases; the first draws what `seed` says.
        spectrum, follow = rephase(stretch, self.recipe, self.phase, self.seed + self._segments)
        samples = self._overlap_add(spectrum[..., n_context:last], final=end is not None)
        context = slice(max(0, last - CONTEXT), last)
        rest = slice(context.start, None)
        self._fed = [(magnitude[..., rest].clone(), None if given is None else given[..., rest].clone())]
        self._known = spectrum[..., context].clone()
        self._following = bool(follow[last - 1])
        self._waiting -= n_columns
        self._settled += n_columns
        self._segments += 1
        return samples

    def _overlap_add(self, spectrum: Tensor, *, final: bool) -> Tensor:
        """Return the samples that no later frame reaches, without the zeros before the sound."""
        total = overlap_add(spectrum.mT)
        if self._tail is not None:
            total[..., :TAIL] += self._tail
        before = min(self._settled, TAIL // HOP_LENGTH)    # frames that reach in from the left
        n_columns = spectrum.shape[-1]
        ready = total.shape[-1] if final else HOP_LENGTH * n_columns
        self._tail = total[..., ready:].clone()
        envelope = inverse_envelope(before + n_columns)[HOP_LENGTH * before :]
        samples = total[..., :ready] * envelope[:ready]
        return samples[..., max(0, N_FFT // 2 - HOP_LENGTH * self._settled) :]


def _check_name(kind: str, given: str, known: Iterable[str]) -> None:
    if given not in known:
        raise AudioError(f"unknown {kind} '{given}'{did_you_mean(given, known)}")
