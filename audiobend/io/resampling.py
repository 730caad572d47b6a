"""Another sample rate, as a stream: feed, flush, reset; exact length for any block size."""

import numpy as np
import soxr
import torch
from torch import Tensor


class StreamResampler:
    """Resample sound that arrives in blocks.

    Parameters
    ----------
    in_rate, out_rate : int > 0
        Sample rates in Hz. Where they are equal, sound passes through untouched.
    channels : int > 0
    quality : "HQ" or "VHQ"
        Of the soxr library; HQ keeps about 20 bits, VHQ about 28.

    Notes
    -----
    After `flush`, exactly ``round(n * out_rate / in_rate)`` samples have come out for ``n`` that went in.

    Examples
    --------
    >>> resampler = StreamResampler(44100, 48000, channels=1)
    >>> out = [resampler.feed(torch.zeros(1, 441)) for _ in range(10)] + [resampler.flush()]
    >>> sum(block.shape[-1] for block in out)
    4800
    """

    def __init__(self, in_rate: int, out_rate: int, channels: int, quality: str = "HQ") -> None:
        self.in_rate, self.out_rate, self.channels, self.quality = in_rate, out_rate, channels, quality
        self.reset()

    def reset(self) -> None:
        """Forget all sound; the next block starts a new stream."""
        self._fed = self._given = 0
        self._stream = None
        if self.in_rate != self.out_rate:
            self._stream = soxr.ResampleStream(
                self.in_rate, self.out_rate, self.channels, dtype="float32", quality=self.quality
            )

    def feed(self, block: Tensor) -> Tensor:
        """Take a block ``(channel, time)`` and return what is ready, ``(channel, time)`` at the new rate."""
        self._fed += block.shape[-1]
        if self._stream is None:
            self._given += block.shape[-1]
            return block
        return self._cut(self._run(block, last=False))

    def flush(self) -> Tensor:
        """Return the end of the stream, so that the total length is exact; then start anew."""
        if self._stream is None:
            self.reset()
            return torch.zeros(self.channels, 0)
        tail = self._cut(self._run(torch.zeros(self.channels, 0), last=True))
        missing = self._due() - self._given
        if missing:
            tail = torch.cat([tail, torch.zeros(self.channels, missing)], dim=-1)
        self.reset()
        return tail

    def _run(self, block: Tensor, *, last: bool) -> Tensor:
        assert self._stream is not None
        samples = np.ascontiguousarray(block.detach().cpu().to(torch.float32).numpy().T)
        return torch.from_numpy(np.ascontiguousarray(self._stream.resample_chunk(samples, last=last).T))

    def _due(self) -> int:
        """``round(fed * out_rate / in_rate)`` in whole numbers, because floats go wrong after hours."""
        return (2 * self._fed * self.out_rate + self.in_rate) // (2 * self.in_rate)

    def _cut(self, block: Tensor) -> Tensor:
        block = block[:, : self._due() - self._given]
        self._given += block.shape[-1]
        return block
