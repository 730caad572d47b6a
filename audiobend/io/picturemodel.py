"""Picture models: bundles of ours, and checkpoints as people have them, read without running anything in them."""

import hashlib
import mmap
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from audiobend.bending import Clusters
from audiobend.bending.values import shown
from audiobend.errors import AudiobendError, ModelError, did_you_mean
from audiobend.io.clusterfile import load_clusters
from audiobend.io.files import check_readable, reason
from audiobend.io.modelbundle import list_picture_models
from audiobend.io.modelparts import FORMAT, PICTURES
from audiobend.networks.checkpoints import MEAN, Checkpoint, filled, read_checkpoint
from audiobend.networks.stylegan2 import Architecture
from audiobend.networks.stylegan2_model import PictureModel, mean_style, weights_fingerprint

TYPE = PICTURES
DEFAULT_PICTURE_MODEL = "tiles-64"
WEIGHTS, CARD, CLUSTERS = "weights.safetensors", "model.yaml", "clusters.yaml"
CHECKPOINTS = (".pt", ".pkl")
_SIZES = ("features", "base", "latent", "style", "mapping", "classes")


def load_picture_model(
    name: str | Path | None = None, clusters: str | Path | None = None, *, with_clusters: bool = True
) -> PictureModel:
    """Load a generator.

    Parameters
    ----------
    name : str, Path or None
        Name of a shipped model, a bundle's folder, or a ``.pt`` or ``.pkl`` checkpoint; None is the default model.
    clusters : str, Path or None
        A cluster file; default is the bundle's own.
    with_clusters : bool
        False leaves the bundle's own out, for those who are about to replace them.

    Raises
    ------
    ModelError
        One sentence: what is missing or damaged, what the file is instead, or what it wanted to run.
    """
    if name is None:
        name = DEFAULT_PICTURE_MODEL
    shipped = list_picture_models().get(str(name))
    path = shipped or Path(name)
    if path.is_dir():
        model = _load_bundle(path, path.name if shipped else str(path), with_clusters)
    else:
        if not path.exists():
            raise ModelError(f"{name}: there is no such model{did_you_mean(name, list_picture_models())}")
        model = _load_checkpoint(path)
    if clusters is None:
        return model
    return replace(model, clusters=_clusters(Path(clusters), model.fingerprint))


def is_picture_model(name: str | Path) -> bool:
    """Return whether a name means a model of pictures: a checkpoint, or a bundle that says so."""
    path = list_picture_models().get(str(name)) or Path(name)
    return _is_picture_bundle(path) if path.is_dir() else path.suffix.lower() in CHECKPOINTS


def convert(source: str | Path, folder: str | Path, *, overwrite: bool = False) -> PictureModel:
    """Write a checkpoint as a bundle, and return it; a mean style that the file lacks is worked out.

    Raises
    ------
    ModelError
        As `load_picture_model`, and if the folder holds another model or files of someone else.
    """
    source, folder = Path(source), Path(folder).resolve()
    if not overwrite:
        _check_free(folder)
    with _mapped(source) as data:
        checkpoint = _told(source, data)
        network = _named(source, checkpoint)
        digest = hashlib.sha256(data).hexdigest()
    mean = mean_style(network) if checkpoint.mean is None else checkpoint.mean
    origin = {"file": source.name, "format": checkpoint.format, "sha256": digest}
    model = PictureModel(folder.name, network, weights_fingerprint(network), mean)
    save_picture_model(folder, model, {"origin": origin, "mean_was_computed": checkpoint.mean is None})
    return _load_bundle(folder, str(folder))


