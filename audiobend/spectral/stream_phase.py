"""Phases found frame by frame from magnitudes alone: every frame is settled once and never touched again.

A new frame starts with single-pass spectrogram inversion (Beauregard, Harish & Wyse 2015). Then sweeps run over it and
the frames that wait with it, against the sound that is settled already: real-time iterative spectrogram inversion with
look-ahead (Zhu, Beauregard & Wyse 2007), with the momentum of fast Griffin-Lim (Perraudin, Balazs & Sondergaard 2013).
Samples that not all frames reach yet are divided by the windows that are there, in place of asymmetric windows.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from audiobend.spectral import _stream_kernels as kernels
from audiobend.spectral.estimates import LOUDEST
from audiobend.spectral.stft import HOP_LENGTH, N_BINS, N_FFT, N_OVERLAP, inverse_envelope, window

Floats = NDArray[np.float32]
TAIL = N_FFT - HOP_LENGTH
SWEEPS = 8


class StreamPhase:
    """Magnitudes of one frame in, the phase of the frame ``look_ahead`` before it out.

    Parameters
    ----------
    look_ahead : int >= 0
        Frames that a frame waits for; the more, the better its phase fits.
    sweeps : int >= 1
        After every frame, over all that wait.

    Examples
    --------
    >>> phases = StreamPhase(look_ahead=3)
    >>> phases.push(np.ones(513, np.float32)).shape
    (513,)
    """

    def __init__(self, look_ahead: int, sweeps: int = SWEEPS) -> None:
        self.look_ahead, self.sweeps = look_ahead, sweeps
        n = look_ahead + 1
        # The more frames wait, the more momentum they hold (measured on music, drums, chords and chirps).
        self._momentum = 0.5 if look_ahead < 3 else 0.8 if look_ahead < 7 else 0.99
        self._window: Floats = window().numpy()
        self._gain = _gain(n)
        self._time, self._frequency = torch.zeros(n, N_FFT), torch.zeros(n, N_BINS, dtype=torch.complex64)
        self._wanted = torch.zeros(n, N_BINS, dtype=torch.complex64)
        self._frames: Floats = self._time.numpy()
        self._consistent, self._spectrum = _rows(self._frequency), _rows(self._wanted)
        self._previous, self._magnitude = np.zeros_like(self._spectrum), np.zeros((n, N_BINS), np.float32)
        self._line = np.zeros(n * HOP_LENGTH + TAIL, np.float32)
        self._tail, self._new = np.zeros(TAIL, np.float32), np.zeros(N_BINS, np.float32)
        self._level, self._phase = np.zeros(N_BINS, np.float32), np.zeros(N_BINS)
        self._settled = torch.zeros(1, N_BINS, dtype=torch.complex64)
        self._oldest = _rows(self._settled)[0]
        self._result = self._settled[0].numpy()

    def reset(self) -> None:
        """Start with silence again."""
        for state in (self._spectrum, self._previous, self._magnitude, self._tail):
            state[:] = 0

    def push(self, magnitude: Floats) -> NDArray[np.complex64]:
        """Take a frame's magnitudes ``(513,)``, return the settled frame's directions, each of length 1.

        Magnitudes that are not numbers count as silence. The array that is returned is written anew by the next call.
        """
        np.copyto(self._new, magnitude)
        np.nan_to_num(self._new, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        np.clip(self._new, 0.0, LOUDEST, out=self._new)
        kernels.enter(self._new, self._magnitude, self._spectrum, self._previous, self._level, self._phase)
        for sweep in range(self.sweeps):
            torch.fft.irfft(self._wanted, N_FFT, out=self._time)
            kernels.overlap(self._frames, self._window, self._tail, self._gain, self._line)
            torch.fft.rfft(self._time, out=self._frequency)
            kernels.advance(
                self._consistent,
                self._previous,
                self._magnitude,
                self._spectrum,
                self._oldest,
                self._momentum,
                sweep == 0,
            )
        torch.fft.irfft(self._wanted[:1], N_FFT, out=self._time[:1])
        kernels.settle(self._frames[0], self._window, self._tail)
        return self._result


def _rows(spectrum: torch.Tensor) -> Floats:
    """Return the same memory with real and imaginary part side by side."""
    rows: Floats = torch.view_as_real(spectrum).numpy().reshape(len(spectrum), -1)
    return rows


def _gain(n_pending: int) -> Floats:
    """Return one over the summed squared windows from the first pending frame on; those before it are all there."""
    before = N_OVERLAP - 1
    gain: Floats = inverse_envelope(n_pending + before)[before * HOP_LENGTH :].numpy()
    return gain
