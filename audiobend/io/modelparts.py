"""What the files of a model bundle hold, checked: settings, weights, codec and the axes of the latent code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from audiobend.errors import ModelError
from audiobend.networks.spectrogram_vae import ACTIVATIONS, OUTPUTS, SpectrogramVAE
from audiobend.spectral.codec import SpectrogramCodec

FORMAT = 1
PICTURES = "stylegan2"
"""The type of models that paint."""


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what stands in ``model.yaml``; `ModelError` where it is none of ours."""
    path = folder / "model.yaml"
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ModelError(f"{path}: cannot be read as YAML; train or fetch the model again") from error
    if not isinstance(settings, dict) or settings.get("audiobend-model") != FORMAT:
        given = settings.get("audiobend-model") if isinstance(settings, dict) else None
        raise ModelError(f"{path}: needs 'audiobend-model: {FORMAT}', got {given!r}")
    return settings


def codec_of(folder: Path, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> SpectrogramCodec:
    """Return the codec; this version knows one sample rate and one transform."""
    given = settings.get("codec")
    fixed = {"sample_rate": 44100, "n_fft": 1024, "hop_length": 256}
    if not isinstance(given, Mapping) or any(given.get(key) != value for key, value in fixed.items()):
        raise ModelError(f"{folder / 'model.yaml'}: codec must have {fixed}, got {given}")
    scale, mean = given.get("scale_db"), tensors.get("codec.mean_db")
    if not isinstance(scale, int | float) or not 0 < scale < 1000:
        raise ModelError(f"{folder / 'model.yaml'}: scale_db must be in 0..1000 dB, got {scale}")
    if mean is None or mean.shape != (513,) or not bool(mean.isfinite().all()):
        raise ModelError(f"{folder / 'weights.safetensors'}: codec.mean_db must be 513 numbers; fetch the model again")
    return SpectrogramCodec(mean, float(scale))


def axes_of(folder: Path, n_latent: int, tensors: Mapping[str, Tensor]) -> Tensor:
    """Return the axes of the latent code, of shape ``(axis, latent)``."""
    axes = tensors.get("latent.axes")
    if axes is None or axes.dim() != 2 or axes.shape[1] != n_latent or not bool(axes.isfinite().all()):
        raise ModelError(f"{folder / 'weights.safetensors'}: latent.axes must be rows of {n_latent} numbers")
    return axes


def read_network(folder: Path, settings: Mapping[str, Any]) -> tuple[SpectrogramVAE, dict[str, Tensor]]:
    """Return the network with its weights, and the tensors of ``weights.safetensors`` that are none of its weights."""
    path = folder / "weights.safetensors"
    try:
        tensors = load_file(path)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: the weights are missing; train or fetch the model again") from error
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path}: this is no safetensors file (pickles are refused, they may run anything): {error}"
        ) from error
    network = SpectrogramVAE(*_architecture(folder, settings))
    weights = {name: value.float() for name, value in tensors.items() if not name.startswith(("codec.", "latent."))}
    try:
        missing, unexpected = network.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise ModelError(f"{path}: the weights do not fit the architecture in model.yaml") from error
    wrong = [name for name in missing if is_kept(name)] + list(unexpected)
    if wrong:
        raise ModelError(f"{path}: the weights do not fit the architecture in model.yaml, for example {wrong[0]}")
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise ModelError(f"{path}: some weights are not numbers; train or fetch the model again")
    return network, {name: tensors[name].float() for name in tensors if name.startswith(("codec.", "latent."))}


def _architecture(folder: Path, settings: Mapping[str, Any]) -> tuple[float, int, str, str]:
    try:
        architecture = settings["architecture"]
        if architecture.get("type") == PICTURES:
            raise ModelError(f"{folder}: is a model of pictures; bend it with: audiobend image generate --model FOLDER")
        width, latent, activation = architecture["width"], architecture["latent"], architecture["activation"]
        output = architecture.get("output", "linear")    # the first bundles do not name it
        if not (0 < float(width) <= 4 and 0 < int(latent) <= 8192 and activation in ACTIVATIONS and output in OUTPUTS):
            raise ValueError
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        where = folder / "model.yaml"
        raise ModelError(f"{where}: needs architecture: {{width, latent, activation}} in range") from error
    return float(width), int(latent), str(activation), str(output)


def is_kept(name: str) -> bool:
    """Return whether a bundle keeps a tensor of the network: those that only training needs are left out."""
    return not name.startswith("log_variance.") and not name.endswith("num_batches_tracked")
