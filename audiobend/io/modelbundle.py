"""Model bundles: a folder with ``model.yaml``, ``weights.safetensors``, ``clusters.yaml`` and ``card.md``.

Weights are read with safetensors only: a pickle could run anything, so it is refused by name.
"""

import hashlib
import shutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import save_file
from torch import Tensor

from audiobend.bending import Clusters
from audiobend.errors import ModelError, did_you_mean
from audiobend.io.clusterfile import load_clusters
from audiobend.io.modelparts import FORMAT, PICTURES, axes_of, codec_of, is_kept, read_network, read_settings
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import SpectrogramVAE, for_inference
from audiobend.spectral.codec import SpectrogramCodec

DEFAULT_MODEL = "corpus-quarter"


def model_folders() -> list[Path]:
    """Return where shipped models lie: inside the package, and in the repository beside it."""
    package = Path(__file__).parents[1]
    return [folder for folder in (package / "models", package.parent / "models") if folder.is_dir()]


def list_models() -> dict[str, Path]:
    """Return the shipped models of sound by name."""
    return {name: folder for name, folder in _bundles().items() if not _paints(folder)}


def list_picture_models() -> dict[str, Path]:
    """Return the shipped models of pictures by name."""
    return {name: folder for name, folder in _bundles().items() if _paints(folder)}


def _bundles() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in model_folders():
        for bundle in sorted(folder.iterdir()):
            if (bundle / "model.yaml").is_file():
                found.setdefault(bundle.name, bundle)
    return found


@lru_cache
def _paints(folder: Path) -> bool:
    try:
        return bool(read_settings(folder)["architecture"]["type"] == PICTURES)
    except (ModelError, KeyError, TypeError):
        return False    # whoever loads it says what is wrong


def load_model(
    name: str | Path | None = None, *, clusters: str | Path | None = None, with_clusters: bool = True
) -> Model:
    """Load a model bundle.

    Parameters
    ----------
    name : str, Path or None
        Name of a shipped model, or a bundle's folder; None is the default model.
    clusters : str, Path or None
        A cluster file to take instead of the bundle's ``clusters.yaml``, or the name of another one that the bundle
        keeps: ``"effect"`` for ``clusters-effect.yaml``.
    with_clusters : bool
        False leaves the bundle's clusters out, whatever model they are for.

    Raises
    ------
    ModelError
        If there is no such model, or a file of it is missing, damaged or of another kind.
    """
    folder = find_model(name)
    settings = read_settings(folder)
    network, tensors = read_network(folder, settings)
    codec, axes = codec_of(folder, settings, tensors), axes_of(folder, network.n_latent, tensors)
    fingerprint = weights_fingerprint(folder)
    if settings.get("fingerprint", fingerprint) != fingerprint:
        raise ModelError(f"{folder}: model.yaml and weights.safetensors are of two models; train or fetch it again")
    known = _clusters(folder, clusters, fingerprint) if with_clusters else None
    source = folder.name if list_models().get(folder.name) == folder else str(folder)
    again = None if clusters is None else str(Path(clusters).absolute() if Path(clusters).exists() else clusters)
    return Model(folder.name, for_inference(network), codec, fingerprint, axes, known, settings, source, again)


def _clusters(folder: Path, path: str | Path | None, fingerprint: str) -> Clusters | None:
    if path is None and not (folder / "clusters.yaml").is_file():
        return None
    if path is not None and (kept := folder / f"clusters-{path}.yaml").is_file() and not Path(path).exists():
        path = kept
    return load_clusters(path or folder / "clusters.yaml", fingerprint=fingerprint)


def load_for_training(name: str | Path) -> tuple[SpectrogramVAE, SpectrogramCodec]:
    """Return a bundle's network, batch norm unfolded, and its codec, to go on training with.

    Bundles carry no log-variance head: it begins anew, nearly deterministic.
    """
    folder = find_model(name)
    settings = read_settings(folder)
    network, tensors = read_network(folder, settings)
    return network, codec_of(folder, settings, tensors)


def find_model(name: str | Path | None = None) -> Path:
    """Return the folder of a shipped model's name or of a path."""
    models = list_models()
    if name is None:
        if DEFAULT_MODEL in models:
            return models[DEFAULT_MODEL]
        raise ModelError("no model is installed; train one with: audiobend train FOLDER --out models/mine")
    if isinstance(name, str) and name in models:
        return models[name]
    if isinstance(name, str) and name in list_picture_models():
        raise ModelError(f"{name}: is a model of pictures; take it with audiobend image, or a model of sound here")
    folder = Path(name)
    if folder.is_file() and folder.suffix in {".pt", ".pth", ".pkl", ".ckpt"}:
        raise ModelError(f"{folder}: a pickle may run anything when opened, so it is not read; give a bundle's folder")
    if not (folder / "model.yaml").is_file():
        raise ModelError(f"{name}: there is no such model, nor a folder with a model.yaml{did_you_mean(name, models)}")
    return folder


def weights_fingerprint(folder: Path) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a bundle's weights."""
    return hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()[:16]


def save_model(
    folder: Path, network: SpectrogramVAE, codec: SpectrogramCodec, latent_axes: Tensor, facts: Mapping[str, Any]
) -> None:
    """Write a bundle: weights in float16 without the log-variance head (only training needs it), and model.yaml.

    An older bundle in the same folder is replaced, its clusters with it.
    """
    folder = folder.resolve()
    tensors = {name: _packed(value) for name, value in network.state_dict().items() if is_kept(name)}
    tensors |= {"codec.mean_db": codec.mean_db, "latent.axes": latent_axes}
    settings = {
        "audiobend-model": FORMAT,
        "architecture": {
            "type": "spectrogram-vae",
            "width": network.width,
            "latent": network.n_latent,
            "activation": network.activation,
            "output": network.output,
        },
        "codec": {"sample_rate": codec.sample_rate, "n_fft": 1024, "hop_length": 256, "scale_db": codec.scale_db},
        **facts,
    }
    temporary = folder.with_name(folder.name + ".part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    save_file({name: value.contiguous() for name, value in tensors.items()}, temporary / "weights.safetensors")
    settings["fingerprint"] = weights_fingerprint(temporary)
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    (temporary / "model.yaml").write_text(text, encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("clusters.yaml", "clusters.safetensors"):    # those of older weights
        (folder / name).unlink(missing_ok=True)
    for name in ("weights.safetensors", "model.yaml"):    # in this order: without a model.yaml it is no bundle
        (temporary / name).replace(folder / name)
    temporary.rmdir()


def _packed(value: Tensor) -> Tensor:
    # Biases and batch-norm statistics are tiny and matter more than their size.
    return value.half() if value.dim() > 1 else value.float()
