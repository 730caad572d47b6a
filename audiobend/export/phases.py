"""Phases found from magnitudes alone in an exported file: Griffin-Lim that starts where the sound before it ended.

A new frame starts with single-pass spectrogram inversion (Beauregard, Harish & Wyse 2015); then sweeps of fast
Griffin-Lim (Perraudin, Balazs & Sondergaard 2013) run over a stride of new frames and the few that waited, against the
sound that is settled. `audiobend.spectral.stream_phase` sweeps after every frame; torch is too slow for that.
"""

import math

import torch
from torch import Tensor, nn

from audiobend.spectral.estimates import LOUDEST
from audiobend.spectral.stft import HOP_LENGTH, N_BINS, N_FFT, N_OVERLAP, inverse_envelope, window

SWEEPS = 16


class WarmPhases(nn.Module):
    """A stride of magnitudes in, the directions of the frames ``look_ahead`` before them out."""

    window: Tensor
    gain: Tensor
    turn: Tensor
    sign: Tensor
    magnitude: Tensor
    spectrum: Tensor
    previous: Tensor
    tail: Tensor
    newest: Tensor

    def __init__(self, stride: int, look_ahead: int, sweeps: int = SWEEPS) -> None:
        super().__init__()
        self.stride, self.look_ahead, self.sweeps = stride, look_ahead, sweeps
        self.n_fft, self.hop_length, self.loudest = N_FFT, HOP_LENGTH, LOUDEST
        self.n_tail = N_FFT - HOP_LENGTH
        self.momentum = 0.5 if look_ahead < 3 else 0.8 if look_ahead < 7 else 0.99
        self.register_buffer("window", window().clone())
        before = N_OVERLAP - 1
        gain = inverse_envelope(stride + look_ahead + before)[before * HOP_LENGTH :]
        self.register_buffer("gain", gain.clone())
        bins = torch.arange(N_BINS, dtype=torch.float64)
        self.register_buffer("turn", 2 * math.pi * HOP_LENGTH / N_FFT * bins)
        self.register_buffer("sign", 1.0 - 2.0 * (torch.arange(N_BINS) % 2))    # relative to the frame's centre
        self.register_buffer("magnitude", torch.zeros(look_ahead, N_BINS))
        self.register_buffer("spectrum", torch.zeros(look_ahead, N_BINS, dtype=torch.complex64))
        self.register_buffer("previous", torch.zeros(look_ahead, N_BINS, dtype=torch.complex64))
        self.register_buffer("tail", torch.zeros(self.n_tail))
        self.register_buffer("newest", torch.zeros(N_BINS, dtype=torch.complex64))

    @torch.jit.export
    def reset(self) -> None:
        """Start with silence again."""
        self.magnitude = torch.zeros_like(self.magnitude)
        self.spectrum = torch.zeros_like(self.spectrum)
        self.previous = torch.zeros_like(self.previous)
        self.tail = torch.zeros_like(self.tail)
        self.newest = torch.zeros_like(self.newest)

    @torch.jit.export
    def turned(self, magnitude: Tensor, phase: Tensor) -> Tensor:
        """Return phases ``(513,)`` a hop later, as the peaks of ``magnitude`` turn; the bins on their slopes follow."""
        level = (magnitude + 1e-30).log().double()
        n = level.shape[0]
        bins = torch.arange(n, device=level.device)
        rises = level[1:] > level[:-1]
        falls = level[1:] < level[:-1]
        no = torch.zeros(1, dtype=torch.bool, device=level.device)
        up, down = torch.cat([no, rises]), torch.cat([falls, no])    # towards the bin from below, away from it above
        is_peak = up & down
        below, above = torch.cat([level[:1], level[:-1]]), torch.cat([level[1:], level[-1:]])
        bend = below - 2 * level + above
        offset = torch.where(is_peak, 0.5 * (below - above) / torch.where(is_peak, bend, torch.ones_like(bend)), 0.0)
        peak_phase = phase + self.turn + self.turn[1] * offset
        # A rising bin belongs to the end of its rise, a falling one to the beginning of its fall.
        last = torch.full_like(bins, n - 1)
        end = torch.where(torch.cat([rises, no]), last, bins).flip([0]).cummin(0)[0].flip([0])
        start = torch.where(torch.cat([no, falls]), torch.zeros_like(bins), bins).cummax(0)[0]
        inner = (bins > 0) & (bins < n - 1)
        by_right = torch.cat([rises, no]) & is_peak[end] & inner
        by_left = torch.cat([no, falls]) & is_peak[start] & inner & by_right.logical_not()
        owner = torch.where(by_right, end, torch.where(by_left, start, bins))
        # The true peak lies between two bins: both take its phase, even where another slope begins.
        right = torch.cat([no, (is_peak & (offset > 0))[:-1]])
        left = torch.cat([(is_peak & (offset < 0))[1:], no])
        owner = torch.where(right & by_right.logical_not(), bins - 1, owner)
        owner = torch.where(left, bins + 1, owner)
        return torch.where(is_peak[owner], peak_phase[owner], phase)

    @torch.jit.export
    def started(self, magnitude: Tensor) -> Tensor:
        """Return spectra ``(frame, 513)`` to begin with."""
        frames: list[Tensor] = []
        phase = (self.newest * self.sign).angle().double()
        for n in range(magnitude.shape[0]):
            phase = self.turned(magnitude[n], phase)
            phase = phase - 2 * math.pi * torch.floor(phase / (2 * math.pi) + 0.5)
            frames.append(torch.polar(magnitude[n], phase.float()) * self.sign)
        return torch.stack(frames)

    @torch.jit.export
    def added(self, frames: Tensor) -> Tensor:
        """Return windowed frames overlap-added onto the tail: 256 samples a frame, and 768 more."""
        n = frames.shape[0]
        parts = (frames * self.window).reshape(n, -1, self.hop_length)
        total = torch.zeros(n + 3, self.hop_length, device=frames.device)
        total[:3] = self.tail.view(3, self.hop_length)
        for part in range(4):
            total[part : part + n] += parts[:, part]
        return total.flatten()

    def forward(self, magnitude: Tensor) -> Tensor:
        """Take ``(stride, 513)`` magnitudes, return as many rows of numbers of length 1."""
        new = torch.nan_to_num(magnitude, 0.0, 0.0, 0.0).clamp(0.0, self.loudest)
        fresh = self.started(new)
        magnitude = torch.cat([self.magnitude, new])
        spectrum = torch.cat([self.spectrum, fresh])
        previous = torch.cat([self.previous, torch.zeros_like(fresh)])
        n, stride, known = magnitude.shape[0], self.stride, self.look_ahead
        unit = torch.sgn(spectrum)
        centred = self.sign.to(torch.complex64)
        for sweep in range(self.sweeps):
            line = self.added(torch.fft.irfft(spectrum, self.n_fft)) * self.gain
            consistent = torch.fft.rfft(line.unfold(0, self.n_fft, self.hop_length) * self.window)
            ahead = self.momentum * (consistent - previous)
            if sweep == 0:
                ahead = torch.cat([ahead[:known], torch.zeros_like(ahead[known:])])
            target = consistent + ahead
            previous = consistent
            # Without a phase: zero at the frame's centre, or else a frame that begins at 0 stays there for ever.
            unit = torch.where(target.abs() < 1e-9, centred, torch.sgn(target))
            spectrum = magnitude * unit
        settled = self.added(torch.fft.irfft(spectrum[:stride], self.n_fft))
        self.tail = settled[stride * self.hop_length :]
        self.magnitude, self.spectrum, self.previous = magnitude[stride:], spectrum[stride:], previous[stride:]
        self.newest = spectrum[n - 1]
        return unit[:stride]
