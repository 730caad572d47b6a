"""One training of a picture model: read the pictures, train, show what it paints, write the bundle."""

import math
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.io.imagefile import to_bytes, write_png
from audiobend.io.picturemodel import save_picture_model
from audiobend.networks.stylegan2_model import PictureModel, mean_style, weights_fingerprint
from audiobend.train.checkpoint import NAME, load_checkpoint, save_checkpoint
from audiobend.train.folder import locked, refuse_second_run
from audiobend.train.log import Log
from audiobend.train_pictures.data import Pictures, Report, read_pictures
from audiobend.train_pictures.recipe import PictureRecipe
from audiobend.train_pictures.trainer import Progress, Trainer

SAVE_SECONDS = 120.0
LOG_EVERY = 50
"""Steps."""
GRID = 8
"""Rows and columns of the pictures that are looked at."""


def train(
    folders: Sequence[Path],
    out: Path,
    recipe: PictureRecipe,
    resume: bool = False,
    report: Report = print,
    on_step: Callable[[Progress, float], None] = lambda _progress, _share: None,
    *,
    device: str = "cpu",
    most: int | None = None,
) -> PictureModel:
    """Train StyleGAN2 on folders of pictures or of sound and write it as a bundle.

    Parameters
    ----------
    folders : sequence of Path
        Of pictures; where there are none, of sound.
    out : Path
        The bundle's folder; the checkpoint, the log and the samples lie there too.
    resume : bool
        Go on from the checkpoint there.
    on_step : callable
        Takes the progress and the share done, 0..1, after every step.
    device : str
        Such as "cuda".
    most : int, optional
        Take so many files only.

    Raises
    ------
    TrainingError
        One sentence, if training cannot start or go on.
    KeyboardInterrupt
        After Ctrl-C, when the checkpoint is written.
    """
    out = out.resolve()
    refuse_second_run(out, resume)
    pictures = read_pictures(folders, recipe.size, report, most)
    report(f"{len(pictures)} pictures of {len(pictures.sources)} files of {pictures.kind}")
    trainer = Trainer(recipe, pictures, device)
    with locked(out, resume):
        if resume:
            trainer.restore(load_checkpoint(out / NAME))
        else:
            write_grid(out / "real.png", _some_real(pictures))
            save_checkpoint(trainer.checkpoint(), out / NAME)
        with _ctrl_c_between_steps() as stopped, closing(Log(out / "log", trainer.progress.step, report)) as log:
            _run(trainer, out, log, on_step, stopped)
        save_checkpoint(trainer.checkpoint(), out / NAME)
        if trainer.share_done < 1:
            report(f"saved {out / NAME}; go on with --resume")
            raise KeyboardInterrupt
        return _write(trainer, out)


def _run(
    trainer: Trainer,
    out: Path,
    log: Log,
    on_step: Callable[[Progress, float], None],
    stopped: threading.Event,
) -> None:
    saved_at, progress = trainer.progress.seconds, trainer.progress
    while trainer.share_done < 1 and not stopped.is_set():
        began = monotonic()
        trainer.step()
        progress = trainer.progress
        progress.seconds += monotonic() - began
        on_step(progress, trainer.share_done)
        if progress.step % LOG_EVERY == 0:
            log.scalars(_curves(progress), progress.step)
        if progress.seconds - saved_at >= SAVE_SECONDS:
            saved_at = progress.seconds
            save_checkpoint(trainer.checkpoint(), out / NAME)
            write_grid(out / "samples.png", samples(trainer))
            log.picture("samples", out / "samples.png", progress.step)
            log.flush()


def _curves(progress: Progress) -> Mapping[str, float]:
    return {
        "loss/critic": progress.critic_loss,
        "loss/generator": progress.generator_loss,
        "penalty/r1": progress.r1,
        "penalty/path length": progress.path_length,
        "augmentation/probability": progress.probability,
        "augmentation/sureness": progress.sureness,
        "pictures per second": progress.images / max(progress.seconds, 1e-9),
    }


@torch.no_grad()
def samples(trainer: Trainer) -> Tensor:
    """Return what the average paints ``(64, 3, size, size)`` of codes that are always the same."""
    random = torch.Generator().manual_seed(0)
    codes = torch.randn(GRID**2, trainer.recipe.n_latent, generator=random).to(trainer.device)
    painted: Tensor = trainer.average(codes)
    return painted.cpu()


def _some_real(pictures: Pictures) -> Tensor:
    return pictures.batch(torch.linspace(0, len(pictures) - 1, GRID**2).long())


def write_grid(path: Path, pictures: Tensor) -> None:
    """Write pictures ``(n, 3, size, size)`` side by side as one PNG."""
    write_png(path, grid(pictures), {})


def grid(pictures: Tensor) -> NDArray[np.uint8]:
    """Return pictures ``(n, 3, size, size)`` side by side, as bytes ``(height, width, 3)``."""
    n_columns = math.isqrt(len(pictures) - 1) + 1
    tiles = [to_bytes(picture) for picture in pictures]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % n_columns)
    rows = [np.concatenate(tiles[first : first + n_columns], axis=1) for first in range(0, len(tiles), n_columns)]
    return np.concatenate(rows)


def _write(trainer: Trainer, out: Path) -> PictureModel:
    network = trainer.average.cpu().eval()
    model = PictureModel(out.name, network, weights_fingerprint(network), mean_style(network), source=str(out))
    write_grid(out / "samples.png", samples(trainer))
    save_picture_model(out, model, {"training": _facts(trainer)})
    return model


def _facts(trainer: Trainer) -> dict[str, Any]:
    progress, pictures = trainer.progress, trainer.pictures
    return {
        "pictures": len(pictures),
        "made_from": pictures.kind,
        "files": list(pictures.sources),
        "shown": progress.images,
        "steps": progress.step,
        "minutes": round(progress.seconds / 60, 1),
        "augmentation": round(progress.probability, 3),
        "recipe": trainer.recipe.as_dict(),
    }


@contextmanager
def _ctrl_c_between_steps() -> Iterator[threading.Event]:
    """Let Ctrl-C end training after the step that is being done, never in the middle of one."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped    # only the main thread may look for signals
        return
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: stopped.set())
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
