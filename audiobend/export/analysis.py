"""Samples to columns in an exported file, and the window that slides over them: `audiobend.spectral.sliding`."""

import math

import torch
from torch import Tensor, nn

from audiobend.spectral.follow import LOWEST, RELEASE_SECONDS, START
from audiobend.spectral.sliding import SILENT_DB, WINDOW
from audiobend.spectral.stft import HOP_LENGTH, N_BINS, N_FFT, window


class Analysis(nn.Module):
    """A stride of samples in; the window, and the columns that are kept, out."""

    window: Tensor
    samples: Tensor
    decibels: Tensor
    spectra: Tensor

    def __init__(self, n_channels: int, stride: int, look_ahead: int) -> None:
        super().__init__()
        self.stride, self.look_ahead, self.silent_db = stride, look_ahead, SILENT_DB
        self.n_fft, self.hop_length, self.n_columns = N_FFT, HOP_LENGTH, WINDOW
        self.tail = N_FFT - HOP_LENGTH
        self.register_buffer("window", window().clone())
        self.register_buffer("samples", torch.zeros(n_channels, self.tail + stride * HOP_LENGTH))
        self.register_buffer("decibels", torch.full((n_channels, WINDOW, N_BINS), SILENT_DB))
        held = (n_channels, stride + look_ahead, N_BINS)
        self.register_buffer("spectra", torch.zeros(held, dtype=torch.complex64))

    @torch.jit.export
    def reset(self) -> None:
        """Start with silence again."""
        self.samples = torch.zeros_like(self.samples)
        self.decibels = torch.full_like(self.decibels, self.silent_db)
        self.spectra = torch.zeros_like(self.spectra)

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the window in dB ``(channel, 128, 513)``; of the kept ``(channel, stride, 513)`` spectrum and dB."""
        self.samples = torch.cat([self.samples[:, -self.tail :], samples], dim=1)
        spectrum = torch.fft.rfft(self.samples.unfold(-1, self.n_fft, self.hop_length) * self.window)
        decibels = spectrum.abs().clamp_(min=1e-10).log10_().mul_(20.0)
        self.decibels = torch.cat([self.decibels[:, self.stride :], decibels], dim=1)
        self.spectra = torch.cat([self.spectra[:, self.stride :], spectrum], dim=1)
        last = self.n_columns - self.look_ahead
        return self.decibels, self.spectra[:, : self.stride], self.decibels[:, last - self.stride : last]


class Loudest(nn.Module):
    """The magnitude that is 0 dB: up at once, down slowly."""

    def __init__(self, sample_rate: int, stride: int) -> None:
        super().__init__()
        self.keep = math.exp(-HOP_LENGTH / sample_rate / RELEASE_SECONDS) ** stride
        self.start, self.lowest, self.magnitude = START, LOWEST, START

    @torch.jit.export
    def reset(self) -> None:
        """Begin where a performance begins."""
        self.magnitude = self.start

    def forward(self, window_db: Tensor) -> float:
        """Take a window in dB, return the dB of its 0 dB."""
        loudest = math.pow(10.0, float(window_db.amax().item()) / 20)
        self.magnitude = max(max(loudest, self.magnitude * self.keep), self.lowest)
        return 20 * math.log10(self.magnitude)


class CrossFade(nn.Module):
    """Overlapping reconstructions to the columns that are kept of each; `audiobend.spectral.sliding.CrossFade`."""

    weight: Tensor
    before: Tensor

    def __init__(self, n_channels: int, stride: int, look_ahead: int) -> None:
        super().__init__()
        self.stride, self.n_fade, self.has_before = stride, min(stride, look_ahead), False
        self.register_buffer("weight", (torch.arange(1, self.n_fade + 1) / self.n_fade)[:, None])
        self.register_buffer("before", torch.zeros(n_channels, self.n_fade, N_BINS))

    @torch.jit.export
    def reset(self) -> None:
        """Let the next window begin without a fade."""
        self.has_before = False

    def forward(self, columns: Tensor) -> Tensor:
        """Take the used columns of a window ``(channel, column, 513)``; return the kept ones."""
        kept = columns[:, : self.stride]
        if self.has_before:
            head = torch.lerp(self.before, kept[:, : self.n_fade], self.weight)
            kept = torch.cat([head, kept[:, self.n_fade :]], dim=1)
        self.before, self.has_before = columns[:, self.stride :], True
        return kept
