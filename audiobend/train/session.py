"""One training session: read the music, train, measure, write the bundle."""

import copy
import datetime
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from audiobend.errors import TrainingError, did_you_mean
from audiobend.io.modelbundle import save_model
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.dataset import Track, WindowSampler, load_tracks, mean_spectrum, sound_files
from audiobend.train.latent import codes_of, principal_axes, standardise
from audiobend.train.loop import Progress, Recipe, Trainer, evaluate, save_checkpoint

Report = Callable[[str], None]
Figures = dict[str, dict[str, float]]


def train(
    folders: list[Path],
    out: Path,
    recipe: Recipe,
    validation: tuple[str, ...] = (),
    reels: tuple[str, ...] = (),
    resume: bool = False,
    report: Report = print,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Figures:
    """Train a spectrogram VAE on folders of sound and write it as a bundle.

    Parameters
    ----------
    folders : list of Path
        Searched through for sound files.
    out : Path
        The bundle's folder; a checkpoint and the learning curve lie there too.
    validation : tuple of str
        Names (or parts of names) of tracks that are kept out of training and measured instead; by default about
        every tenth track.
    reels : tuple of str
        Beginnings of names of files that are collections of short sounds; they share a quarter of the windows.

    Returns
    -------
    dict
        Fidelity of the model, of the mean spectrum and of silence on the validation tracks.
    """
    checkpoint_path = out / "checkpoint.pt"
    _refuse_second_run(checkpoint_path, resume)
    tracks = load_tracks(sound_files(folders), SpectrogramCodec(), report)
    training, held_out = split(tracks, validation)
    codec = SpectrogramCodec(mean_spectrum(training))
    sampler = WindowSampler(training, recipe.batch_size, recipe.seed, reels)
    trainer = Trainer(recipe, codec, sampler)
    if resume:
        trainer.restore(torch.load(checkpoint_path, weights_only=False))    # our own file, written by this command
    hours = sum(track.seconds for track in training) / 3600
    report(f"{len(training)} tracks, {hours:.1f} hours for training; {len(held_out)} tracks kept out")
    out.mkdir(parents=True, exist_ok=True)
    curve_path = out / "curve.jsonl"

    def checkpoint(progress: Progress) -> None:
        save_checkpoint(trainer, checkpoint_path)
        figures = evaluate(trainer.averaged_network(), codec, held_out)["model"]
        line = {"step": progress.step, "minutes": round(progress.seconds / 60, 1), "windows": progress.windows,
                "loss": round(progress.loss, 4), "kl": round(progress.kl), **_rounded(figures)}
        with curve_path.open("a") as curve:
            curve.write(json.dumps(line) + "\n")
        report(json.dumps(line))
        on_progress(progress)

    try:
        trainer.run(every_seconds=min(600.0, recipe.minutes * 60 / 4), report=checkpoint)
    except KeyboardInterrupt:
        save_checkpoint(trainer, checkpoint_path)
        report(f"saved {checkpoint_path}; go on with --resume")
        raise
    return _finish(trainer, held_out, out, folders, report)


def _refuse_second_run(checkpoint_path: Path, resume: bool) -> None:
    if resume and not checkpoint_path.exists():
        raise TrainingError(f"{checkpoint_path}: there is no checkpoint to resume from; leave out --resume")
    if not resume and (checkpoint_path.parent / "model.yaml").exists():
        raise TrainingError(f"{checkpoint_path.parent}: holds a finished model; choose another --out")
    if not resume and checkpoint_path.exists():
        raise TrainingError(
            f"{checkpoint_path.parent}: holds an unfinished training; go on with --resume or choose another --out"
        )


def split(tracks: list[Track], validation: tuple[str, ...]) -> tuple[list[Track], list[Track]]:
    """Divide tracks into training and validation, whole tracks at a time."""
    for name in validation:
        if not any(name in track.name for track in tracks):
            raise TrainingError(f"no track is called {name}{did_you_mean(name, [track.name for track in tracks])}")
    held_out = [track for track in tracks if _held_out(track.name, validation)]
    training = [track for track in tracks if not _held_out(track.name, validation)]
    if not training:
        raise TrainingError("every track is kept out for validation; name fewer")
    return training, held_out or training[:1]


def _held_out(name: str, validation: tuple[str, ...]) -> bool:
    if validation:
        return any(part in name for part in validation)
    return hashlib.sha256(name.encode()).digest()[0] % 10 == 0


def _finish(trainer: Trainer, held_out: list[Track], out: Path, folders: list[Path], report: Report) -> Figures:
    network, codec = trainer.averaged_network(), trainer.codec
    codes = codes_of(network, codec, copy.deepcopy(trainer.sampler))
    standardise(network, codes)
    figures = evaluate(network, codec, held_out)
    spread = codes.var(0)
    axes = principal_axes((codes - codes.mean(0)) / codes.std(0).clamp(min=1e-4))
    power = axes.square().sum(1)
    facts: dict[str, Any] = {
        "training": {
            "date": datetime.date.today().isoformat(),
            "folders": [folder.name for folder in folders],
            "tracks": len(trainer.sampler.tracks),
            "kept_out": [track.name for track in held_out],
            "recipe": vars(trainer.recipe),
            "steps": trainer.progress.step,
            "windows": trainer.progress.windows,
            "minutes": round(trainer.progress.seconds / 60, 1),
        },
        "metrics": {name: _rounded(values) for name, values in figures.items()},
        "latent": {
            "active": int((spread > 0.01).sum()),
            "participation": round(float(power.sum() ** 2 / power.square().sum()), 1),
        },
    }
    save_model(out, network, codec, axes, facts)
    (out / "checkpoint.pt").rename(out / "finished.pt") if (out / "checkpoint.pt").exists() else None
    report(f"wrote {out}")
    return figures


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in figures.items()}
