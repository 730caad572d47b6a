"""What gets bent: networks that name their layers."""

from audiobend.networks.bendable import Bendable, LayerSpec, bent
from audiobend.networks.spectrogram_vae import SpectrogramVAE, for_inference

__all__ = ["Bendable", "LayerSpec", "SpectrogramVAE", "bent", "for_inference"]
