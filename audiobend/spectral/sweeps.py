"""Griffin-Lim's two projections, fused: one pass over the sound in blocks of frames that stay in the cache.

A sweep takes frames from the waveform, transforms them (which makes the spectrum *consistent*), puts the
wanted magnitudes back, and overlap-adds the next waveform. Spectra of the whole sound are never written out
in between. Same maths as librosa and torchaudio, several times cheaper.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.spectral import _kernels
from audiobend.spectral.stft import N_BINS, N_FFT, inverse_envelope, overlap_add, window

BLOCK = 64    # frames: all that a block touches fits a level-2 cache of 1 MiB

Floats = NDArray[np.float32]
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
        self._held = torch.where(moving[:, None], 0, start)
        self._frames = moving.nonzero()[:, 0].numpy()
        self._target: Floats = magnitude[moving].contiguous().numpy()
        self._state = _as_rows(start[moving])
        self._inverse = inverse_envelope(len(magnitude)).numpy()
        self._inverse[:begin] = 0
        self._inverse[len(self._inverse) - N_FFT // 2 if end is None else end :] = 0
        self._base: Floats = overlap_add(self._held).numpy()
        self._waveform, self._next = np.empty_like(self._base), np.empty_like(self._base)
        self._block = torch.empty(BLOCK, N_FFT)
        self._spectrum = torch.empty(BLOCK, N_BINS, dtype=torch.complex64)

    def plain(self, n_iter: int) -> "Sweeps":
        """Classic Griffin-Lim (Griffin & Lim 1984): never gets worse, stays near its start."""
        return self.fast(n_iter, momentum=0)

    def fast(self, n_iter: int, momentum: float = 0.99) -> "Sweeps":
        """Fast Griffin-Lim (Perraudin, Balazs & Sondergaard 2013); `momentum` in 0..1."""
        previous = np.zeros_like(self._state) if momentum else self._state
        self._render()
        for i in range(n_iter):
            last, pull = i == n_iter - 1, momentum if i else 0.0

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
        for at in range(0, len(self._frames), BLOCK):
            rows = slice(at, min(at + BLOCK, len(self._frames)))
            frames = self._frames[rows]
            block, spectrum = self._block[: len(frames)], self._spectrum[: len(frames)]
            _kernels.take_frames(self._waveform, frames, WINDOW, block.numpy())
            torch.fft.rfft(block, out=spectrum)
            step(torch.view_as_real(spectrum).numpy().reshape(-1, 2 * N_BINS), rows)
            torch.fft.irfft(spectrum, N_FFT, out=block)
            _kernels.add_frames(block.numpy(), frames, WINDOW, self._next)
        self._next *= self._inverse
        self._waveform, self._next = self._next, self._waveform


WINDOW: Floats = window().numpy()


def _as_rows(spectrum: Tensor) -> Floats:
    """Return a copy with real and imaginary part side by side; the first and the last bin made real."""
    rows: Floats = torch.view_as_real(spectrum.resolve_conj()).numpy().reshape(len(spectrum), -1).copy()
    rows[:, 1] = rows[:, -1] = 0
    return rows
