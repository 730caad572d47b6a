"""The pieces of a sliding window, each fed one stride at a time: analysis, cross-fade of windows, synthesis.

Time comes before frequency here, as in the network's maps, so that nothing has to be turned.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from audiobend.spectral.estimates import direction
from audiobend.spectral.stft import HOP_LENGTH, N_BINS, N_FFT, window
from audiobend.spectral.stream_phase import TAIL, StreamPhase

WINDOW = 128
SILENT_DB = -200.0


class Columns(NamedTuple):
    """What the sliding window holds after a stride.

    Attributes
    ----------
    window_db : Tensor of shape ``(channel, 128, 513)``
        Decibels of magnitude 1, down to -200.
    spectrum : complex Tensor of shape ``(channel, stride, 513)``
        The columns to be kept: they end ``look_ahead`` columns before the window's end.
    kept_db : Tensor of shape ``(channel, stride, 513)``
        Their decibels.
    """

    window_db: Tensor
    spectrum: Tensor
    kept_db: Tensor


class SlidingAnalysis:
    """Samples to columns, and the window that slides over them."""

    def __init__(self, n_channels: int, stride: int, look_ahead: int) -> None:
        self.n_channels, self.stride, self.look_ahead = n_channels, stride, look_ahead
        self.reset()

    def reset(self) -> None:
        """Start with silence again."""
        self._samples = torch.zeros(self.n_channels, TAIL + self.stride * HOP_LENGTH)
        self._decibels = torch.full((self.n_channels, WINDOW, N_BINS), SILENT_DB)
        n_held = self.stride + self.look_ahead
        self._spectra = torch.zeros(self.n_channels, n_held, N_BINS, dtype=torch.complex64)

    def feed(self, samples: Tensor) -> Columns:
        """Take ``(channel, 256 * stride)`` samples; the newest column's frame ends with the last of them."""
        self._samples = torch.cat([self._samples[:, -TAIL:], samples], dim=1)
        spectrum = torch.fft.rfft(self._samples.unfold(-1, N_FFT, HOP_LENGTH) * window())
        decibels = spectrum.abs().clamp_(min=1e-10).log10_().mul_(20.0)
        self._decibels = torch.cat([self._decibels[:, self.stride :], decibels], dim=1)
        self._spectra = torch.cat([self._spectra[:, self.stride :], spectrum], dim=1)
        last = WINDOW - self.look_ahead
        return Columns(self._decibels, self._spectra[:, : self.stride], self._decibels[:, last - self.stride : last])


class CrossFade:
    """Overlapping reconstructions to the columns that are kept of each, cross-faded with the one before.

    The last column of a window is by far the worst, so the older reconstruction is out before it gets there. With
    ``look_ahead`` as long as ``stride`` the fade takes the whole stride, and whatever changes from one window to the
    next changes in a ramp.

    Attributes
    ----------
    span : slice
        The columns of a window that are used: those kept, and those that the next window is faded from.
    """

    def __init__(self, stride: int, look_ahead: int) -> None:
        self.stride, self.look_ahead = stride, look_ahead
        n_fade = min(stride, look_ahead)
        self.span = slice(WINDOW - look_ahead - stride, WINDOW - look_ahead + n_fade)
        self._weight = (torch.arange(1, n_fade + 1) / n_fade)[:, None]
        self.reset()

    def reset(self) -> None:
        """Let the next window begin without a fade."""
        self._before: Tensor | None = None

    def feed(self, columns: Tensor) -> Tensor:
        """Take the columns `span` of a window, ``(..., column, 513)``; return the kept ones ``(..., stride, 513)``."""
        kept = columns[..., : self.stride, :]
        if self._before is not None:
            n_fade = len(self._weight)
            head = torch.lerp(self._before, kept[..., :n_fade, :], self._weight)
            kept = torch.cat([head, kept[..., n_fade:, :]], dim=-2)
        self._before = columns[..., self.stride :, :]
        return kept


class SlidingSynthesis:
    """Bent magnitudes to samples: every frame gets its phase once and is only overlap-added.

    Parameters
    ----------
    phase_look_ahead : int or None
        Frames that `StreamPhase` waits for; None takes the input's phase.
    """

    def __init__(self, n_channels: int, phase_look_ahead: int | None) -> None:
        self.n_channels = n_channels
        self._phases = None if phase_look_ahead is None else StreamPhase(phase_look_ahead)
        self._look_ahead = phase_look_ahead or 0
        self.reset()

    def reset(self) -> None:
        """Start with silence again."""
        self._tail = torch.zeros(self.n_channels, TAIL)
        self._waiting = torch.zeros(self.n_channels, self._look_ahead, N_BINS, dtype=torch.complex64)
        if self._phases is not None:
            self._phases.reset()

    def feed(self, magnitude: Tensor, spectrum: Tensor, seed: int = 0) -> Tensor:
        """Take ``(channel, column, 513)`` bent magnitudes and the input's spectrum; return 256 samples a column.

        ``seed`` is of the phases of bins where the input is silent.
        """
        turned = magnitude * direction(spectrum.mT, seed).mT
        if self._phases is not None:
            turned = self._rephased(turned, magnitude, self._phases)
        frames = torch.fft.irfft(turned, N_FFT) * window()
        n = magnitude.shape[1]
        total = torch.zeros(self.n_channels, n * HOP_LENGTH + TAIL)
        total[:, :TAIL] = self._tail
        for column in range(n):
            total[:, column * HOP_LENGTH : column * HOP_LENGTH + N_FFT] += frames[:, column]
        self._tail = total[:, n * HOP_LENGTH :]
        return total[:, : n * HOP_LENGTH] * (2 / 3)    # one over the summed squared windows

    def _rephased(self, turned: Tensor, magnitude: Tensor, phases: StreamPhase) -> Tensor:
        """Give the mid new phases; each channel keeps the phase that it had against the input's mid."""
        mid = turned.mean(0)
        apart = magnitude.to(torch.complex64)
        if self.n_channels > 1:
            apart = turned * torch.sgn(mid).conj()
            apart = torch.where(mid == 0, magnitude, apart)
        found = [torch.from_numpy(phases.push(row).copy()) for row in mid.abs().numpy()]
        waiting = torch.cat([self._waiting, apart], dim=1)
        n = magnitude.shape[1]
        self._waiting = waiting[:, n:]
        return waiting[:, :n] * torch.stack(found)
