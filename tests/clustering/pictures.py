"""A small network of pictures, as StyleGAN2 is a large one, whose features look alike in a way that is known."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from audiobend.networks.bendable import LayerSpec

SIDE = 16
KINDS = 3


class Blobs(nn.Module):
    """Features of layer 1 show a blob at the left, in the middle, or at the right, at a height that the code sets."""

    def __init__(self, kinds: Tensor) -> None:
        super().__init__()
        self.kinds = kinds
        self.blobs, self.last = nn.Identity(), nn.Identity()

    def forward(self, codes: Tensor) -> Tensor:
        position = torch.linspace(0, 1, SIDE)
        x = torch.exp(-((position - (0.15 + 0.35 * self.kinds[:, None])) ** 2) / 0.02)
        y = torch.exp(-((position - codes[:, self.kinds.long(), None]) ** 2) / 0.05)
        maps = self.blobs(x[None, :, None, :] * y[..., None])
        return self.last(maps.mean(1, keepdim=True))

    def layers(self) -> tuple[LayerSpec, ...]:
        axes = ("y", "x")
        return (
            LayerSpec(1, "blobs", len(self.kinds), SIDE, SIDE, axes),
            LayerSpec(2, "last", 1, SIDE, SIDE, axes),
        )


class Codes:
    """Latent codes of a seed."""

    def __init__(self, n_samples: int, seed: int = 0, batch: int = 7) -> None:
        self.codes = torch.rand(n_samples, KINDS, generator=torch.Generator().manual_seed(seed))
        self.batch = batch

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.codes.split(self.batch))


def blobs(n_each: int = 6, seed: int = 0) -> Blobs:
    """Return a network whose features of three kinds stand in mixed order."""
    kinds = torch.arange(KINDS).repeat_interleave(n_each)
    order = torch.randperm(len(kinds), generator=torch.Generator().manual_seed(seed))
    return Blobs(kinds[order].float()).eval()
