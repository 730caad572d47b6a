"""Bent magnitudes to samples in an exported file: every frame gets its phase once and is only overlap-added."""

import math

import torch
from torch import Tensor, nn

from audiobend.export.drawn import uniform
from audiobend.export.phases import WarmPhases
from audiobend.spectral.stft import HOP_LENGTH, N_BINS, N_FFT, window


class Synthesis(nn.Module):
    """A stride of magnitudes and the input's spectrum in, a stride of samples out.

    Parameters
    ----------
    phase_look_ahead : int or None
        Frames that found phases wait for; None takes the input's phase.
    """

    window: Tensor
    tail: Tensor
    waiting: Tensor

    def __init__(self, n_channels: int, stride: int, phase_look_ahead: int | None) -> None:
        super().__init__()
        self.n_channels, self.stride = n_channels, stride
        self.n_fft, self.hop_length = N_FFT, HOP_LENGTH
        self.finds = phase_look_ahead is not None
        look_ahead = phase_look_ahead or 0
        self.phases = WarmPhases(stride, look_ahead)
        self.register_buffer("window", window().clone())
        self.register_buffer("tail", torch.zeros(n_channels, N_FFT - HOP_LENGTH))
        self.register_buffer("waiting", torch.zeros(n_channels, look_ahead, N_BINS, dtype=torch.complex64))

    @torch.jit.export
    def reset(self) -> None:
        """Start with silence again."""
        self.tail, self.waiting = torch.zeros_like(self.tail), torch.zeros_like(self.waiting)
        self.phases.reset()

    @torch.jit.export
    def direction(self, spectrum: Tensor, seed: int) -> Tensor:
        """Return the spectrum with every magnitude 1; bins without a phase get a drawn one, alike in all channels."""
        silent = spectrum == 0
        if not bool(silent.any()):
            return torch.sgn(spectrum)
        n_columns, n_bins = spectrum.shape[1], spectrum.shape[2]
        angles = (uniform(seed, n_columns * n_bins) - 0.5) * (2 * math.pi)
        drawn = torch.polar(torch.ones_like(angles), angles).view(n_columns, n_bins).to(spectrum.device)
        return torch.where(silent, drawn.expand_as(spectrum), torch.sgn(spectrum))

    @torch.jit.export
    def rephased(self, turned: Tensor, magnitude: Tensor) -> Tensor:
        """Give the mid new phases; each channel keeps the phase that it had against the input's mid."""
        mid = turned.mean(0)
        apart = magnitude.to(torch.complex64)
        if self.n_channels > 1:
            apart = torch.where(mid == 0, apart, turned * torch.sgn(mid).conj())
        found: Tensor = self.phases(mid.abs())
        waiting = torch.cat([self.waiting, apart], dim=1)
        self.waiting = waiting[:, self.stride :]
        return waiting[:, : self.stride] * found

    def forward(self, magnitude: Tensor, spectrum: Tensor, seed: int) -> Tensor:
        """Return ``(channel, 256 * stride)`` samples of ``(channel, stride, 513)``.

        ``seed`` is of the phases of bins where the input is silent.
        """
        turned = magnitude * self.direction(spectrum, seed)
        if self.finds:
            turned = self.rephased(turned, magnitude)
        frames = torch.fft.irfft(turned, self.n_fft) * self.window
        n_tail = self.tail.shape[1]
        length = self.stride * self.hop_length
        total = torch.cat([self.tail, torch.zeros(self.n_channels, length, device=frames.device)], dim=1)
        for column in range(self.stride):
            total[:, column * self.hop_length : column * self.hop_length + self.n_fft] += frames[:, column]
        self.tail = total[:, length : length + n_tail]
        return total[:, :length] * (2 / 3)    # one over the summed squared windows
