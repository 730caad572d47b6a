"""How unlike two pictures are: colours and edges at every size, and, where its weights are at hand, what VGG16 sees."""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from audiobend.clustering.vgg16 import CONVOLUTIONS, MEAN, POOLED, STD, load_vgg16

Loss = Callable[[Tensor], Tensor]
"""Takes pictures ``(batch, 3, height, width)`` of about -1..1, gives one number."""

SMALLEST = 8
"""Pixels, down to which pictures are compared at halves of their size."""
EDGES, SEEN = 1.0, 2.0
"""How much edges, and what VGG16 sees, count beside colours."""
VGG_SIDE = 224


def halves(picture: Tensor) -> list[Tensor]:
    """Return a picture at its own size, at half of it, and so on."""
    found = [picture]
    while min(found[-1].shape[-2:]) >= 2 * SMALLEST:
        found.append(F.avg_pool2d(found[-1], 2))
    return found


def edges(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Return the differences of neighbours, along the height and along the width."""
    return picture[..., 1:, :] - picture[..., :-1, :], picture[..., 1:] - picture[..., :-1]


def unlikeness(target: Tensor) -> Loss:
    """Return what tells how unlike the target a picture is: 0 for the target itself.

    The mean of absolute differences of colours, and of edges, over all sizes: small sizes say where things are, large
    ones what they look like.
    """
    wanted = halves(target)
    wanted_edges = [edges(one) for one in wanted]

    def loss(picture: Tensor) -> Tensor:
        total = torch.zeros((), device=picture.device)
        for one, goal, goal_edges in zip(halves(picture), wanted, wanted_edges, strict=True):
            total = total + (one - goal).abs().mean()
            for mine, theirs in zip(edges(one), goal_edges, strict=True):
                total = total + EDGES * (mine - theirs).abs().mean()
        return total / len(wanted)

    return loss


def seen_unlikeness(target: Tensor, weights: Path) -> Loss:
    """Return what tells how unlike the target a picture is to VGG16's convolutions.

    Features of each pixel are brought to length 1 and compared behind five convolutions, as in LPIPS (Zhang et al.,
    "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", 2018), without its learnt weights.
    """
    vgg16 = load_vgg16(weights)
    layers = {index: [one.to(target.device) for one in vgg16.convolution(index)] for index in CONVOLUTIONS}
    mean, std = (torch.tensor(one, device=target.device)[:, None, None] for one in (MEAN, STD))

    def features(picture: Tensor) -> list[Tensor]:
        x, found = (picture.clamp(-1, 1) + 1) / 2, []
        if max(x.shape[-2:]) > VGG_SIDE:
            x = F.interpolate(x, (VGG_SIDE, VGG_SIDE), mode="area")
        x = (x - mean) / std
        for index in CONVOLUTIONS:
            weight, bias = layers[index]
            x = F.relu(F.conv2d(x, weight, bias, padding=1))
            if index in POOLED:
                found.append(F.normalize(x, dim=1))
                x = F.max_pool2d(x, 2) if min(x.shape[-2:]) > 1 else x
        return found

    with torch.no_grad():
        wanted = features(target)

    def loss(picture: Tensor) -> Tensor:
        pairs = zip(features(picture), wanted, strict=True)
        parts = [(one - goal).square().sum(dim=1).mean() for one, goal in pairs]
        return SEEN * torch.stack(parts).mean()

    return loss


def roughness(noise: list[Tensor]) -> Tensor:
    """Return how much noise looks like a picture (Karras et al., 2020, appendix D): its likeness to itself, moved."""
    total = torch.zeros(())
    for one in noise:
        maps = one
        while True:
            for axis in (2, 3):
                total = total + (maps * maps.roll(1, axis)).mean().square().cpu()
            if min(maps.shape[-2:]) <= SMALLEST:
                break
            maps = F.avg_pool2d(maps, 2) * 2    # white noise keeps its level
    return total


def signal_to_noise(picture: Tensor, target: Tensor) -> float:
    """Return the peak signal-to-noise ratio in dB; higher is more alike."""
    error = float((picture.clamp(-1, 1) - target).square().mean())
    return 99.0 if error <= 4e-10 else float(10 * torch.log10(torch.tensor(4.0 / error)))
