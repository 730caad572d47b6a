"""The one short-time Fourier transform of audiobend: 1024 samples, hop 256, periodic Hann.

Frames are centred, with 512 *zeros* added at both ends. Analysis, Griffin-Lim and every measurement must
share that padding: with zeros here and reflection there, Griffin-Lim loses 6 dB in the first frames.
"""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

N_FFT = 1024
HOP_LENGTH = 256
N_BINS = N_FFT // 2 + 1
N_OVERLAP = N_FFT // HOP_LENGTH    # frames that share one sample


@cache
def window() -> Tensor:
    """Return the periodic Hann window, `(1024,)` float32; share it, do not write to it."""
    return torch.hann_window(N_FFT, periodic=True, dtype=torch.float64).float()


def n_columns(n_samples: int) -> int:
    """Return how many columns `stft` makes of `n_samples`.

    >>> n_columns(0), n_columns(255), n_columns(44100)
    (1, 1, 173)
    """
    return 1 + n_samples // HOP_LENGTH


def stft(waveform: Tensor) -> Tensor:
    """Return the spectrum of a waveform, as `librosa.stft(pad_mode="constant")` does.

    Args:
        waveform: `(..., time)` in samples.

    Returns:
        Complex `(..., 513, 1 + time // 256)`: frequency before time.

    >>> stft(torch.zeros(2, 1000)).shape
    torch.Size([2, 513, 4])
    """
    padded = F.pad(waveform.float(), (N_FFT // 2, N_FFT // 2))
    frames = padded.unfold(-1, N_FFT, HOP_LENGTH)
    spectrum: Tensor = torch.fft.rfft(frames * window().to(waveform.device))
    return spectrum.transpose(-1, -2)


def istft(spectrum: Tensor, length: int | None = None) -> Tensor:
    """Return the waveform whose spectrum comes nearest in the least-squares sense (Griffin & Lim 1984).

    Args:
        spectrum: complex `(..., 513, time)`.
        length: samples to return; without it `256 * (time - 1)`. What lies beyond the last column is silence.

    Returns:
        Waveform `(..., length)`, float32.

    >>> x = torch.sin(torch.arange(5000) / 20)
    >>> bool((istft(stft(x), length=5000) - x).abs().max() < 1e-5)
    True
    """
    n_frames = spectrum.shape[-1]
    if n_frames == 0:
        return fit(spectrum.real[..., 0, :], length or 0)
    total = overlap_add(spectrum.transpose(-1, -2))
    waveform = (total * inverse_envelope(n_frames).to(total.device))[..., N_FFT // 2 :]
    return fit(waveform, HOP_LENGTH * (n_frames - 1) if length is None else length)


def overlap_add(spectrum: Tensor) -> Tensor:
    """Return the windowed frames of `spectrum (..., time, 513)` added up: `(..., 256 * (time + 3))`.

    The first sample lies 512 samples before the centre of the first frame; the sum still has to be divided by
    the summed squared windows (`inverse_envelope`).
    """
    lead, n_frames = spectrum.shape[:-2], spectrum.shape[-2]
    frames: Tensor = torch.fft.irfft(spectrum, N_FFT) * window().to(spectrum.device)
    parts: Tensor = frames.reshape(*lead, n_frames, N_OVERLAP, HOP_LENGTH)
    total = parts.new_zeros(*lead, n_frames + N_OVERLAP - 1, HOP_LENGTH)
    for part in range(N_OVERLAP):
        total[..., part : part + n_frames, :] += parts[..., part, :]
    return total.reshape(*lead, -1)


def inverse_envelope(n_frames: int) -> Tensor:
    """Return one over the summed squared windows, `(256 * (n_frames + 3),)`: 2/3 in the interior.

    It is 0 where no window reaches (sum below 1e-3), so that noise is not blown up at the very ends.
    """
    parts = window().square().reshape(N_OVERLAP, 1, HOP_LENGTH)
    total = torch.zeros(n_frames + N_OVERLAP - 1, HOP_LENGTH)
    for part in range(N_OVERLAP):
        total[part : part + n_frames] += parts[part]
    flat = total.reshape(-1)
    return torch.where(flat > 1e-3, 1 / flat.clamp_min(1e-3), 0.0)


def fit(waveform: Tensor, length: int) -> Tensor:
    """Cut a waveform `(..., time)` to `length` samples, or fill it up with silence."""
    return F.pad(waveform[..., :length], (0, max(0, length - waveform.shape[-1])))
