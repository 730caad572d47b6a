"""How faithful a model is where nothing is bent, beside what one gets without any model."""

import torch
from torch import Tensor

from audiobend.networks.spectrogram_vae import SpectrogramVAE
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.dataset import Track, even_windows
from audiobend.train.metrics import fidelity, mean_of

BATCH = 8


@torch.no_grad()
def evaluate(
    network: SpectrogramVAE, codec: SpectrogramCodec, tracks: list[Track], n_windows: int = 16
) -> dict[str, dict[str, float]]:
    """Return fidelity of the model beside silence and the corpus's mean spectrum, averaged over tracks.

    The quick way, for use during training: from columns that are in memory, without resynthesis.
    """
    results: dict[str, list[dict[str, float]]] = {"model": [], "mean spectrum": [], "silence": []}
    for track in tracks:
        windows = even_windows(track, n_windows)[:, 0]
        target = windows.flatten(0, 1)
        results["model"].append(fidelity(target, reconstructed(network, codec, windows).flatten(0, 1)))
        results["mean spectrum"].append(fidelity(target, codec.mean_db.expand_as(target)))
        results["silence"].append(fidelity(target, torch.full_like(target, -80.0)))
    return {name: mean_of(figures) for name, figures in results.items()}


@torch.no_grad()
def reconstructed(network: SpectrogramVAE, codec: SpectrogramCodec, windows_db: Tensor) -> Tensor:
    """Send windows ``(window, 128, 513)`` of dB through the mean code of a network and return them in dB."""
    x = ((windows_db - codec.mean_db) / codec.scale_db)[:, None]
    return torch.cat([network(piece) for piece in x.split(BATCH)])[:, 0] * codec.scale_db + codec.mean_db
