"""The search for the styles with which a generator paints a given picture (Karras et al., 2020, section 5)."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from audiobend.bending.values import seed_number
from audiobend.errors import PictureError
from audiobend.networks.stylegan2 import StyleGAN2
from audiobend.networks.stylegan2_model import PictureModel, mean_style
from audiobend.picture_project.likeness import Loss, roughness, seen_unlikeness, signal_to_noise, unlikeness

RISE, FALL = 0.05, 0.25
"""Shares of the search in which the steps grow at its beginning, and shrink at its end."""
SHAKEN, SHAKE = 0.75, 0.05
"""Styles are shaken at first, for so much of the search, so that it is not caught in the next hollow."""
SMOOTH = 10.0
"""How much noise that looks like a picture counts."""
N_CODES = 2000
SPACES = ("w", "w+")


@dataclass(frozen=True)
class Search:
    """How a search goes.

    Attributes
    ----------
    steps : int > 0
    rate : float > 0
        How far a step goes; near 0.1 of what styles differ by.
    space : "w" or "w+"
        One style for all levels stays nearer to what the model knows; one for each comes nearer to the picture.
    with_noise : bool
        Whether the model's noise is searched too.
    seed : int
    vgg16 : Path or None
        Weights of a VGG16 that looks too.
    device : str
    """

    steps: int = 500
    rate: float = 0.1
    space: str = "w+"
    with_noise: bool = False
    seed: int = 0
    vgg16: Path | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        seed_number(self.seed)
        if self.steps < 1 or not 0 < self.rate <= 10:
            raise PictureError(f"--steps must be 1 or more and --rate in 0..10, got {self.steps} and {self.rate:g}")
        if self.space not in SPACES:
            raise PictureError(f"the space must be w or w+, got {self.space!r}")


@dataclass(frozen=True)
class Projected:
    """What was found.

    Attributes
    ----------
    w : Tensor of shape ``(level, style)``
    noise : tuple of Tensor ``(1, 1, height, width)``, or None
        Where it was searched, one for each layer; numbers that float16 can hold, so that a file keeps them.
    picture : Tensor of shape ``(3, height, width)``
    likeness_db : float
        Peak signal-to-noise ratio.
    """

    w: Tensor
    noise: tuple[Tensor, ...] | None
    picture: Tensor
    likeness_db: float


def project(
    model: PictureModel, target: Tensor, search: Search, on_progress: Callable[[float], None] = lambda _: None
) -> Projected:
    """Search the styles with which a model paints a picture; the same numbers every time.

    Parameters
    ----------
    model : PictureModel
    target : Tensor of shape ``(3, height, width)`` of the model's size, -1..1
    search : Search
    """
    network = model.network if search.device == "cpu" else copy.deepcopy(model.network).to(search.device)
    goal = target[None].to(search.device)
    losses = [unlikeness(goal)] + ([seen_unlikeness(goal, search.vgg16)] if search.vgg16 else [])
    mean, spread = _styles(model)
    n_levels = network.architecture.n_levels
    start = mean if search.space == "w" else mean.expand(n_levels, -1)
    w = start.to(search.device).clone().requires_grad_()
    noise = _own_noise(network) if search.with_noise else []
    generator = torch.Generator().manual_seed(search.seed)
    adam = torch.optim.Adam([w, *noise], betas=(0.9, 0.999), lr=search.rate)
    best: tuple[float, Tensor, list[Tensor]] = (math.inf, w.detach().clone(), [one.detach().clone() for one in noise])
    for step in range(search.steps):
        share = step / search.steps
        adam.param_groups[0]["lr"] = search.rate * spread * _pace(share)
        shake = spread * SHAKE * max(0.0, 1 - share / SHAKEN) ** 2
        shaken = w + shake * torch.randn(w.shape, generator=generator).to(w.device)
        picture = network.synthesis(_levels(shaken, n_levels), noise or "const")
        loss = _total(losses, picture) + (SMOOTH * roughness(noise) if noise else 0.0)
        adam.zero_grad()
        loss.backward()
        if float(loss.detach()) < best[0]:
            best = (float(loss.detach()), shaken.detach().clone(), [one.detach().clone() for one in noise])
        adam.step()
        _settle(noise)
        on_progress((step + 1) / search.steps)
    return _found(network, best[1], best[2], target, n_levels)


def _total(losses: list[Loss], picture: Tensor) -> Tensor:
    return torch.stack([loss(picture) for loss in losses]).sum()


def _pace(share: float) -> float:
    """Return the size of steps at a share of the search, 0..1."""
    falling = min(1.0, (1 - share) / FALL)
    return (0.5 - 0.5 * math.cos(falling * math.pi)) * min(1.0, share / RISE + 0.02)


@torch.no_grad()
def _styles(model: PictureModel) -> tuple[Tensor, float]:
    """Return the mean style, and how far styles are from it, each number."""
    generator = torch.Generator().manual_seed(0)
    one = model.network.architecture
    z = torch.randn(N_CODES, one.n_latent, generator=generator)
    w = model.network.mapping(z, torch.arange(N_CODES) % max(one.n_classes, 1))
    mean = mean_style(model.network) if model.mean is None else model.mean
    return mean, float((w - mean).square().mean().sqrt())


def _levels(w: Tensor, n_levels: int) -> Tensor:
    return w.expand(n_levels, -1)[None] if w.dim() == 1 else w[None]


def _own_noise(network: StyleGAN2) -> list[Tensor]:
    return [one.clone().requires_grad_() for one in network.noises.buffers()]


@torch.no_grad()
def _settle(noise: list[Tensor]) -> None:
    """Keep noise at the mean 0 and the spread 1."""
    for one in noise:
        one.sub_(one.mean()).div_(one.std().clamp(min=1e-6))


@torch.no_grad()
def _found(network: StyleGAN2, w: Tensor, noise: list[Tensor], target: Tensor, n_levels: int) -> Projected:
    kept = [one.half().float() for one in noise]
    levels = _levels(w, n_levels)
    picture = network.synthesis(levels, kept or "const")[0].cpu()
    found = tuple(one.cpu() for one in kept) or None
    return Projected(levels[0].cpu().clone(), found, picture, signal_to_noise(picture, target))
