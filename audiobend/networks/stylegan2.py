"""The generator of StyleGAN2 (Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020).

A code z becomes a style w by a small network, and w drives the synthesis: a learned constant, then two convolutions
at every size, each followed by noise, bias and activation, with a picture that grows beside them. Parameters carry the
names that converted checkpoints use, so that files of either format end up in this one network.

Bends act behind each convolution's activation: layers 0..16 at 1024 pixels, odd ones where the size doubles. Also on
``"z"``, on the mapping network's ``"m1"``.. ``"m8"``, on ``"w"`` (features by levels) and on the constant.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from audiobend.errors import ModelError
from audiobend.networks.bendable import LayerSpec
from audiobend.networks.stylegan2_layers import (
    OWN_NOISE,
    Bias,
    Constant,
    Linear,
    MappingLayer,
    ModulatedConv,
    Noises,
    NoiseStrength,
    Normalise,
    StyledConv,
    ToRGB,
    drawn_noise,
    normalise,
)
from audiobend.networks.stylegan2_sizes import Architecture, standard_features

__all__ = [
    "NOISE_MODES",
    "OWN_NOISE",
    "Architecture",
    "Linear",
    "ModulatedConv",
    "NoiseMode",
    "StyleGAN2",
    "StyledConv",
    "ToRGB",
    "conv_path",
    "drawn_noise",
    "standard_features",
]

AXES = ("y", "x")
NoiseMode = Literal["const", "random", "none"]
NOISE_MODES: tuple[NoiseMode, ...] = ("const", "random", "none")


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
