"""The network that learns the look of a layer's features by telling them apart (Broad et al., Entropy 2022, section 4).

Convolution blocks with 50 features, then a bottleneck of 10 numbers, then one output for each feature of the layer.
The blocks are units of ShuffleNet V2 (Ma et al., ECCV 2018, section 4) but for the first, which makes 50 features of
the one map; each block ends in a 3 x 3 max pool that halves the map.
"""

import math

import torch
from torch import Tensor, nn

WIDTH = 50
BOTTLENECK = 10


def depth_for(height: int) -> int:
    """Return how many blocks a layer gets, from its maps' height: the paper's Table 1 (1..4) and Table 2 (1..8).

    >>> [depth_for(height) for height in (8, 17, 32, 64)], depth_for(1024)
    ([1, 2, 3, 4], 8)
    """
    return max(1, round(math.log2(height)) - 2)


class ShuffleUnit(nn.Module):
    """Half of the features pass, the other half goes through three convolutions, then both are interleaved."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        half = n_features // 2
        self.branch = nn.Sequential(
            nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True),
            nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False), nn.BatchNorm2d(half),
            nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True),
        )    # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape ``(batch, feature, height, width)``."""
        passed, worked = x.chunk(2, dim=1)
        return torch.stack((passed, self.branch(worked)), dim=2).flatten(1, 2)


class MetricNetwork(nn.Module):
    """Tells the features of one layer apart by their activation maps.

    Parameters
    ----------
    n_features : int
        Features of the layer.
    height, width : int
        Of its maps.
    depth : int or None
        Blocks; None is the papers' number for this height.

    Examples
    --------
    >>> network = MetricNetwork(n_features=128, height=8, width=33).eval()
    >>> maps = torch.zeros(2, 1, 8, 33)
    >>> list(network(maps).shape), list(network.embed(maps).shape)
    ([2, 128], [2, 10])
    """

    def __init__(self, n_features: int, height: int, width: int, depth: int | None = None) -> None:
        super().__init__()
        self.shape = (n_features, height, width)
        self.depth = depth or depth_for(height)
        # ReLU after the pool is the same as before it, and there is a quarter of it to do.
        first = (nn.Conv2d(1, WIDTH, 3, 2, 1, bias=False), nn.BatchNorm2d(WIDTH), _pool(), nn.ReLU(inplace=True))
        units = [part for _ in range(self.depth - 1) for part in (ShuffleUnit(WIDTH), _pool())]
        self.blocks = nn.Sequential(*first, *units)
        for _ in range(self.depth + 1):    # the first block halves twice
            height, width = (height + 1) // 2, (width + 1) // 2
        self.bottleneck = nn.Linear(WIDTH * height * width, BOTTLENECK)
        self.identity = nn.Linear(BOTTLENECK, n_features)

    def embed(self, x: Tensor) -> Tensor:
        """Return the bottleneck ``(batch, 10)`` of maps ``(batch, 1, height, width)`` in -1..1."""
        x = x.contiguous(memory_format=torch.channels_last)
        embedding: Tensor = self.bottleneck(self.blocks(x).flatten(1))
        return embedding

    def forward(self, x: Tensor) -> Tensor:
        """Return how much each map looks like each feature's, ``(batch, feature)``, before the softmax."""
        scores: Tensor = self.identity(self.embed(x))
        return scores


def laid_out(network: MetricNetwork) -> MetricNetwork:
    """Lay a network's kernels out channels last, which makes it several times as fast on a processor."""
    network.to(memory_format=torch.channels_last)    # type: ignore[call-overload]
    return network


def _pool() -> nn.Module:
    return nn.MaxPool2d(3, 2, 1)
