"""Griffin-Lim's two projections, fused: one pass over the sound in blocks of frames that stay in the cache.

A sweep takes frames from the waveform, transforms them (which makes the spectrum *consistent*), puts the
wanted magnitudes back, and overlap-adds the next waveform. Spectra of the whole sound are never written out
in between. Same maths as librosa and torchaudio, several times cheaper.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.spectral import _kernels
from audiobend.spectral.stft import HOP_LENGTH, N_BINS, N_FFT, N_OVERLAP, inverse_envelope, overlap_add, window

BLOCK = 64    # frames: all that a block touches fits a level-2 cache of 1 MiB

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Step = Callable[[Floats, slice], None]


class Sweeps:
    """Sweeps over one channel; time-major, every method works in place.

    Args:
        magnitude: the target, `(frame, 513)`, finite, >= 0.
        start: complex `(frame, 513)`; only its phase counts in free frames.
        free: bool `(frame,)`; other frames keep the spectrum of `start` as it is. Default: all are free.
        begin, end: there is silence outside these samples, counted from 512 before the first frame's centre.
            Default: what an `stft` without a length implies.
    """

    def __init__(
        self,
        magnitude: Tensor,
        start: Tensor,
        *,
        free: Tensor | None = None,
        begin: int = N_FFT // 2,
        end: int | None = None,
    ) -> None:
        moving = torch.ones(len(magnitude), dtype=torch.bool) if free is None else free
        self._held = torch.where(moving[:, None], 0, start)    # becomes the result
        self._frames = moving.nonzero()[:, 0].numpy()
        self._target: Floats = magnitude[moving].contiguous().numpy()
        self._state = _as_rows(start[moving])
        self._ends = _ends(len(magnitude), begin, end)
        self._base = np.zeros(HOP_LENGTH * (len(magnitude) + N_OVERLAP - 1), np.float32)
        if not moving.all():
            self._base[:] = overlap_add(self._held).numpy()
        self._waveform, self._next = np.empty_like(self._base), np.empty_like(self._base)
        self._blocks = list(_blocks(self._frames))

    def plain(self, n_iter: int) -> "Sweeps":
        """Classic Griffin-Lim (Griffin & Lim 1984): never gets worse, stays near its start."""
        return self.fast(n_iter, momentum=0)

    def fast(self, n_iter: int, momentum: float = 0.99) -> "Sweeps":
        """Fast Griffin-Lim (Perraudin, Balazs & Sondergaard 2013); `momentum` in 0..1."""
        previous = np.zeros_like(self._state) if momentum else self._state
        self._render()
        for i in range(n_iter):
            last, pull = i == n_iter - 1, float(momentum) if i else 0.0

            def step(spectrum: Floats, rows: slice, last: bool = last, pull: float = pull) -> None:
                if momentum:
                    _kernels.accelerate(spectrum, previous[rows], self._target[rows], pull)
                else:
                    _kernels.project(spectrum, self._target[rows])
                if last:
                    self._state[rows] = spectrum

            self._sweep(step)
        return self

    def raar(self, n_iter: int, beta: float = 0.9) -> "Sweeps":
        """Relaxed averaged alternating reflections (Luke 2005); finish with some `fast` sweeps.

        The same two projections as Griffin-Lim, but reflected about their sets: it leaves the local minima in
        which Griffin-Lim stagnates. `beta` in 0.5..1.
        """

        def step(spectrum: Floats, rows: slice) -> None:
            _kernels.relax(spectrum, self._state[rows], self._target[rows], beta)

        self._render()
        for _ in range(n_iter):
            self._sweep(step)
        return self

    def spectrum(self) -> Tensor:
        """Return the spectrum with the wanted magnitudes, complex `(frame, 513)`; `istft` makes it sound."""
        _kernels.project(self._state, self._target)
        self._held[torch.from_numpy(self._frames)] = torch.view_as_complex(
            torch.from_numpy(self._state.reshape(-1, N_BINS, 2))
        )
        return self._held

    def inconsistency(self) -> Tensor:
        """Return how far one sweep moves each free frame: its squared distance, `(frame,)`."""
        distance = np.empty(len(self._frames), np.float32)

        def step(spectrum: Floats, rows: slice) -> None:
            distance[rows] = np.square(spectrum - self._state[rows]).sum(1)

        self._render()
        self._sweep(step)
        return torch.from_numpy(distance)

    def _render(self) -> None:
        """Make the waveform of the state with its magnitudes set right."""
        _kernels.project(self._state, self._target)

        def step(spectrum: Floats, rows: slice) -> None:
            spectrum[:] = self._state[rows]

        self._waveform[:] = 0
        self._sweep(step)

    def _sweep(self, step: Step) -> None:
        self._next[:] = self._base
        for block in self._blocks:
            _kernels.take_frames(self._waveform, block.frames, SCALED_WINDOW, block.samples)
            torch.fft.rfft(block.time, out=block.frequency)
            step(block.spectrum, block.rows)
            torch.fft.irfft(block.frequency, N_FFT, out=block.time)
            _kernels.add_frames(block.samples, block.frames, WINDOW, self._next)
        for part, gain in self._ends:
            self._next[part] *= gain
        self._waveform, self._next = self._next, self._waveform


WINDOW: Floats = window().numpy()
SCALED_WINDOW: Floats = WINDOW * np.float32(2 / 3)    # divides by the summed squared windows of the interior


class _Block(NamedTuple):
    """Some frames and the memory they are worked on in, seen as torch and as numpy see it."""

    rows: slice
    frames: Indices
    time: Tensor
    samples: Floats
    frequency: Tensor
    spectrum: Floats


def _blocks(frames: Indices) -> Iterator[_Block]:
    time = torch.empty(BLOCK, N_FFT)
    frequency = torch.empty(BLOCK, N_BINS, dtype=torch.complex64)
    spectrum = torch.view_as_real(frequency).numpy().reshape(BLOCK, 2 * N_BINS)
    for start in range(0, len(frames), BLOCK):
        rows = slice(start, min(start + BLOCK, len(frames)))
        n = rows.stop - start
        yield _Block(rows, frames[rows], time[:n], time[:n].numpy(), frequency[:n], spectrum[:n])


def _ends(n_frames: int, begin: int, end: int | None) -> list[tuple[slice, Floats]]:
    """Return both stretches where the summed squared windows are not 3/2, and what makes up for it."""
    gain: Floats = inverse_envelope(n_frames).numpy() * np.float32(3 / 2)
    stop = len(gain) - N_FFT // 2 if end is None else end
    gain[:begin] = 0
    gain[stop:] = 0
    inner = max(begin, N_FFT), max(begin, N_FFT, min(stop, len(gain) - N_FFT))
    return [(part, gain[part]) for part in (slice(0, inner[0]), slice(inner[1], None))]


def _as_rows(spectrum: Tensor) -> Floats:
    """Return a copy with real and imaginary part side by side; the first and the last bin made real."""
    rows: Floats = torch.view_as_real(spectrum.resolve_conj()).numpy().reshape(len(spectrum), -1).copy()
    rows[:, 1] = rows[:, -1] = 0
    return rows
