"""A look-ahead limiter: nothing leaves above the ceiling, and what stays below it is not touched at all."""

import numpy as np
import torch
from torch import Tensor

from audiobend.spectral._guard_kernels import lowest_ahead

CEILING = 0.9988
"""-0.01 dBFS."""


class Limiter:
    """Turn peaks down before they come: smoothed gain, the same for all channels.

    The gain falls and rises over ``n_look_ahead`` samples (10 ms), so it does not click. Samples that need no
    limiting come out bit for bit, ``n_look_ahead`` later inside but aligned through `feed` and `flush`.

    Examples
    --------
    >>> limiter = Limiter(n_channels=1)
    >>> loud = torch.full((1, 3000), 4.0)
    >>> out = torch.cat([limiter.feed(loud), limiter.flush()], dim=-1)
    >>> list(out.shape), bool(out.abs().max() <= CEILING)
    ([1, 3000], True)
    """

    def __init__(self, n_channels: int, ceiling: float = CEILING, n_look_ahead: int = 441) -> None:
        self.n_channels, self.ceiling, self.n_look_ahead = n_channels, ceiling, n_look_ahead
        kernel = np.hanning(n_look_ahead + 2)[1:-1]
        self._kernel = kernel / kernel.sum()
        lowest_ahead(np.ones(2), 1)    # compiled before the first peak comes
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        # Gains of the samples before the first one: nothing to hold down.
        self._gains = np.ones(self.n_look_ahead - 1)
        self._pending = torch.zeros(self.n_channels, 0)

    def feed(self, waveform: Tensor) -> Tensor:
        """Take samples ``(channel, time)``, return those whose gain is known."""
        clean = torch.nan_to_num(waveform, nan=0.0, posinf=0.0, neginf=0.0)
        self._pending = torch.cat([self._pending, clean], dim=-1)
        peak = clean.abs().amax(dim=0).double().numpy() if clean.shape[-1] else np.zeros(0)
        self._gains = np.concatenate([self._gains, self.ceiling / np.maximum(peak, self.ceiling)])
        return self._limited(self._pending.shape[-1] - self.n_look_ahead + 1)

    def flush(self) -> Tensor:
        """Return the rest."""
        n = self._pending.shape[-1]
        self._gains = np.concatenate([self._gains, np.ones(self.n_look_ahead - 1)])
        rest = self._limited(n)
        self.reset()
        return rest

    def _limited(self, n: int) -> Tensor:
        if n <= 0:
            return self._pending[:, :0]
        look = self.n_look_ahead
        # A sample's gain is a weighted mean of lowest gains, each over a stretch that holds the sample itself.
        gains = self._gains[: n + 2 * look - 2]
        self._gains = self._gains[n:]
        samples, self._pending = self._pending[:, :n], self._pending[:, n:]
        if gains.min() == 1.0:
            return samples
        lowest = lowest_ahead(gains, look)
        smooth = np.convolve(lowest, self._kernel, mode="valid")
        return (samples * torch.from_numpy(smooth).float()).clamp_(-self.ceiling, self.ceiling)