def save_picture_model(folder: Path, model: PictureModel, facts: Mapping[str, Any]) -> None:
    """Write a bundle: weights in float32 as they are, and model.yaml; the folder's older bundle is replaced."""
    one = model.network.architecture
    sizes = {"features": list(one.features), "base": list(one.base), "latent": one.n_latent, "style": one.n_style}
    sizes |= {"mapping": one.n_mapping, "classes": one.n_classes}
    card = {
        "audiobend-model": FORMAT,
        "architecture": {"type": TYPE, "size": list(one.size), **sizes},
        **facts,
        "fingerprint": model.fingerprint,
    }
    tensors = {name: value.contiguous() for name, value in model.network.state_dict().items()}
    if model.mean is not None:
        tensors[MEAN] = model.mean.contiguous()
    temporary = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        save_file(tensors, temporary / WEIGHTS)
        (temporary / CARD).write_text(yaml.safe_dump(card, sort_keys=False, allow_unicode=True), encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CLUSTERS).unlink(missing_ok=True)    # those of older weights
        for name in (WEIGHTS, CARD):    # in this order: without a model.yaml it is no bundle
            (temporary / name).replace(folder / name)
    except OSError as error:
        raise ModelError(f"{folder}: this folder cannot be written: {reason(error)}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ModelError(f"{folder}: is a file, not a folder; give --out a folder")
    if not any((folder / name).exists() for name in (WEIGHTS, CARD)) or _is_picture_bundle(folder):
        return
    raise ModelError(f"{folder}: holds a model that is none of pictures; take another folder, or add --overwrite")


def _is_picture_bundle(folder: Path) -> bool:
    try:
        return _card(folder)["architecture"]["type"] == TYPE    # type: ignore[no-any-return]
    except (AudiobendError, KeyError, TypeError):
        return False


@contextmanager
def _mapped(path: Path) -> Iterator[memoryview]:
    """The bytes of a file, of which only those that are looked at are read from the disk."""
    check_readable(path, ModelError)
    with path.open("rb") as file:
        # Never closed by hand: views of it may still hang on an error that is being told.
        yield memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _load_checkpoint(path: Path) -> PictureModel:
    with _mapped(path) as data:
        checkpoint = _told(path, data)
        network = _named(path, checkpoint)
    return PictureModel(path.stem, network, weights_fingerprint(network), checkpoint.mean, source=str(path))


def _told(path: Path, data: memoryview) -> Checkpoint:
    try:
        return read_checkpoint(data)
    except AudiobendError as error:
        raise ModelError(f"{path}: {error}") from None


def _named(path: Path, checkpoint: Checkpoint) -> Any:
    try:
        return checkpoint.network()
    except AudiobendError as error:
        raise ModelError(f"{path}: {error}") from None


def _load_bundle(folder: Path, source: str, with_clusters: bool = True) -> PictureModel:
    card = _card(folder)
    architecture = _architecture(folder, card)
    path = folder / WEIGHTS
    try:
        tensors = {name: value.float() for name, value in load_file(path).items()}
    except FileNotFoundError:
        raise ModelError(f"{path}: the weights are missing; convert the model again") from None
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: this is no safetensors file: {error}") from None
    try:
        network = filled(architecture, tensors)
    except AudiobendError as error:
        raise ModelError(f"{path}: {error}") from None
    fingerprint, mean = weights_fingerprint(network), tensors.get(MEAN)
    if card.get("fingerprint", fingerprint) != fingerprint:
        raise ModelError(f"{folder}: {CARD} and {WEIGHTS} are of two models; convert it again")
    if mean is not None and (mean.shape != (architecture.n_style,) or not bool(mean.isfinite().all())):
        raise ModelError(f"{path}: {MEAN} must be {architecture.n_style} numbers; convert the model again")
    clusters = folder / CLUSTERS
    found = _clusters(clusters, fingerprint) if with_clusters and clusters.is_file() else None
    return PictureModel(folder.name, network, fingerprint, mean, found, card=card, source=source)


def _clusters(path: Path, fingerprint: str) -> Clusters:
    return load_clusters(path, fingerprint=fingerprint)


def _card(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    try:
        card = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder}: is no model: there is no {CARD}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise ModelError(f"{path}: cannot be read as YAML; convert the model again") from None
    if not isinstance(card, dict) or card.get("audiobend-model") != FORMAT:
        raise ModelError(f"{path}: needs 'audiobend-model: {FORMAT}'")
    return card


def _architecture(folder: Path, card: Mapping[str, Any]) -> Architecture:
    given = card.get("architecture")
    kind = given.get("type") if isinstance(given, Mapping) else None
    if not isinstance(given, Mapping) or kind != TYPE:
        raise ModelError(f"{folder}: is a model of the type {shown(kind)}, not one of pictures ({TYPE})")
    try:
        features, base, *counts = (given[key] for key in _SIZES)
        return Architecture(tuple(features), tuple(base), *counts)
    except (KeyError, TypeError):
        raise ModelError(f"{folder / CARD}: architecture needs {', '.join(_SIZES)}") from None
    except AudiobendError as error:
        raise ModelError(f"{folder / CARD}: {error}") from None
