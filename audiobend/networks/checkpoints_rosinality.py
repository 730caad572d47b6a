"""Checkpoints of rosinality's PyTorch port: names as in `StyleGAN2`; every size is read off the weights."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from audiobend.errors import ModelError
from audiobend.networks.checkpoints_tensors import tensor
from audiobend.networks.stylegan2 import OWN_NOISE, Architecture, drawn_noise
from audiobend.networks.stylegan2_ops import FILTER

Parts = tuple[Architecture, dict[str, Tensor], Tensor | None]
_OURS = re.compile(
    r"(style\.\d+\.(weight|bias)|input\.input|noises\.noise_\d+|embed\.(weight|bias)|"
    r"(conv1|convs\.\d+)\.(conv\.(weight|modulation\.(weight|bias))|noise\.weight|activate\.bias)|"
    r"(to_rgb1|to_rgbs\.\d+)\.(conv\.(weight|modulation\.(weight|bias))|bias))"
)
MAX_PARTS = 64


def is_state(content: Mapping[Any, Any]) -> bool:
    """Return whether a mapping holds a generator's weights by name."""
    return all(f"{name}" in content for name in ("input.input", "conv1.conv.weight", "style.1.weight"))


def from_rosinality(content: Mapping[Any, Any], mean: Any) -> Parts:
    """Return sizes, weights and mean style of a generator; `ModelError` where something is missing."""
    state: dict[str, Tensor] = {}
    for key, value in content.items():
        name = str(key).removeprefix("module.")
        if name.endswith(".kernel"):
            check_filter(tensor(value))
        if _OURS.fullmatch(name) and (found := tensor(value)) is not None:
            five = name.endswith("conv.weight") and found.dim() == 5 and len(found) == 1
            state[name] = found[0] if five else found
    return complete(state, tensor(mean))


def complete(state: dict[str, Tensor], mean: Tensor | None) -> Parts:
    """Return sizes read off weights with our names, the weights, and the mean style.

    Noise that a file was saved without is drawn, always the same.
    """
    architecture = _architecture(state)
    for layer in range(architecture.n_layers):
        name = f"noises.noise_{layer}"
        if name not in state:
            state[name] = drawn_noise(OWN_NOISE, layer, architecture.map_size(layer))
    if mean is not None:
        mean = mean.flatten()
        if mean.numel() != architecture.n_style or not bool(mean.isfinite().all()):
            raise ModelError(f"the mean style must be {architecture.n_style} numbers, got {mean.numel()}")
    return architecture, state, mean


def _architecture(state: Mapping[str, Tensor]) -> Architecture:
    constant, first = state.get("input.input"), state.get("style.1.weight")
    if constant is None or constant.dim() != 4 or first is None or first.dim() != 2:
        raise ModelError("this is no StyleGAN2 generator: it has no constant, or no mapping network")
    counts = [constant.shape[1]]
    for index in range(0, 2 * MAX_PARTS, 2):
        kernels = state.get(f"convs.{index}.conv.weight")
        if kernels is None or kernels.dim() != 4:
            break
        counts.append(kernels.shape[0])
    n_mapping = next((i for i in range(1, 2 * MAX_PARTS) if f"style.{i + 1}.weight" not in state), MAX_PARTS)
    embed = state.get("embed.weight")
    n_classes = 0 if embed is None or embed.dim() != 2 else embed.shape[1]
    n_style = first.shape[0]
    n_latent = first.shape[1] - (n_style if n_classes else 0)
    base = (constant.shape[2], constant.shape[3])
    return Architecture(tuple(counts), base, n_latent, n_style, n_mapping, n_classes)


def check_filter(kernel: Tensor | None) -> None:
    """Refuse a model that was trained with another filter than the published one."""
    if kernel is None:
        return
    taps = torch.tensor(FILTER)
    right = torch.outer(taps, taps) if kernel.dim() == 2 else taps
    if kernel.shape != right.shape or not torch.allclose(kernel / kernel.sum(), right / right.sum(), atol=1e-4):
        raise ModelError("this model was trained with another filter than 1, 3, 3, 1, which cannot be read")
