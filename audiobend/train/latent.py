"""Give the latent code a musician's units: zero mean and unit deviation, and axes sorted by how much they do."""

import torch
from torch import Tensor

from audiobend.networks.spectrogram_vae import SpectrogramVAE
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.dataset import WindowSampler


@torch.no_grad()
def codes_of(network: SpectrogramVAE, codec: SpectrogramCodec, sampler: WindowSampler, n_batches: int = 64) -> Tensor:
    """Return the mean codes ``(window, latent)`` of random training windows."""
    batches = (sampler.batch() for _ in range(n_batches))
    return torch.cat([network.encode_mean((batch - codec.mean_db) / codec.scale_db) for batch in batches])


@torch.no_grad()
def standardise(network: SpectrogramVAE, codes: Tensor) -> None:
    """Rescale encoder and decoder so that every latent has mean 0 and deviation 1; the sound stays as it is."""
    centre, spread = codes.mean(0), codes.std(0).clamp(min=1e-4)
    network.expand.bias.add_(network.expand.weight @ centre)
    network.expand.weight.mul_(spread)
    network.mean.weight.div_(spread[:, None])
    network.mean.bias.sub_(centre).div_(spread)
    network.log_variance.bias.sub_(2 * spread.log())


def principal_axes(codes: Tensor, n_axes: int = 32) -> Tensor:
    """Return the strongest directions of standardised codes, ``(axis, latent)``, each one deviation long.

    About 20 of 512 matter: the codes are strongly correlated, so single latents are poor handles.
    """
    centred = codes - codes.mean(0)
    _, values, vectors = torch.linalg.svd(centred, full_matrices=False)
    axes = vectors[:n_axes] * (values[:n_axes, None] / len(codes) ** 0.5)
    # A sign rule, so that the same training gives the same direction twice.
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    signed: Tensor = axes * largest.sign()
    return signed
