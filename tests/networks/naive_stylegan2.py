"""StyleGAN2's synthesis written down as the paper says it, one picture and one step at a time, in float64."""

import torch
import torch.nn.functional as F
from torch import Tensor

TAPS = torch.tensor([1.0, 3, 3, 1], dtype=torch.float64)
KERNEL = torch.outer(TAPS, TAPS) / TAPS.sum() ** 2


def filtered(x: Tensor, before: int, after: int) -> Tensor:
    """Zeros between the cells, then the filter at four times its size."""
    height, width = x.shape[-2:]
    wide = torch.zeros(*x.shape[:2], 2 * height, 2 * width, dtype=x.dtype)
    wide[..., ::2, ::2] = x
    padded = F.pad(wide, (before, after, before, after))
    return F.conv2d(padded.flatten(0, 1)[:, None], 4 * KERNEL[None, None]).unflatten(0, x.shape[:2])[:, :, 0]


def dense(state: dict[str, Tensor], name: str, x: Tensor, rate: float = 1.0) -> Tensor:
    weight = state[f"{name}.weight"] * rate / state[f"{name}.weight"].shape[1] ** 0.5
    return x @ weight.T + state[f"{name}.bias"] * rate


def mapped(state: dict[str, Tensor], z: Tensor) -> Tensor:
    w = z / (z.square().mean() + 1e-8).sqrt()
    index = 1
    while f"style.{index}.weight" in state:
        w = F.leaky_relu(dense(state, f"style.{index}", w, 0.01), 0.2) * 2**0.5
        index += 1
    return w


def modulated(state: dict[str, Tensor], name: str, x: Tensor, w: Tensor, demodulate: bool, up: bool) -> Tensor:
    weight = state[f"{name}.weight"]
    kernels = weight / (weight[0].numel()) ** 0.5 * dense(state, f"{name}.modulation", w)[:, None, None]
    if demodulate:
        kernels = kernels / (kernels.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
    if not up:
        return F.conv2d(x, kernels, padding=kernels.shape[-1] // 2)
    stuffed = torch.zeros(*x.shape[:2], 2 * x.shape[2] + 1, 2 * x.shape[3] + 1, dtype=x.dtype)
    stuffed[..., 1:-1:2, 1:-1:2] = x
    wide = F.conv2d(F.pad(stuffed, (1, 1, 1, 1)), kernels.flip(2, 3))
    return F.conv2d(F.pad(wide, (1, 1, 1, 1)).flatten(0, 1)[:, None], 4 * KERNEL[None, None])[:, 0][None]


def painted(state: dict[str, Tensor], w: Tensor, noise: list[Tensor | None]) -> Tensor:
    """One picture ``(3, height, width)`` of W+ ``(level, style)``."""
    state = {name: value.double() for name, value in state.items()}
    w = w.double()

    def styled(name: str, x: Tensor, level: int, up: bool = False) -> Tensor:
        y = modulated(state, f"{name}.conv", x, w[level], True, up)
        if noise[level] is not None:
            y = y + state[f"{name}.noise.weight"] * noise[level].double()
        return F.leaky_relu(y + state[f"{name}.activate.bias"][:, None, None], 0.2) * 2**0.5

    def colours(name: str, x: Tensor, level: int) -> Tensor:
        return modulated(state, f"{name}.conv", x, w[level], False, False) + state[f"{name}.bias"]

    x = styled("conv1", state["input.input"], 0)
    picture = colours("to_rgb1", x, 1)
    for index in range((len(w) - 2) // 2):
        x = styled(f"convs.{2 * index}", x, 2 * index + 1, up=True)
        x = styled(f"convs.{2 * index + 1}", x, 2 * index + 2)
        picture = filtered(picture, 2, 1) + colours(f"to_rgbs.{index}", x, 2 * index + 3)
    return picture[0]
