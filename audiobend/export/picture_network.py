"""The whole of an exported generator: codes in, bent pictures out, with nothing but torch."""

import torch
from torch import Tensor, nn

from audiobend.bending import Patch
from audiobend.export.layers import LayerBends
from audiobend.export.movement import Movement
from audiobend.export.picture_latent import StyleStep
from audiobend.export.picture_layers import Colours, MappingStep, PaintingStep, normalised
from audiobend.export.slots import Slots
from audiobend.networks.bendable import LayerName
from audiobend.networks.stylegan2 import Linear, StyledConv, StyleGAN2, ToRGB, conv_path
from audiobend.networks.stylegan2_model import PictureModel

NOISES = ("none", "const", "random")


class PictureNetwork(nn.Module):
    """Codes to styles to pictures, with a patch's bends compiled in.

    Attributes
    ----------
    values : list of float
        Every number of the patch; `Slots` says what stands where.
    time : float
        Seconds, for what moves; below 0 everything stands at its base.
    noise : int
        0 none, 1 the model's own, 2 drawn anew for every picture by torch's own generator.
    """

    values: list[float]
    embedded: Tensor
    mean: Tensor
    constant: Tensor
    codes: Tensor

    def __init__(
        self, model: PictureModel, patch: Patch, bends: dict[LayerName, LayerBends], latent: list[StyleStep],
        movement: Movement, slots: Slots, *, label: int, cutoff: int | None, noise: str,
    ) -> None:    # fmt: skip
        super().__init__()
        network = model.bent_network(patch)
        sizes = network.architecture
        self.values, self.time, self.call, self.noise = list(slots.values), -1.0, 0, NOISES.index(noise)
        self.n_latent, self.n_style, self.n_levels = sizes.n_latent, sizes.n_style, sizes.n_levels
        self.cutoff = sizes.n_levels if cutoff is None else min(cutoff, sizes.n_levels)
        self.has_mean, self.has_classes = model.mean is not None, sizes.n_classes > 0
        self.register_buffer("mean", torch.zeros(sizes.n_style) if model.mean is None else model.mean.clone())
        self.register_buffer("embedded", _embedded(network, label))
        mapping = [one for one in network.style if isinstance(one, Linear)]
        self.mapping = nn.ModuleList(MappingStep(one, bends[f"m{i}"]) for i, one in enumerate(mapping, 1))
        self.movement, self.latent = movement, nn.ModuleList(latent)
        self.register_buffer("codes", torch.cat([torch.zeros(0, sizes.n_latent), *(one.code for one in latent)]))
        self.of_code, self.of_style, self.of_constant = bends["z"], bends["w"], bends["const"]
        self.register_buffer("constant", network.input.input.detach())
        self.layers = nn.ModuleList(_painting(network, layer, bends[layer]) for layer in range(sizes.n_layers))
        self.colours = nn.ModuleList(Colours(one) for one in network.modules() if isinstance(one, ToRGB))

    @torch.jit.export
    def set_value(self, slot: int, value: float, low: float, high: float) -> int:
        """Set one of the values, held within its range; return 0, or -1 where it is no number."""
        if not (value <= low or value > low):
            return -1
        self.values[slot] = min(max(value, low), high)
        return 0

    @torch.jit.export
    def set_time(self, seconds: float) -> int:
        """Say when the next pictures are, for what moves; below 0 nothing does."""
        self.time = seconds
        return 0

    @torch.jit.export
    def set_call(self, number: int) -> int:
        """Say which picture of a series is next, for bends whose noise is fresh every time."""
        self.call = number
        return 0

    @torch.jit.export
    def set_noise(self, mode: str) -> int:
        """Choose the noise: none, const (the model's own) or random."""
        if mode != "none" and mode != "const" and mode != "random":
            raise ValueError("noise must be none, const or random")
        self.noise = 0 if mode == "none" else (1 if mode == "const" else 2)
        return 0

    @torch.jit.export
    def now(self) -> list[float]:
        """Return the values at this time."""
        if self.time < 0:
            return self.values
        values: list[float] = self.movement(self.values, self.time)
        return values

    @torch.jit.export
    def mapped(self, z: Tensor, truncation: float, values: list[float]) -> Tensor:
        """Return styles ``(batch, level, style)``, truncated."""
        z = self.of_code(z[:, :, None, None], values, self.call)[:, :, 0, 0]
        x = normalised(z)
        if self.has_classes:
            x = torch.cat([x, self.embedded.expand(x.shape[0], -1)], 1)
        for step in self.mapping:
            x = step(x, values, self.call)
        w = x[:, None].expand(-1, self.n_levels, -1)
        if truncation == 1.0 or not self.has_mean:
            return w
        moved = torch.lerp(self.mean.expand_as(w), w, truncation)
        return torch.cat([moved[:, : self.cutoff], w[:, self.cutoff :]], 1)

    @torch.jit.export
    def styles(self, z: Tensor, truncation: float = 0.7) -> Tensor:
        """Return styles W+ ``(batch, level, style)`` of codes ``(batch, latent)``, with the patch's latent entries."""
        if z.dim() != 2 or z.shape[1] != self.n_latent:
            raise ValueError(f"codes must be (batch, {self.n_latent}), got {z.shape}")
        values = self.now()
        w = self.mapped(z, truncation, values)
        others = self.mapped(self.codes, truncation, values)
        for i, step in enumerate(self.latent):
            w = step(w, others[i : i + 1], values)
        return w

    @torch.jit.export
    def paint(self, w: Tensor) -> Tensor:
        """Return pictures ``(batch, 3, height, width)`` of about -1..1, of styles ``(batch, level, style)``."""
        if w.dim() != 3 or w.shape[1] != self.n_levels or w.shape[2] != self.n_style:
            raise ValueError(f"styles must be (batch, {self.n_levels}, {self.n_style}), got {w.shape}")
        values = self.now()
        w = self.of_style(w.transpose(1, 2)[:, :, :, None], values, self.call)[:, :, :, 0].transpose(1, 2)
        x = self.of_constant(self.constant.expand(w.shape[0], -1, -1, -1), values, self.call)
        x = x.contiguous(memory_format=torch.channels_last)
        picture = torch.zeros(0, device=w.device)
        for i, step in enumerate(self.layers):
            x = step(x, w[:, i], self.noise, values, self.call)
            if i % 2 == 0:
                picture = self.coloured(i // 2, x, w[:, i + 1], picture)
        return picture

    @torch.jit.export
    def coloured(self, size: int, x: Tensor, w: Tensor, smaller: Tensor) -> Tensor:
        """Return the picture of a size."""
        for i, layer in enumerate(self.colours):
            if i == size:
                smaller = layer(x, w, smaller)
        return smaller

    def forward(self, z: Tensor, truncation: float = 0.7) -> Tensor:
        """Return pictures ``(batch, 3, height, width)`` of about -1..1, of codes ``(batch, latent)``."""
        return self.paint(self.styles(z, truncation))


def _painting(network: StyleGAN2, layer: int, bends: LayerBends) -> PaintingStep:
    one = network.get_submodule(conv_path(layer))
    assert isinstance(one, StyledConv)
    return PaintingStep(one, network.noises.get_buffer(f"noise_{layer}"), bends)


def _embedded(network: StyleGAN2, label: int) -> Tensor:
    """Return a class as the mapping network takes it, ``(1, style)``; empty for models without classes."""
    n_classes = network.architecture.n_classes
    if not n_classes:
        return torch.zeros(1, 0)
    with torch.no_grad():
        return normalised(network.embed(nn.functional.one_hot(torch.tensor([label]), n_classes).float()))
