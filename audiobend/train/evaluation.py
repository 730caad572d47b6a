"""How faithful a model is where nothing is bent, beside what one gets without any model."""

import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import torch
from torch import Tensor

from audiobend.errors import TrainingError
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import SpectrogramVAE
from audiobend.spectral.codec import FLOOR_DB, SpectrogramCodec
from audiobend.train.baselines import N_WINDOWS, PCA, fit_pca, load_pca
from audiobend.train.clips import Clip, even_clip
from audiobend.train.metrics import fidelity, mean_of, multi_resolution_distance
from audiobend.train.soundfiles import in_text
from audiobend.train.sounds import Sound, find_sounds, scan
from audiobend.train.tracks import Track, even_windows, load_tracks
from audiobend.train.windows import WindowSampler

Figures = dict[str, float]
Rows = dict[str, Figures]
"""Figures of the model and of each baseline, by name."""

BATCH = 8
PCA_BATCH = 64
WINDOWS = 32
STORED = " (stored)"


@dataclass(frozen=True)
class Measured:
    """One sound file's figures.

    Attributes
    ----------
    sound : Sound
    rows : dict
        "model", "PCA-512" (or "PCA-512 (stored)", from the model's card), "wrong window", "mean spectrum", "silence".
    kept_out, trained_on : bool
        What the model's card says about the file's name.
    """

    sound: Sound
    rows: Rows
    kept_out: bool
    trained_on: bool


@torch.no_grad()
def evaluate(
    network: SpectrogramVAE, codec: SpectrogramCodec, tracks: Sequence[Track], n_windows: int = 16
) -> Rows:
    """Return fidelity of the model beside silence and the corpus's mean spectrum, averaged over tracks.

    The quick way, for use during training: from columns that are at hand, without resynthesis.
    """
    results: dict[str, list[Figures]] = {"model": [], "mean spectrum": [], "silence": []}
    for track in tracks:
        target = even_windows(track, n_windows)[:, 0]
        results["model"].append(fidelity(target, reconstructed(network, codec, target)))
        results["mean spectrum"].append(fidelity(target, codec.mean_db.expand_as(target)))
        results["silence"].append(fidelity(target, torch.full_like(target, FLOOR_DB)))
    return {name: mean_of(figures) for name, figures in results.items()}


@torch.no_grad()
def reconstructed(network: SpectrogramVAE, codec: SpectrogramCodec, windows_db: Tensor) -> Tensor:
    """Send windows ``(window, 128, 513)`` of dB through the mean code of a network and return them in dB."""
    x = ((windows_db - codec.mean_db) / codec.scale_db)[:, None]
    return torch.cat([network(piece) for piece in x.split(BATCH)])[:, 0] * codec.scale_db + codec.mean_db


def choose(model: Model, paths: Sequence[Path], everything: bool = False) -> list[Sound]:
    """Return the usable sounds under paths: of a folder only those that the card names as kept out, if it holds any.

    A file that is named directly is always taken, and so is every file with ``everything``. What cannot be used is
    warned of, or refused if it was named directly.
    """
    named = {path.resolve() for path in paths if path.is_file()}
    found = scan(paths)
    for skipped in found.skipped:
        sentence = f"{in_text(skipped.path)}: {skipped.reason}"
        if skipped.path.resolve() in named:
            raise TrainingError(sentence)
        warnings.warn(f"left out {sentence}", stacklevel=2)
    if not found.sounds:
        raise TrainingError("none of the files can be measured; each needs at least 0.74 s of sound")
    names = kept_out(model)
    chosen = [sound for sound in found.sounds if sound.path.resolve() in named or is_among(sound, names)]
    return found.sounds if everything or not chosen else chosen


def kept_out(model: Model) -> list[str]:
    """Return the names of the tracks that the card says were kept out of training."""
    return list(model.card.get("training", {}).get("kept_out", []))


def trained_on(model: Model) -> list[str]:
    """Return the names of the tracks that the model, and those it started from, were trained on, as the card says.

    The first cards do not say.
    """
    names: list[str] = []
    training: Mapping[str, Any] | None = model.card.get("training", {})
    while training:
        names += training.get("trained_on", [])
        training = training.get("started_from")
    return names


def is_among(sound: Sound, names: Collection[str]) -> bool:
    """Whether names from a card hold this sound's: with folders, or the file's name alone if it has none."""
    return sound.name in names or sound.path.stem in {PurePath(name).name for name in names}


