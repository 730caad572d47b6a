"""The generator of StyleGAN2 (Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020).

A code z becomes a style w by a small network, and w drives the synthesis: a learned constant, then two convolutions
at every size, each followed by noise, bias and activation, with a picture that grows beside them. Parameters carry the
names that converted checkpoints use, so that files of either format end up in this one network.

Bends act behind each convolution's activation: layers 0..16 at 1024 pixels, odd ones where the size doubles. Also on
``"z"``, on the mapping network's ``"m1"``.. ``"m8"``, on ``"w"`` (features by levels) and on the constant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from audiobend.bending.features import stable_key
from audiobend.errors import ModelError
from audiobend.networks.bendable import LayerSpec
from audiobend.networks.stylegan2_ops import (
    EPSILON,
    GAIN,
    SLOPE,
    activation,
    demodulation,
    enlarge,
    modulated_convolution,
)

MAPPING_RATE = 0.01
"""What the mapping network's weights are multiplied by; it learnt a hundred times more slowly than the rest."""
AXES = ("y", "x")
MAX_SIDE = 4096
OWN_NOISE = 2**32
"""Seed of the noise of a model that has none; pictures have smaller ones."""
NoiseMode = Literal["const", "random", "none"]
NOISE_MODES: tuple[NoiseMode, ...] = ("const", "random", "none")


