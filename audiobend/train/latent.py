"""Give the latent code a musician's units: zero mean and unit deviation, and axes sorted by how much they do."""

import torch
from torch import Tensor

from audiobend.networks.spectrogram_vae import SpectrogramVAE
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.windows import WindowSampler


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


@torch.no_grad()
def slimmed(network: SpectrogramVAE, codes: Tensor, n_latent: int) -> SpectrogramVAE:
    """Return a network that codes with the ``n_latent`` strongest directions of ``codes``, strongest first.

    The weakest directions of many hundred move almost nothing, yet each costs two rows of the largest matrices.
    Keeping all of them changes no sound.
    """
    _, _, directions = torch.linalg.svd(codes - codes.mean(0), full_matrices=False)
    kept, centre = directions[:n_latent], codes.mean(0)
    slim = SpectrogramVAE(network.width, n_latent, network.activation, network.output)
    weights = network.state_dict()
    weights["mean.weight"] = kept @ weights["mean.weight"]
    weights["mean.bias"] = kept @ (weights["mean.bias"] - centre)
    weights["expand.bias"] = weights["expand.bias"] + weights["expand.weight"] @ centre
    weights["expand.weight"] = weights["expand.weight"] @ kept.T
    for name in ("log_variance.weight", "log_variance.bias"):    # only training needs it, and begins it anew
        weights[name] = slim.state_dict()[name]
    slim.load_state_dict(weights)
    return slim.eval()
