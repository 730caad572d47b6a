"""The parts of an exported generator, each with the bends behind it, as `torch.jit.script` compiles them.

They do what `audiobend.networks.stylegan2` does.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from audiobend.export.layers import LayerBends
from audiobend.networks.stylegan2 import Linear, ModulatedConv, StyledConv, ToRGB
from audiobend.networks.stylegan2_ops import EPSILON, FILTER, GAIN, SLOPE


def normalised(z: Tensor) -> Tensor:
    """Return codes ``(batch, dim)`` at a mean square of 1."""
    return z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)


class MappingStep(nn.Module):
    """One layer of the mapping network, its scales worked out."""

    weight: Tensor
    bias: Tensor

    def __init__(self, layer: Linear, bends: LayerBends) -> None:
        super().__init__()
        self.register_buffer("weight", (layer.weight * layer.gain).detach())
        self.register_buffer("bias", (layer.bias * layer.rate).detach())
        self.slope, self.gain, self.bends = SLOPE, GAIN, bends

    def forward(self, x: Tensor, values: list[float], call: int) -> Tensor:
        """Return ``(batch, out)`` of ``(batch, in)``."""
        x = F.leaky_relu(F.linear(x, self.weight, self.bias), self.slope).mul_(self.gain)
        out: Tensor = self.bends(x[:, :, None, None], values, call)
        return out[:, :, 0, 0]


class Modulated(nn.Module):
    """A convolution whose kernels a style changes, in the shorter of its two forms."""

    weight: Tensor
    style_weight: Tensor
    style_bias: Tensor
    energy: Tensor
    smoothing: Tensor

    def __init__(self, conv: ModulatedConv, gain: float) -> None:
        super().__init__()
        linear = conv.modulation
        self.register_buffer("weight", conv.weight.detach())
        self.register_buffer("style_weight", (linear.weight * linear.gain).detach())
        self.register_buffer("style_bias", (linear.bias * linear.rate).detach())
        self.register_buffer("energy", conv.energy().detach() if conv.demodulate else torch.zeros(1, 1))
        taps = torch.tensor(FILTER)
        smoothing = torch.outer(taps, taps) * (4 / taps.sum() ** 2)
        self.register_buffer("smoothing", smoothing.expand(conv.weight.shape[0], 1, -1, -1).contiguous())
        self.scale, self.gain, self.epsilon = float(conv.gain), gain, EPSILON
        self.demodulate, self.up, self.padding = conv.demodulate, conv.up, conv.weight.shape[-1] // 2

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Return maps of maps ``(batch, in, height, width)`` and styles ``(batch, style)``."""
        style = F.linear(w, self.style_weight, self.style_bias)
        after = torch.ones(1, 1, device=x.device)
        if self.demodulate:
            style = style * self.scale
            after = torch.rsqrt(style.square() @ self.energy.t() + self.epsilon) * self.gain
        else:
            style = style * (self.scale * self.gain)
        cells = x.shape[2] * x.shape[3] * (self.weight.shape[0] + self.weight.shape[1])
        if x.shape[0] == 1 and cells > 2 * self.weight.numel():
            kernels = self.weight * style[0, None, :, None, None]
            if self.demodulate:
                kernels = kernels * after[0, :, None, None, None]
            return self.convolve(x, kernels)
        y = self.convolve(x * style[:, :, None, None], self.weight)
        return y * after[:, :, None, None] if self.demodulate else y

    @torch.jit.export
    def convolve(self, x: Tensor, kernels: Tensor) -> Tensor:
        """Convolve, or double the size and smooth."""
        if not self.up:
            return F.conv2d(x, kernels, padding=self.padding)
        y = F.conv_transpose2d(x, kernels.transpose(0, 1), stride=2)
        return F.conv2d(y, self.smoothing, padding=1, groups=kernels.shape[0])


class PaintingStep(nn.Module):
    """Convolution, noise, bias, activation: one layer's maps."""

    strength: Tensor
    bias: Tensor
    own_noise: Tensor

    def __init__(self, layer: StyledConv, own_noise: Tensor, bends: LayerBends) -> None:
        super().__init__()
        self.conv = Modulated(layer.conv, GAIN)
        self.register_buffer("strength", (layer.noise.weight * GAIN).detach())
        self.register_buffer("bias", (layer.activate.bias * GAIN).detach())
        self.register_buffer("own_noise", own_noise.detach())
        self.slope, self.bends, self.is_bent = SLOPE, bends, len(bends.steps) > 0

    def forward(self, x: Tensor, w: Tensor, noise: int, values: list[float], call: int) -> Tensor:
        """Return maps; ``noise`` is 0 none, 1 the model's own, 2 drawn by torch."""
        y: Tensor = self.conv(x, w)
        if noise == 1:
            y = y + self.own_noise * self.strength
        if noise == 2:
            drawn = torch.randn([y.shape[0], 1, y.shape[2], y.shape[3]], device=y.device)
            y = y + drawn * self.strength
        y = F.leaky_relu(y + self.bias[:, None, None], self.slope)
        if self.is_bent:
            y = self.bends(y.contiguous(), values, call)
        return y


class Colours(nn.Module):
    """Maps to the three colours of a picture, laid over the smaller one."""

    bias: Tensor

    def __init__(self, layer: ToRGB) -> None:
        super().__init__()
        self.conv = Modulated(layer.conv, 1.0)
        self.register_buffer("bias", layer.bias.detach())

    def forward(self, x: Tensor, w: Tensor, smaller: Tensor) -> Tensor:
        """Return a picture ``(batch, 3, height, width)``; ``smaller`` is empty for the first."""
        picture: Tensor = self.conv(x, w) + self.bias
        if smaller.numel() == 0:
            return picture
        padded = F.pad(smaller, [1, 1, 1, 1])
        doubled = F.interpolate(padded, scale_factor=2.0, mode="bilinear", align_corners=False)
        return picture + doubled[:, :, 2:-2, 2:-2]