@dataclass(frozen=True)
class Architecture:
    """The sizes of a generator.

    Attributes
    ----------
    features : tuple of int
        How many at each size, from the constant's upwards; each size doubles the one before.
    base : (int, int)
        Height and width of the constant; 4 by 4 but for pictures that are not square.
    n_latent, n_style : int
        Length of z and of w.
    n_mapping : int
        Layers of the mapping network.
    n_classes : int
        0 for a model without classes.
    """

    features: tuple[int, ...]
    base: tuple[int, int] = (4, 4)
    n_latent: int = 512
    n_style: int = 512
    n_mapping: int = 8
    n_classes: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(self.features))
        object.__setattr__(self, "base", tuple(self.base))
        counts = (self.n_latent, self.n_style, self.n_mapping, *self.features, *self.base)
        rule = "needs two sizes or more, with 1..8192 features each, codes of 1..8192 numbers"
        whole = all(type(count) is int and 0 < count <= 8192 for count in counts)
        if not whole or len(self.features) < 2 or len(self.base) != 2 or not 0 <= self.n_classes <= 100000:
            raise ModelError(f"a StyleGAN2 generator {rule}, got {self}")
        if max(self.size) > MAX_SIDE or self.n_mapping > 64:
            raise ModelError(f"pictures can be {MAX_SIDE} pixels wide or high, this model's are {self.size}")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of its pictures."""
        factor = 2 ** (len(self.features) - 1)
        return self.base[0] * factor, self.base[1] * factor

    @property
    def n_levels(self) -> int:
        """How many styles a picture takes: 18 at 1024 pixels."""
        return 2 * len(self.features)

    @property
    def n_layers(self) -> int:
        """How many convolutions: 17 at 1024 pixels."""
        return self.n_levels - 1

    def map_size(self, layer: int) -> tuple[int, int]:
        """Height and width of a layer's maps."""
        factor = 2 ** ((layer + 1) // 2)
        return self.base[0] * factor, self.base[1] * factor


def standard_features(size: int, multiplier: int = 2, most: int = 512) -> tuple[int, ...]:
    """Return the published counts for square pictures (config F: multiplier 2; at 256 pixels and below often 1).

    >>> standard_features(64), standard_features(1024)[-3:]
    ((512, 512, 512, 512, 512), (128, 64, 32))
    """
    sides = [4 * 2**power for power in range(size.bit_length() - 2)]
    return tuple(min(most, 16384 * multiplier // side) for side in sides)


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


class StyleGAN2(nn.Module):
    """Codes to pictures.

    Examples
    --------
    >>> network = StyleGAN2(Architecture((8, 8, 8), n_latent=16, n_style=16, n_mapping=2)).eval()
    >>> w = network.mapping(torch.zeros(2, 16))
    >>> list(w.shape), list(network.synthesis(network.levels(w)).shape)
    ([2, 16], [2, 3, 16, 16])
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = one = architecture
        self.code = nn.Identity()    # where z is bent
        if one.n_classes:
            self.embed = Linear(one.n_classes, one.n_style)
        n_first = one.n_latent + (one.n_style if one.n_classes else 0)
        widths = [n_first, *[one.n_style] * one.n_mapping]
        layers = [MappingLayer(before, after) for before, after in pairwise(widths)]
        self.style = nn.Sequential(Normalise(), *layers)
        self.w = nn.Identity()    # where w is bent
        counts = one.features
        self.input = Constant(counts[0], (one.base[0], one.base[1]))
        self.conv1 = StyledConv(counts[0], counts[0], one.n_style)
        self.to_rgb1 = ToRGB(counts[0], one.n_style)
        self.convs, self.to_rgbs = nn.ModuleList(), nn.ModuleList()
        for before, after in pairwise(counts):
            self.convs.append(StyledConv(before, after, one.n_style, up=True))
            self.convs.append(StyledConv(after, after, one.n_style))
            self.to_rgbs.append(ToRGB(after, one.n_style))
        self.noises = Noises(one)
        if not self.input.input.is_meta:    # a shell without memory, which is about to be filled
            self.draw()

    @torch.no_grad()
    def draw(self) -> None:
        """Begin anew: random weights."""
        for module in self.modules():
            if isinstance(module, Linear | ModulatedConv | NoiseStrength | Bias | ToRGB | Constant | Noises):
                module.draw()

    def mapping(self, z: Tensor, classes: Tensor | None = None) -> Tensor:
        """Return styles ``(batch, style)`` of codes ``(batch, latent)``.

        Parameters
        ----------
        classes : Tensor of shape ``(batch,)`` or None
            Which class each picture is of, for models that have classes.
        """
        z = self.code(z)
        if not self.architecture.n_classes:
            w: Tensor = self.style(z)
            return w
        if classes is None:
            raise ModelError(f"this model draws classes 0..{self.architecture.n_classes - 1}; say which")
        one_hot = nn.functional.one_hot(classes, self.architecture.n_classes).to(z)
        x = torch.cat([normalise(z), normalise(self.embed(one_hot))], dim=1)
        for layer in list(self.style)[1:]:
            x = layer(x)
        return x

    def levels(self, w: Tensor) -> Tensor:
        """Return W+ ``(batch, level, style)``: one style at all levels."""
        return w[:, None].expand(-1, self.architecture.n_levels, -1)

    def synthesis(
        self,
        w: Tensor,
        noise: NoiseMode | Sequence[Tensor | None] = "const",
        seeds: Sequence[int] | None = None,
    ) -> Tensor:
        """Return pictures ``(batch, 3, height, width)`` in float32, about -1..1.

        Parameters
        ----------
        w : Tensor of shape ``(batch, level, style)``
        noise : "const", "random", "none", or a list of maps ``(1 or batch, 1, height, width)``, one for each layer
        seeds : whole numbers, one for each picture
            What random noise is drawn by; default 0, 1, ..

        Raises
        ------
        ModelError
            If there are too few levels or maps of noise, or the mode is unknown.
        """
        expected = (self.architecture.n_levels, self.architecture.n_style)
        if w.dim() != 3 or w.shape[1:] != expected:
            raise ModelError(f"w must be (batch, {expected[0]}, {expected[1]}) for this model, got {tuple(w.shape)}")
        w = self.w(w.transpose(1, 2)[..., None])[..., 0].transpose(1, 2)
        maps = self._noise(noise, list(range(len(w)) if seeds is None else seeds), w)
        w = w.to(self.conv1.conv.weight.dtype)
        x = self.input(len(w))
        if x.device.type == "cpu":
            x = x.contiguous(memory_format=torch.channels_last)    # convolutions are faster so
        x = self.conv1(x, w[:, 0], maps[0])
        picture: Tensor = self.to_rgb1(x, w[:, 1], None)
        for index, to_rgb in enumerate(self.to_rgbs):
            first = 2 * index + 1
            x = self.convs[first - 1](x, w[:, first], maps[first])
            x = self.convs[first](x, w[:, first + 1], maps[first + 1])
            picture = to_rgb(x, w[:, first + 2], picture)
        return picture

    def forward(self, z: Tensor, noise: NoiseMode | Sequence[Tensor | None] = "const") -> Tensor:
        """Return pictures of codes."""
        return self.synthesis(self.levels(self.mapping(z)), noise)

    def _noise(
        self, noise: NoiseMode | Sequence[Tensor | None], seeds: list[int], w: Tensor
    ) -> Sequence[Tensor | None]:
        layers = range(self.architecture.n_layers)
        if noise == "none":
            return [None for _ in layers]
        if noise == "const":
            return [self.noises.get_buffer(f"noise_{layer}") for layer in layers]
        if noise == "random":
            if len(seeds) != len(w):
                raise ModelError(f"random noise needs a seed for each of {len(w)} pictures, got {len(seeds)}")
            sizes = [self.architecture.map_size(layer) for layer in layers]
            drawn = ([drawn_noise(seed, layer, sizes[layer]) for seed in seeds] for layer in layers)
            return [torch.cat(of_layer).to(w.device) for of_layer in drawn]
        if isinstance(noise, str):
            raise ModelError(f"noise must be const, random or none, got {noise!r}")
        shapes = [None if one is None else tuple(one.shape[-2:]) for one in noise]
        if len(shapes) != len(layers) or any(
            shape not in (None, self.architecture.map_size(layer)) for layer, shape in enumerate(shapes)
        ):
            raise ModelError(f"noise needs {len(layers)} maps of this model's sizes, got {shapes}")
        return noise

    def layers(self) -> tuple[LayerSpec, ...]:
        """z, the mapping network's m1.., w, the constant, and the convolutions 0..16."""
        one = self.architecture
        mapping = [LayerSpec(f"m{i}", f"style.{i}", one.n_style, 1, 1, AXES) for i in range(1, one.n_mapping + 1)]
        convolutions = [
            LayerSpec(i, conv_path(i), one.features[(i + 1) // 2], *one.map_size(i), AXES) for i in range(one.n_layers)
        ]
        return (
            LayerSpec("z", "code", one.n_latent, 1, 1, AXES),
            *mapping,
            LayerSpec("w", "w", one.n_style, one.n_levels, 1, ("level", "x")),
            LayerSpec("const", "input", one.features[0], *one.base, AXES),
            *convolutions,
        )

    def kernels(self) -> Mapping[int | str, str]:
        """Return by layer the name of the parameter that holds its kernels."""
        return {i: f"{conv_path(i)}.conv.weight" for i in range(self.architecture.n_layers)}


def conv_path(layer: int) -> str:
    """Return where in the network a layer is.

    >>> conv_path(0), conv_path(1)
    ('conv1', 'convs.0')
    """
    return "conv1" if layer == 0 else f"convs.{layer - 1}"
