"""The critic of StyleGAN2 ("discriminator"; Karras et al., 2020, section 4.1): a residual network.

Weights are scaled at run time, as the generator's are. Sizes are halved by means of two by two pixels.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from audiobend.networks.stylegan2 import Linear
from audiobend.networks.stylegan2_ops import activation

GROUP = 4
"""Pictures that are compared with each other."""


class Convolution(nn.Module):
    """A convolution whose weights are scaled at run time; the size stays."""

    def __init__(self, n_in: int, n_out: int, kernel: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(n_out)) if bias else None
        self.gain, self.padding = (n_in * kernel**2) ** -0.5, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        """Return maps ``(batch, out, height, width)``."""
        y: Tensor = F.conv2d(x, self.weight * self.gain, self.bias, padding=self.padding)
        return y


class Block(nn.Module):
    """Two convolutions, half the size between them, beside a short way."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.first, self.second = Convolution(n_in, n_in, 3), Convolution(n_in, n_out, 3)
        self.short = Convolution(n_in, n_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps ``(batch, out, height / 2, width / 2)``."""
        y = activation(self.second(F.avg_pool2d(activation(self.first(x)), 2)))
        half: Tensor = (y + self.short(F.avg_pool2d(x, 2))) * 0.5**0.5
        return half


class Critic(nn.Module):
    """Pictures to numbers: above 0 for what looks real.

    Parameters
    ----------
    features : sequence of int
        At 4 pixels, at 8 and so on.

    Examples
    --------
    >>> Critic((8, 8, 8))(torch.zeros(4, 3, 16, 16)).shape
    torch.Size([4])
    """

    def __init__(self, features: tuple[int, ...]) -> None:
        super().__init__()
        upwards = features[::-1]
        self.colours = Convolution(3, upwards[0], 1)
        self.blocks = nn.Sequential(*(Block(before, after) for before, after in pairwise(upwards)))
        last = upwards[-1]
        self.together = Convolution(last + 1, last, 3)
        self.dense, self.verdict = Linear(last * 16, last), Linear(last, 1)
        with torch.no_grad():
            self.dense.draw()
            self.verdict.draw()

    def forward(self, pictures: Tensor) -> Tensor:
        """Return verdicts ``(batch,)`` on pictures ``(batch, 3, size, size)``."""
        x = self.blocks(activation(self.colours(pictures)))
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        with torch.autocast(x.device.type, enabled=False):    # the few numbers at the end are worth their precision
            x = activation(self.together(torch.cat([x, variety(x)], dim=1)))
            verdicts: Tensor = self.verdict(activation(self.dense(x.flatten(1))))
        return verdicts[:, 0]


def variety(x: Tensor) -> Tensor:
    """Return one map ``(batch, 1, height, width)``: how much the pictures of each group differ.

    A generator that paints always the same is found out by it (Karras et al., "Progressive Growing of GANs", 2018).
    """
    batch, _, height, width = x.shape
    group = GROUP if batch % GROUP == 0 else batch
    spread = x.view(group, batch // group, *x.shape[1:])
    spread = (spread.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    return spread.repeat(group)[:, None, None, None].expand(-1, 1, height, width)
