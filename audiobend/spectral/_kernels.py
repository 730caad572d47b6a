"""The inner loops of Griffin-Lim sweeps, compiled by numba.

Everything here is time-major: magnitudes `(frame, 513)` float32; spectra `(frame, 1026)` float32 with real
and imaginary part side by side, because LLVM vectorises that where it does not vectorise complex numbers.
One pass does all that has to be done to a bin while it is in the cache.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from audiobend.spectral.stft import HOP_LENGTH as HOP
from audiobend.spectral.stft import N_FFT as SIZE

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

EPS = np.float32(1e-20)    # added to |T|^2: far below the square of the quietest audible bin

_fast = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")


@_fast
def take_frames(waveform: Floats, frames: Indices, window: Floats, out: Floats) -> None:
    """Write the windowed frames of `waveform` into `out (frame, 1024)`."""
    for i in range(frames.shape[0]):
        start = frames[i] * HOP
        row, samples = out[i], waveform[start : start + SIZE]
        for k in range(SIZE):
            row[k] = samples[k] * window[k]


@_fast
def add_frames(rows: Floats, frames: Indices, window: Floats, waveform: Floats) -> None:
    """Overlap-add the windowed `rows (frame, 1024)` into `waveform`."""
    for i in range(frames.shape[0]):
        start = frames[i] * HOP
        row, samples = rows[i], waveform[start : start + SIZE]
        for k in range(SIZE):
            samples[k] += row[k] * window[k]


@_fast
def accelerate(spectrum: Floats, previous: Floats, magnitude: Floats, momentum: float) -> None:
    """One step of fast Griffin-Lim, in place (Perraudin, Balazs & Sondergaard 2013).

    `T = C + momentum * (C - previous)`; `previous <- C`; `spectrum <- magnitude * T / |T|`, where C is the
    consistent spectrum that comes in.
    """
    now, before, one = np.float32(1 + momentum), np.float32(-momentum), np.float32(1)
    for n in range(magnitude.shape[0]):
        c, p, s = spectrum[n], previous[n], magnitude[n]
        for m in range(s.shape[0]):
            re, im = c[2 * m], c[2 * m + 1]
            t_re, t_im = now * re + before * p[2 * m], now * im + before * p[2 * m + 1]
            p[2 * m], p[2 * m + 1] = re, im
            gain = s[m] * (one / np.sqrt(t_re * t_re + t_im * t_im + EPS))
            c[2 * m], c[2 * m + 1] = gain * t_re, gain * t_im


@_fast
def project(spectrum: Floats, magnitude: Floats) -> None:
    """One step of plain Griffin-Lim, in place: `spectrum <- magnitude * spectrum / |spectrum|`."""
    one = np.float32(1)
    for n in range(magnitude.shape[0]):
        c, s = spectrum[n], magnitude[n]
        for m in range(s.shape[0]):
            re, im = c[2 * m], c[2 * m + 1]
            gain = s[m] * (one / np.sqrt(re * re + im * im + EPS))
            c[2 * m], c[2 * m + 1] = gain * re, gain * im


@_fast
def relax(spectrum: Floats, state: Floats, magnitude: Floats, beta: float) -> None:
    """One step of relaxed averaged alternating reflections, in place (Luke 2005).

    With `P` the projection on the magnitudes and C the consistent spectrum of the last reflection:
    `state <- beta * C + beta * state + (1 - 2 beta) * P(state)`; `spectrum <- 2 * P(state) - state`.
    """
    b, k, one, two = np.float32(beta), np.float32(1 - 2 * beta), np.float32(1), np.float32(2)
    for n in range(magnitude.shape[0]):
        c, x, s = spectrum[n], state[n], magnitude[n]
        for m in range(s.shape[0]):
            re, im = x[2 * m], x[2 * m + 1]
            gain = k * s[m] * (one / np.sqrt(re * re + im * im + EPS)) + b
            re, im = b * c[2 * m] + gain * re, b * c[2 * m + 1] + gain * im
            x[2 * m], x[2 * m + 1] = re, im
            gain = two * s[m] * (one / np.sqrt(re * re + im * im + EPS)) - one
            c[2 * m], c[2 * m + 1] = gain * re, gain * im
