"""Mean activation maps as points or as pictures, standardised as in Zheng's manipulated-network.

Every pixel is standardised over the features of the layer, so that what counts is how a map differs from the others.
"""

from collections.abc import Callable

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from audiobend.clustering.grouping import Points, principal
from audiobend.clustering.vgg16 import SIDE, VGG16

BATCH = 8
SPREAD = 3.0
"""Standard deviations that stand for black and white."""


def standardised(maps: Tensor) -> Points:
    """Return mean maps ``(feature, height, width)`` as points ``(feature, pixel)``, each pixel standardised."""
    return np.asarray(StandardScaler().fit_transform(maps.double().flatten(1).numpy()))


def vgg16_points(maps: Tensor, vgg16: VGG16, on_progress: Callable[[float], None] = lambda _: None) -> Points:
    """Return the first 8 principal components of what VGG16's layer fc2 says of each map, ``(feature, up to 8)``.

    Maps are scaled to 224 x 224 and become grey pictures, mid-grey being the mean of the layer.
    """
    pictures = torch.from_numpy(standardised(maps)).float().unflatten(1, maps.shape[1:])[:, None]
    pictures = (pictures / (2 * SPREAD) + 0.5).clamp(0, 1)
    seen: list[Tensor] = []
    for start in range(0, len(pictures), BATCH):
        seen.append(vgg16(_enlarged(pictures[start : start + BATCH])))
        on_progress(min(1.0, (start + BATCH) / len(pictures)))
    return principal(torch.cat(seen).double().numpy())


def _enlarged(pictures: Tensor) -> Tensor:
    large = torch.nn.functional.interpolate(pictures, (SIDE, SIDE), mode="bilinear", align_corners=False)
    return large.expand(-1, 3, -1, -1)
