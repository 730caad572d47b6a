"""From bent magnitudes back to samples."""

from typing import Literal

import torch
from torch import Tensor

from audiobend.spectral.stft import istft

Quality = Literal["fast", "default", "best"]
PhaseSource = Literal["auto", "input", "pghi", "griffinlim"]


def reconstruct(
    magnitude: Tensor,
    *,
    quality: Quality = "default",
    input_stft: Tensor | None = None,
    phase: PhaseSource = "auto",
    length: int | None = None,
    seed: int = 0,
    n_iter: int | None = None,
) -> Tensor:
    """Return the waveform `(..., length)` of a magnitude `(513, time)` or `(channel, 513, time)`."""
    if input_stft is None:
        input_stft = torch.polar(torch.ones_like(magnitude), torch.zeros_like(magnitude))
    return istft(magnitude * torch.sgn(input_stft), length)


class Resynthesizer:
    """Resynthesis of tracks of any length at constant memory: `feed`, then `flush`."""

    def __init__(
        self,
        *,
        quality: Quality = "default",
        phase: PhaseSource = "auto",
        seed: int = 0,
        n_iter: int | None = None,
    ) -> None:
        self.quality, self.phase, self.seed, self.n_iter = quality, phase, seed, n_iter
        self.reset()

    def reset(self) -> None:
        """Forget everything that was fed."""
        self._fed: list[tuple[Tensor, Tensor | None]] = []

    def feed(self, magnitude: Tensor, input_stft: Tensor | None = None) -> Tensor:
        """Take columns `(channel, 513, n)`, return the samples `(channel, m)` that are ready; m may be 0."""
        self._fed.append((magnitude, input_stft))
        return magnitude.new_zeros(magnitude.shape[0], 0)

    def flush(self, length: int | None = None) -> Tensor:
        """Return the rest: `length` samples in all since the start (default 256 * (columns - 1))."""
        magnitude = torch.cat([m for m, _ in self._fed], -1)
        inputs = [x for _, x in self._fed if x is not None]
        waveform = reconstruct(
            magnitude,
            quality=self.quality,
            input_stft=torch.cat(inputs, -1) if inputs else None,
            phase=self.phase,
            length=length,
            seed=self.seed,
            n_iter=self.n_iter,
        )
        self.reset()
        return waveform
