"""One training session: read the music, train, measure, write the bundle."""

import copy
import datetime
import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audiobend.errors import TrainingError
from audiobend.io.modelbundle import load_for_training, save_model
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.dataset import Track, WindowSampler, find_sounds, load_tracks, mean_spectrum, split
from audiobend.train.evaluation import evaluate
from audiobend.train.latent import codes_of, principal_axes, standardise
from audiobend.train.loop import Progress, Recipe, Trainer, load_checkpoint, save_checkpoint
from audiobend.train.widen import widened

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
        Words in names of files that are collections of short sounds; they share a quarter of the windows.

    Returns
    -------
    dict
        Fidelity of the model, of the mean spectrum and of silence on the validation tracks.
    """
    out = out.resolve()
    checkpoint_path = out / "checkpoint.pt"
    _refuse_second_run(checkpoint_path, resume)
    tracks = load_tracks(find_sounds(folders, report), report)
    training, held_out = split(tracks, validation)
    first, codec = None, SpectrogramCodec(mean_spectrum(training))
    if recipe.start_from:
        narrow, codec = load_for_training(recipe.start_from)
        first = widened(narrow, recipe.width, recipe.seed)
    sampler = WindowSampler(training, recipe.batch_size, recipe.seed, {reel: 0.25 / len(reels) for reel in reels})
    trainer = Trainer(recipe, codec, sampler, first)
    if resume:
        trainer.restore(load_checkpoint(checkpoint_path))
    if not held_out:
        report("there is one track only, so the figures are of sound that the model was trained on")
    measured = held_out or training
    hours = sum(track.seconds for track in training) / 3600
    report(f"{len(training)} tracks, {hours * 60:.0f} minutes for training; {len(held_out)} tracks kept out")
    out.mkdir(parents=True, exist_ok=True)
    curve_path = out / "curve.jsonl"

    def checkpoint(progress: Progress) -> None:
        save_checkpoint(trainer, checkpoint_path)
        figures = evaluate(trainer.averaged_network(), trainer.codec, measured)["model"]
        line = {"step": progress.step, "minutes": round(progress.seconds / 60, 1), "windows": progress.windows,
                "loss": round(progress.loss, 4), "kl": round(progress.kl), **_rounded(figures)}
        with curve_path.open("a", encoding="utf-8") as curve:
            curve.write(json.dumps(line) + "\n")
        report(json.dumps(line))
        on_progress(progress)

    save_checkpoint(trainer, checkpoint_path)    # so that --resume works from the first step on
    with _ctrl_c_between_steps(trainer):
        trainer.run(every_seconds=min(600.0, recipe.minutes * 60 / 4), report=checkpoint)
    save_checkpoint(trainer, checkpoint_path)
    if trainer.stop:
        report(f"saved {checkpoint_path}; go on with --resume")
        raise KeyboardInterrupt
    return _finish(trainer, held_out, out, folders, report)


@contextmanager
def _ctrl_c_between_steps(trainer: Trainer) -> Iterator[None]:
    """Let Ctrl-C end training after the step that is being done, never in the middle of one."""
    if threading.current_thread() is not threading.main_thread():
        yield    # only the main thread may look for signals
        return

    def stop(_signal: int, _frame: object) -> None:
        trainer.stop = True

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _refuse_second_run(checkpoint_path: Path, resume: bool) -> None:
    if resume and not checkpoint_path.exists() and (checkpoint_path.parent / "model.yaml").exists():
        raise TrainingError(f"{checkpoint_path.parent}: this training is finished and its checkpoint gone")
    if resume and not checkpoint_path.exists():
        raise TrainingError(f"{checkpoint_path}: there is no checkpoint to resume from; leave out --resume")
    if not resume and (checkpoint_path.parent / "model.yaml").exists():
        raise TrainingError(
            f"{checkpoint_path.parent}: holds a finished model; "
            "choose another --out, or train it further with --resume and more --minutes"
        )
    if not resume and checkpoint_path.exists():
        raise TrainingError(
            f"{checkpoint_path.parent}: holds an unfinished training; go on with --resume or choose another --out"
        )


def _finish(trainer: Trainer, held_out: list[Track], out: Path, folders: list[Path], report: Report) -> Figures:
    network, codec = trainer.averaged_network(), trainer.codec
    codes = codes_of(network, codec, copy.deepcopy(trainer.sampler))
    standardise(network, codes)
    figures = evaluate(network, codec, held_out or trainer.sampler.tracks)
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
    report(f"wrote {out}")
    return figures


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in figures.items()}
