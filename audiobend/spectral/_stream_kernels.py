"""The inner loops of phases found frame by frame, compiled by numba.

Spectra are rows of 1026 float32, real and imaginary part side by side. The stretch that is worked on begins with the
first frame that is not settled yet; `tail` is what settled frames add to it.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from audiobend.spectral._phase_kernels import turn_peaks
from audiobend.spectral.stft import HOP_LENGTH as HOP
from audiobend.spectral.stft import N_FFT as SIZE

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

NOTHING = np.float32(1e-18)    # |T|^2 under which a bin has no phase

_fast = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
_exact = njit(cache=True, nogil=True, error_model="numpy")


@_exact
def enter(
    new: Floats, magnitude: Floats, spectrum: Floats, previous: Floats, level: Floats, phase: Doubles
) -> None:
    """Move everything up by one frame and start the newest with the phase that its peaks turn to (SPSI).

    `magnitude (frame, 513)`, `spectrum` and `previous (frame, 1026)` are written to; `level` and `phase (513,)` are
    only working memory.
    """
    last = magnitude.shape[0] - 1
    n_bins = new.shape[0]
    newest = spectrum[last]
    # The phase goes on from where the sweeps have brought the frame before.
    for m in range(n_bins):
        sign = 1.0 - 2.0 * (m & 1)    # relative to the frame's centre
        phase[m] = math.atan2(sign * newest[2 * m + 1], sign * newest[2 * m])
        value = new[m]
        level[m] = math.log(value + np.float32(1e-30))
    turn_peaks(level, phase)
    for n in range(last):
        magnitude[n] = magnitude[n + 1]
        spectrum[n] = spectrum[n + 1]
        previous[n] = previous[n + 1]
    for m in range(n_bins):
        sign = 1.0 - 2.0 * (m & 1)
        magnitude[last, m] = new[m]
        newest[2 * m] = sign * new[m] * math.cos(phase[m])
        newest[2 * m + 1] = sign * new[m] * math.sin(phase[m])


@_fast
def overlap(frames: Floats, window: Floats, tail: Floats, gain: Floats, line: Floats) -> None:
    """Overlap-add `frames (frame, 1024)` onto the tail, and cut the sum into windowed frames again, in place.

    `gain` divides by the summed squared windows; `line` is working memory, 256 samples a frame and 768 more.
    """
    line[: tail.shape[0]] = tail
    line[tail.shape[0] :] = 0
    for n in range(frames.shape[0]):
        row, samples = frames[n], line[n * HOP : n * HOP + SIZE]
        for k in range(SIZE):
            samples[k] += row[k] * window[k]
    for n in range(frames.shape[0]):
        row, samples, share = frames[n], line[n * HOP : n * HOP + SIZE], gain[n * HOP : n * HOP + SIZE]
        for k in range(SIZE):
            row[k] = samples[k] * share[k] * window[k]


@_fast
def advance(
    consistent: Floats,
    previous: Floats,
    magnitude: Floats,
    spectrum: Floats,
    oldest: Floats,
    momentum: float,
    first: bool,
) -> None:
    """One step of fast Griffin-Lim: `spectrum <- magnitude * T / |T|`, where T runs ahead of `consistent`.

    In its `first` sweep the newest frame has nothing to run ahead of. `oldest (1026,)` gets `T / |T|` of the frame
    that is settled next.
    """
    one = np.float32(1)
    n_frames = magnitude.shape[0]
    for n in range(n_frames):
        pull = np.float32(0) if first and n == n_frames - 1 else np.float32(momentum)
        c, p, s, out = consistent[n], previous[n], magnitude[n], spectrum[n]
        for m in range(s.shape[0]):
            re, im = c[2 * m], c[2 * m + 1]
            t_re, t_im = re + pull * (re - p[2 * m]), im + pull * (im - p[2 * m + 1])
            p[2 * m], p[2 * m + 1] = re, im
            power = t_re * t_re + t_im * t_im
            # Without a phase: zero at the frame's centre, or else a frame that begins at 0 stays there for ever.
            lost = power < NOTHING
            t_re = one - np.float32(2 * (m & 1)) if lost else t_re
            t_im = np.float32(0) if lost else t_im
            unit = one / np.sqrt(one if lost else power)
            t_re, t_im = unit * t_re, unit * t_im
            out[2 * m], out[2 * m + 1] = s[m] * t_re, s[m] * t_im
            if n == 0:
                oldest[2 * m], oldest[2 * m + 1] = t_re, t_im


@_fast
def settle(frame: Floats, window: Floats, tail: Floats) -> None:
    """Add a settled frame `(1024,)` to the tail and move it on by a hop."""
    keep = tail.shape[0] - HOP
    for k in range(keep):
        tail[k] = tail[k + HOP] + frame[k + HOP] * window[k + HOP]
    for k in range(keep, tail.shape[0]):
        tail[k] = frame[k + HOP] * window[k + HOP]
