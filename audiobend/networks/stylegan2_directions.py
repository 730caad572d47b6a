"""Directions in W along which pictures change, to be offered as controls.

Both kinds come without training: principal axes of the styles that codes are mapped to (Härkönen et al., "GANSpace",
2020), and the directions that change the synthesis' own weights most (Shen and Zhou, "Closed-Form Factorization of
Latent Semantics", 2021).
"""

import torch
from torch import Tensor

from audiobend.errors import ModelError, did_you_mean
from audiobend.networks.stylegan2 import StyleGAN2, conv_path

DIRECTIONS = ("pca", "sefa")
N_CODES = 10000
CHUNK = 1000


def directions(network: StyleGAN2, kind: str) -> Tensor:
    """Return directions ``(axis, style)``, the most visible first.

    ``"pca"``: principal axes, each as long as one standard deviation. ``"sefa"``: of length 1.
    """
    if kind == "pca":
        return principal_axes(network)
    if kind == "sefa":
        return factorised(network)
    raise ModelError(f"there are no directions {kind!r}{did_you_mean(kind, DIRECTIONS)}")


@torch.no_grad()
def principal_axes(network: StyleGAN2, n_codes: int = N_CODES, seed: int = 0) -> Tensor:
    """Return the principal axes of the styles of ``n_codes`` random codes, each as long as its standard deviation."""
    generator = torch.Generator().manual_seed(seed)
    one, device = network.architecture, network.input.input.device
    n_classes = max(one.n_classes, 1)
    styles = []
    for first in range(0, n_codes, CHUNK):
        z = torch.randn(min(CHUNK, n_codes - first), one.n_latent, generator=generator)
        classes = torch.arange(len(z)) % n_classes
        styles.append(network.mapping(z.to(device), classes.to(device)).double().cpu())
    w = torch.cat(styles)
    centred = w - w.mean(dim=0)
    values, vectors = torch.linalg.eigh(centred.t() @ centred / (len(w) - 1))
    return _signed((vectors * values.clamp(min=0).sqrt()).flip(1).t())


@torch.no_grad()
def factorised(network: StyleGAN2) -> Tensor:
    """Return the eigenvectors of what all layers' styles are made with, of length 1."""
    paths = ["conv1", "to_rgb1", *(conv_path(layer) for layer in range(1, network.architecture.n_layers))]
    matrices = [network.get_parameter(f"{path}.conv.modulation.weight").double().cpu() for path in paths]
    weights = torch.cat(matrices)
    _, vectors = torch.linalg.eigh(weights.t() @ weights)
    return _signed(vectors.flip(1).t())


def _signed(axes: Tensor) -> Tensor:
    """Of the two directions of each axis, the one whose largest number is positive: the same on every machine."""
    largest = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True))
    return (axes * torch.where(largest < 0, -1.0, 1.0)).float().contiguous()
