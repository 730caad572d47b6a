"""What a bend does to pictures, in figures: how strongly, where, in which direction, in light or in colour."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "centre", "right")
COARSE = 8
"""Blocks along each side of a picture: what is left of a change after a mean over each counts as broad."""
_LUMA = torch.tensor([0.299, 0.587, 0.114])    # ITU-R BT.601


@dataclass(frozen=True)
class PictureProfile:
    """The change ``bent - plain`` of some pictures.

    Attributes
    ----------
    change : float
        Its root mean square, in percent of the range from black to white.
    upright : float
        How much it differs from column to column, over how much from row to row: over 1 it is made of upright lines.
    colour : float in 0..1
        Share of its energy that is not in the lightness.
    broad : float in 0..1
        Share of its energy that blocks of an eighth of the picture keep.
    rows, columns : array of 3 floats
        Share of its energy in thirds from top to bottom, and from left to right.
    """

    change: float
    upright: float
    colour: float
    broad: float
    rows: np.ndarray
    columns: np.ndarray


def profile_of(plain: Tensor, bent: Tensor) -> PictureProfile:
    """Measure what became of pictures ``(picture, 3, height, width)`` of -1..1."""
    change = (bent.clamp(-1, 1) - plain.clamp(-1, 1)).double()
    energy = change.square().sum(dim=1).mean(dim=0)
    total = float(energy.mean())
    if total == 0:
        thirds = np.full(3, 1 / 3)
        return PictureProfile(0.0, 1.0, 0.0, 0.0, thirds, thirds)
    across, down = (float(change.diff(dim=axis).abs().mean()) for axis in (-1, -2))
    light = torch.einsum("nchw,c->nhw", change, _LUMA.double())
    height, width = change.shape[-2:]
    blocks = F.adaptive_avg_pool2d(change, (min(COARSE, height), min(COARSE, width)))
    return PictureProfile(
        100 * (total / 3) ** 0.5 / 2,
        across / max(down, 1e-12),
        1 - min(1.0, 3 * float(light.square().mean()) / total),
        float(blocks.square().sum(dim=1).mean()) / total,
        _thirds(energy.mean(dim=1)),
        _thirds(energy.mean(dim=0)),
    )


def _thirds(energy: Tensor) -> np.ndarray:
    shares = np.array([float(part.sum()) for part in energy.tensor_split(3)])
    return np.asarray(shares / shares.sum())


def changes_of(plain: Tensor, bent: Tensor) -> Mapping[str, float]:
    """Return how the look of pictures changes, in percent of the range from black to white, means over pictures.

    ``brightness`` is the mean lightness, ``contrast`` its standard deviation, ``saturation`` the mean distance of
    colours from grey, ``warmth`` red against blue.
    """
    before, after = _look(plain.clamp(-1, 1)), _look(bent.clamp(-1, 1))
    return {name: 50 * float((after[name] - before[name]).mean()) for name in before}


def _look(pictures: Tensor) -> dict[str, Tensor]:
    light = torch.einsum("nchw,c->nhw", pictures, _LUMA)
    return {
        "brightness": light.mean(dim=(1, 2)),
        "contrast": light.std(dim=(1, 2)),
        "saturation": (pictures - light[:, None]).square().mean(dim=1).sqrt().mean(dim=(1, 2)),
        "warmth": (pictures[:, 0] - pictures[:, 2]).mean(dim=(1, 2)) / 2,
    }
