"""The pass-through pieces: samples -> columns -> windows -> columns, fed in any portions.

Each piece takes what there is with ``feed`` and returns what is ready; ``flush`` returns the rest and ``reset``
forgets. However the input is cut, the pieces joined are the same.
"""

import math

import torch
from torch import Tensor

from audiobend.spectral.stft import HOP_LENGTH, N_FFT, n_columns, stft


class Framer:
    """Samples ``(channel, time)`` to spectrum columns ``(channel, 513, column)``, equal to `stft` of the whole.

    Examples
    --------
    >>> framer = Framer(n_channels=1)
    >>> parts = [framer.feed(torch.ones(1, 700)), framer.feed(torch.ones(1, 300)), framer.flush()]
    >>> [part.shape[-1] for part in parts]
    [1, 1, 2]
    """

    def __init__(self, n_channels: int) -> None:
        self.n_channels = n_channels
        self.reset()

    def reset(self) -> None:
        """Start at the first sample again."""
        # Half a frame of silence stands before the first sample, so that column 0 is centred on it.
        self._pending = torch.zeros(self.n_channels, N_FFT // 2)
        self._n_fed = self._n_made = 0

    def feed(self, waveform: Tensor) -> Tensor:
        """Take samples, return the columns that are complete (maybe none)."""
        self._n_fed += waveform.shape[-1]
        self._pending = torch.cat([self._pending, waveform], dim=-1)
        return self._columns((self._pending.shape[-1] - N_FFT) // HOP_LENGTH + 1)

    def flush(self) -> Tensor:
        """Return the last columns, as if silence followed."""
        self._pending = torch.nn.functional.pad(self._pending, (0, N_FFT))
        return self._columns(n_columns(self._n_fed) - self._n_made)

    def _columns(self, n: int) -> Tensor:
        if n <= 0:
            return torch.zeros(self.n_channels, N_FFT // 2 + 1, 0, dtype=torch.complex64)
        # `stft` pads half a frame at both ends; the outer two columns on each side hold that padding.
        inner = stft(self._pending[:, : (n - 1) * HOP_LENGTH + N_FFT])[..., 2:-2]
        self._pending = self._pending[:, n * HOP_LENGTH :]
        self._n_made += n
        return inner


class ContextWindow:
    """Columns ``(channel, 513, column)`` to overlapping windows ``(window, channel, 513, 128)``.

    The first window ends ``stride`` columns into the sound and the last begins as many before its end, with
    ``silence`` around, so that every column lies in equally many windows.

    Parameters
    ----------
    stride : int, a divisor of ``window``
        Columns between windows.
    silence : Tensor of shape ``(513,)``
        What a silent column looks like.
    """

    def __init__(self, n_channels: int, silence: Tensor, stride: int = 32, window: int = 128) -> None:
        self.n_channels, self.silence, self.stride, self.window = n_channels, silence, stride, window
        self.reset()

    @property
    def lead(self) -> int:
        """Silent columns before the first real one."""
        return self.window - self.stride

    def reset(self) -> None:
        """Start with silence again."""
        self._pending = self._silence(self.lead)
        self._n_fed = 0

    def feed(self, columns: Tensor) -> Tensor:
        """Take columns, return the windows that are complete (maybe none)."""
        self._n_fed += columns.shape[-1]
        self._pending = torch.cat([self._pending, columns], dim=-1)
        n = (self._pending.shape[-1] - self.window) // self.stride + 1
        if n <= 0:
            return self._pending.new_zeros(0, self.n_channels, len(self.silence), self.window)
        windows = self._pending.unfold(-1, self.window, self.stride).permute(2, 0, 1, 3)
        self._pending = self._pending[..., n * self.stride :]
        return windows

    def flush(self) -> Tensor:
        """Return the last windows, as if silence followed."""
        to_seam = -self._n_fed % self.stride
        return self.feed(self._silence(to_seam + self.lead))

    def _silence(self, n: int) -> Tensor:
        return self.silence[None, :, None].expand(self.n_channels, -1, n)


class OverlapAdd:
    """Windows ``(window, channel, 513, 128)`` to columns, cross-faded with Hann weights (in whatever unit: dB here).

    Undoes `ContextWindow`: what comes out is aligned with what went in there.
    """

    def __init__(self, n_channels: int, n_bins: int = 513, stride: int = 32, window: int = 128) -> None:
        self.n_channels, self.n_bins, self.stride, self.window = n_channels, n_bins, stride, window
        position = (torch.arange(window) + 0.5) / window
        weight = (math.pi * position).sin().square()
        self.weight = weight / weight.reshape(-1, stride).sum(0).repeat(window // stride)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._sum = torch.zeros(self.n_channels, self.n_bins, self.window)
        self._skip = self.window - self.stride    # the silent lead

    def feed(self, windows: Tensor) -> Tensor:
        """Take windows, return the columns that no later window will change."""
        n = len(windows)
        if n == 0:
            return self._sum[..., :0]
        total = self._sum.new_zeros(self.n_channels, self.n_bins, (n - 1) * self.stride + self.window)
        total[..., : self.window] += self._sum
        for index, window in enumerate(windows):
            total[..., index * self.stride : index * self.stride + self.window] += window * self.weight
        ready = total[..., : n * self.stride]
        self._sum = torch.nn.functional.pad(total[..., n * self.stride :], (0, self.stride))
        skipped = min(self._skip, ready.shape[-1])
        self._skip -= skipped
        return ready[..., skipped:]