@torch.no_grad()
def measure(model: Model, sound: Sound, n_windows: int = WINDOWS, pca: PCA | None = None) -> Measured:
    """Measure a model on evenly spaced windows of one sound, beside baselines."""
    clip = even_clip(sound.path, n_windows)
    outputs = {"model": reconstructed(model.network, model.codec, clip.db)}
    if pca:
        outputs[pca.name] = pca.reconstructed(clip.db)
    elsewhere = clip.elsewhere()
    if elsewhere is not None:
        outputs["wrong window"] = elsewhere
    if len(model.codec.mean_db.unique()) > 1:    # a codec for a tanh output has none
        outputs["mean spectrum"] = model.codec.mean_db.expand_as(clip.db)
    outputs["silence"] = torch.full_like(clip.db, FLOOR_DB)
    rows = {name: figures_of(clip, output) for name, output in outputs.items()}
    if not pca:
        rows = _with_stored(model, sound, len(clip.starts), rows)
    return Measured(sound, rows, is_among(sound, kept_out(model)), is_among(sound, trained_on(model)))


def figures_of(clip: Clip, output_db: Tensor) -> Figures:
    """Return all figures of windows ``(window, 128, 513)`` of dB that are to equal a clip's."""
    return fidelity(clip.db, output_db) | {"mr_stft": multi_resolution_distance(clip.sound(), clip.sound(output_db))}


def _with_stored(model: Model, sound: Sound, n_windows: int, rows: Rows) -> Rows:
    """Put the PCA's figures that the card keeps after the model's, if they are of this file and as many windows."""
    stored = model.card.get("baselines", {})
    result = {"model": rows["model"]}
    for name, of_file in stored.get("figures", {}).items():
        figures = of_file.get(sound.name)
        if figures and stored.get("windows") == n_windows:
            result[name + STORED] = dict(figures)
    return result | rows


def means(measured: Sequence[Measured]) -> Rows:
    """Return the mean over files of every row that all files have."""
    first = measured[0].rows
    shared = [name for name in first if all(name in one.rows for one in measured)]
    return {name: mean_of([one.rows[name] for one in measured]) for name in shared}


def read_or_fit_pca(
    model: Model,
    source: Path,
    measured: Iterable[Sound],
    weights: Mapping[str, float] | None = None,
    n_windows: int = N_WINDOWS,
    seed: int = 0,
    on_progress: Callable[[float], None] = lambda _: None,
) -> PCA:
    """Return a PCA with as many components as the model's code has numbers: saved earlier, or fitted to a folder.

    It is fitted as the model was trained: to windows of random place and level, and never of tracks that the card
    keeps out. Tracks that are measured are left out too, unless the model was trained on them.

    Parameters
    ----------
    source : Path
        A folder of the training music, or a file that `save_pca` wrote.
    measured : iterable of Sound
    weights : mapping of str to float
        Share of the windows for tracks whose names hold these words, as in training.
    """
    measured = list(measured)
    if source.is_file() and source.suffix == ".safetensors":
        pca = load_pca(source)
    else:
        seen = trained_on(model)
        unheard = {sound.path.resolve() for sound in measured if not is_among(sound, seen)}
        sounds = [
            sound
            for sound in find_sounds([source])
            if sound.path.resolve() not in unheard and not is_among(sound, kept_out(model))
        ]
        if not sounds:
            raise TrainingError(f"{source}: no track is left to fit a PCA to; give the folder of the training music")
        tracks = load_tracks(sounds)
        sampler = WindowSampler(tracks, PCA_BATCH, seed, weights)
        names = tuple(track.name for track in tracks)
        pca = fit_pca(sampler, model.network.n_latent, n_windows, seed, names, on_progress)
    unfair = set(pca.tracks) - set(trained_on(model))
    flattered = [sound.name for sound in measured if is_among(sound, unfair)]
    if flattered:
        warnings.warn(f"the PCA was fitted to {_list(flattered)}: its figures there flatter it", stacklevel=2)
    return pca


def warn_of_training(measured: Sequence[Measured]) -> None:
    """Say which files the model was trained on."""
    names = [one.sound.name for one in measured if one.trained_on]
    if names:
        warnings.warn(f"the model was trained on {_list(names)}: its figures there flatter it", stacklevel=2)


def _list(names: Sequence[str], most: int = 3) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
