"""Changes to pictures before the critic sees them, more of them the surer it is of real ones.

A light form of adaptive augmentation (Karras et al., "Training Generative Adversarial Networks with Limited Data",
2020): each change is made to a picture with the probability p, and to painted pictures alike, so that the generator
learns none of them as long as p stays below 0.8. Pixels are only moved, which keeps second derivatives.
"""

import torch
from torch import Tensor

MOST = 0.8
PICTURES_TO_MOST = 500_000
"""How many real pictures p takes from 0 to 1."""
SHIFT = 0.125
DRAWS = 8
"""Random numbers that one picture takes."""


def adjusted(probability: float, sureness: float, target: float, n_pictures: int) -> float:
    """Return the next p: up where the critic is surer of real pictures than the target, else down.

    ``sureness`` is the mean sign of its verdicts on ``n_pictures`` real pictures.
    """
    step = n_pictures / PICTURES_TO_MOST
    return min(MOST, max(0.0, probability + (step if sureness > target else -step)))


def augmented(pictures: Tensor, probability: float, draws: Tensor) -> Tensor:
    """Return pictures of the same shape, changed.

    Parameters
    ----------
    pictures : Tensor of shape ``(batch, 3, height, width)``
    probability : float in 0..1
    draws : Tensor of shape ``(batch, 8)``
        Evenly distributed in 0..1: whether and how each picture is changed.
    """
    if probability <= 0:
        return pictures
    draws = draws.to(pictures.device)
    return _recoloured(_moved(pictures, probability, draws[:, :4]), probability, draws[:, 4:])


def _moved(pictures: Tensor, probability: float, draws: Tensor) -> Tensor:
    """Mirrored, and shifted by whole pixels with what lies at the edge mirrored in."""
    _, _, height, width = pictures.shape
    flip, whether, by_x, by_y = draws[:, :, None].unbind(dim=1)
    shifted = (whether < probability).long()
    rows = torch.arange(height, device=pictures.device) + shifted * ((2 * by_y - 1) * SHIFT * height).round().long()
    columns = torch.arange(width, device=pictures.device) + shifted * ((2 * by_x - 1) * SHIFT * width).round().long()
    columns = torch.where(flip < probability / 2, width - 1 - columns, columns)
    items = torch.arange(len(pictures), device=pictures.device)[:, None, None]
    moved = pictures.permute(0, 2, 3, 1)[items, _folded(rows, height)[:, :, None], _folded(columns, width)[:, None]]
    return moved.permute(0, 3, 1, 2)


def _folded(index: Tensor, size: int) -> Tensor:
    inside = index.remainder(2 * size - 2)
    return torch.where(inside < size, inside, 2 * size - 2 - inside)


def _recoloured(pictures: Tensor, probability: float, draws: Tensor) -> Tensor:
    """Lighter or darker, stronger or weaker contrast and colours."""
    whether, light, contrast, colour = draws[:, :, None, None, None].unbind(dim=1)
    amount = (whether < probability).to(pictures.dtype)
    grey = pictures.mean(dim=1, keepdim=True)
    coloured = grey + (pictures - grey) * (1 + amount * (colour - 0.5))
    return coloured * (1 + amount * (contrast - 0.5) * 0.5) + amount * (light - 0.5) * 0.4
