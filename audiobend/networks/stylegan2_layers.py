"""The layers of StyleGAN2's generator (Karras et al., 2020), by the names that converted checkpoints use."""

import torch
from torch import Tensor, nn

from audiobend.bending.features import stable_key
from audiobend.networks.stylegan2_ops import (
    EPSILON,
    GAIN,
    SLOPE,
    activation,
    demodulation,
    enlarge,
    modulated_convolution,
)
from audiobend.networks.stylegan2_sizes import Architecture

MAPPING_RATE = 0.01
"""What the mapping network's weights are multiplied by; it learnt a hundred times more slowly than the rest."""
OWN_NOISE = 2**32
"""Seed of the noise of a model that has none; pictures have smaller ones."""


class Linear(nn.Module):
    """A fully connected layer whose weights are scaled at run time ("equalised learning rate")."""

    def __init__(self, n_in: int, n_out: int, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in))
        self.bias = nn.Parameter(torch.empty(n_out))
        self.gain, self.rate, self.start = rate / n_in**0.5, rate, bias

    def draw(self) -> None:
        """Begin anew: random weights."""
        self.weight.normal_(std=1 / self.rate)
        self.bias.fill_(self.start)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(batch, out)`` of ``(batch, in)``."""
        return nn.functional.linear(x, self.weight * self.gain, self.bias * self.rate)


class MappingLayer(Linear):
    """One layer of the mapping network."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out, rate=MAPPING_RATE)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(batch, out)`` of ``(batch, in)``."""
        return activation(super().forward(x))


class Normalise(nn.Module):
    """Codes at a mean square of 1."""

    def forward(self, z: Tensor) -> Tensor:
        """Return codes of the same shape."""
        return normalise(z)


def normalise(z: Tensor) -> Tensor:
    """Return codes ``(batch, dim)`` at a mean square of 1."""
    return z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + EPSILON)


class ModulatedConv(nn.Module):
    """A convolution whose kernels a style changes."""

    def __init__(self, n_in: int, n_out: int, kernel: int, n_style: int, *, demodulate: bool, up: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in, kernel, kernel))
        self.modulation = Linear(n_style, n_in, bias=1.0)
        self.gain = 1 / (n_in * kernel**2) ** 0.5
        self.demodulate, self.up = demodulate, up
        self._energy: tuple[Tensor, int, Tensor] | None = None

    def draw(self) -> None:
        """Begin anew: random weights."""
        self.weight.normal_()

    def forward(self, x: Tensor, w: Tensor, gain: float = 1.0) -> Tensor:
        """Return maps of maps ``(batch, in, height, width)`` and styles ``(batch, style)``, times a gain."""
        style = self.modulation(w)
        if self.demodulate:
            after = demodulation(self.energy(), style * self.gain) * gain
            return modulated_convolution(x, self.weight, style * self.gain, after, self.up)
        return modulated_convolution(x, self.weight, style * (self.gain * gain), None, self.up)

    def energy(self) -> Tensor:
        """Return the sums of the squares of the kernels ``(out, in)``; remembered while the weights stay."""
        weight = self.weight
        if weight.requires_grad or weight.is_inference():
            return weight.float().square().sum(dim=(2, 3))
        known = self._energy
        if known is None or known[0] is not weight or known[1] != weight._version:
            known = self._energy = (weight, weight._version, weight.float().square().sum(dim=(2, 3)))
        return known[2]


class NoiseStrength(nn.Module):
    """How strongly noise is added."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1))

    def draw(self) -> None:
        """Begin anew: without noise."""
        self.weight.zero_()


class Bias(nn.Module):
    """One number for each feature."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(n_features))

    def draw(self) -> None:
        """Begin anew: without bias."""
        self.bias.zero_()


class StyledConv(nn.Module):
    """Convolution, noise, bias, activation; its output is one layer's activation maps."""

    def __init__(self, n_in: int, n_out: int, n_style: int, up: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv(n_in, n_out, 3, n_style, demodulate=True, up=up)
        self.noise = NoiseStrength()
        self.activate = Bias(n_out)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """Return maps; ``noise`` is ``(1 or batch, 1, height, width)``."""
        # The activation's gain is put before it, where it costs nothing: positive factors pass through leaky ReLU.
        y = self.conv(x, w, GAIN)
        if noise is not None:
            y = y.add_(noise.to(y.dtype) * (self.noise.weight * GAIN))
        y = y.add_((self.activate.bias * GAIN)[:, None, None])
        return nn.functional.leaky_relu_(y, SLOPE)


class ToRGB(nn.Module):
    """Maps to the three colours of a picture."""

    def __init__(self, n_in: int, n_style: int) -> None:
        super().__init__()
        self.conv = ModulatedConv(n_in, 3, 1, n_style, demodulate=False, up=False)
        self.bias = nn.Parameter(torch.empty(1, 3, 1, 1))

    def draw(self) -> None:
        """Begin anew: without bias."""
        self.bias.zero_()

    def forward(self, x: Tensor, w: Tensor, smaller: Tensor | None) -> Tensor:
        """Return a picture ``(batch, 3, height, width)`` in float32, laid over the one of half the size."""
        picture: Tensor = self.conv(x, w).float() + self.bias.float()
        return picture if smaller is None else picture + enlarge(smaller)


class Constant(nn.Module):
    """The learned maps that every picture begins with."""

    def __init__(self, n_features: int, base: tuple[int, int]) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.empty(1, n_features, *base))

    def draw(self) -> None:
        """Begin anew: a random constant."""
        self.input.normal_()

    def forward(self, batch: int) -> Tensor:
        """Return the constant for each item."""
        return self.input.expand(batch, -1, -1, -1)


class Noises(nn.Module):
    """The noise that a model was saved with: ``noise_0``, ``noise_1`` and so on, one for each layer."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        for layer in range(architecture.n_layers):
            self.register_buffer(f"noise_{layer}", torch.empty(1, 1, *architecture.map_size(layer)))

    def draw(self) -> None:
        """Begin anew: noise that is always the same."""
        for layer, noise in enumerate(self.buffers()):
            noise.copy_(drawn_noise(OWN_NOISE, layer, (noise.shape[2], noise.shape[3])))


def drawn_noise(seed: int, layer: int, size: tuple[int, int]) -> Tensor:
    """Return noise ``(1, 1, height, width)`` that depends on a seed and a layer only."""
    generator = torch.Generator().manual_seed(stable_key(seed, "noise", layer))
    return torch.randn(1, 1, *size, generator=generator)
