"""Pictures of how faithful a model is: spectrograms of every file, and the figures of all of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audiobend.errors import TrainingError
from audiobend.io.files import MARK, bears_our_mark, write_atomically
from audiobend.networks.model import Model
from audiobend.plot import BACKGROUND, INK
from audiobend.spectral.stft import HOP_LENGTH
from audiobend.train.baselines import PCA
from audiobend.train.clips import passage
from audiobend.train.evaluation import STORED, Measured, reconstructed
from audiobend.train.metrics import FIGURES
from audiobend.train.sounds import Sound

PASSAGE = 8
"""Windows in a picture: 6 seconds."""
DIFFERENCE_DB = 30.0
SUMMARY = ("lsd_all", "lsd_loud", "sc", "mel", "onset", "mr_stft")
INKED = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor")
COLOURS = {"model": "#ffb454", "PCA": "#6cb6ff", "wrong window": "#b48ead", "mean spectrum": "#8a919c"}


def draw_all(
    folder: Path,
    model: Model,
    measured: Sequence[Measured],
    pca: PCA | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> list[Path]:
    """Write ``NAME.png`` for every file and ``summary.png``; return their paths."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder}: this folder cannot be made: {error.strerror}") from None
    paths = picture_paths(folder, [one.sound for one in measured])
    for index, (path, one) in enumerate(zip(paths, measured, strict=False)):
        rows = passage_rows(one.sound.path, model, pca)
        draw_spectrograms(path, rows, f"{one.sound.name}: {_in_words(one)}")
        on_progress((index + 1) / len(paths))
    draw_summary(paths[-1], measured, model.name)
    return paths


def picture_paths(folder: Path, sounds: Sequence[Sound]) -> list[Path]:
    """Return what `draw_all` will write: a picture of each sound, and the summary.

    Raises
    ------
    TrainingError
        Where a picture that audiobend did not write would be replaced.
    """
    paths = [folder / (sound.name.replace("/", "_") + ".png") for sound in sounds] + [folder / "summary.png"]
    for path in paths:
        if path.exists() and not bears_our_mark(path):
            raise TrainingError(f"{path}: exists and was not written by audiobend; give --plots another folder")
    return paths


@torch.no_grad()
def passage_rows(path: Path, model: Model, pca: PCA | None = None, n_windows: int = PASSAGE) -> dict[str, Tensor]:
    """Return spectrograms ``(time, 513)`` of dB of the middle of a sound: input, model, PCA and the model's error."""
    windows = passage(path, n_windows).db
    output = reconstructed(model.network, model.codec, windows)
    rows = {"input": windows, "model": output}
    if pca:
        rows[pca.name] = pca.reconstructed(windows)
    rows["difference: model minus input"] = output.clamp(min=-80) - windows
    return {name: row.flatten(0, 1) for name, row in rows.items()}


def draw_spectrograms(path: Path, rows: dict[str, Tensor], title: str) -> None:
    """Draw spectrograms ``(time, 513)`` of dB; those whose name begins with "difference" in colours around zero."""
    with _figure(path, len(rows), 1, (11, 2.3 * len(rows)), title) as (figure, axes):
        for axis, (name, db) in zip(axes[:, 0], rows.items(), strict=True):
            is_difference = name.startswith("difference")
            low, high = (-DIFFERENCE_DB, DIFFERENCE_DB) if is_difference else (-80.0, 0.0)
            seconds = torch.arange(len(db)) * HOP_LENGTH / 44100
            kilohertz = torch.arange(1, db.shape[1]) * 44.1 / 1024
            mesh = axis.pcolormesh(
                seconds.numpy(), kilohertz.numpy(), db.T[1:].numpy(), vmin=low, vmax=high,
                cmap="RdBu_r" if is_difference else "magma", shading="nearest", rasterized=True,
            )
            axis.set(yscale="log", ylim=(0.05, 22.05), ylabel="kHz")
            axis.set_yticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
            axis.set_title(name, loc="left", fontsize=10)
            figure.colorbar(mesh, ax=axis, label="dB", pad=0.01, aspect=12)
        axes[-1, 0].set_xlabel("seconds")


def draw_summary(path: Path, measured: Sequence[Measured], title: str) -> None:
    """Draw every file's figures as points on lines, the model's beside the baselines'."""
    columns = 3
    lines = -(-len(SUMMARY) // columns)
    size = (13, lines * (1.3 + 0.28 * len(measured)))
    with _figure(path, lines, columns, size, f"{title}, where nothing is bent") as (figure, axes):
        for index, key in enumerate(SUMMARY):
            axis = axes[index // columns, index % columns]
            for row, one in enumerate(measured):
                for name, figures in one.rows.items():
                    kind = name.split("-")[0].removesuffix(STORED)
                    if kind in COLOURS and key in figures:
                        size_of_dot = 60 if kind == "model" else 30
                        axis.scatter(figures[key], row, s=size_of_dot, color=COLOURS[kind], label=kind, zorder=3)
            better = "right" if FIGURES[key].best else "left"
            axis.set_title(f"{FIGURES[key].title} (better: {better})", loc="left", fontsize=10)
            axis.set_yticks(range(len(measured)), [one.sound.name[-32:] for one in measured], fontsize=8)
            axis.tick_params(axis="y", labelleft=index % columns == 0)
            axis.invert_yaxis()
            axis.grid(color=INK, alpha=0.15)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        figure.legend(
            unique.values(), unique.keys(), loc="outside lower center", ncols=len(unique), frameon=False, labelcolor=INK
        )


@contextmanager
def _figure(path: Path, rows: int, columns: int, size: tuple[float, float], title: str) -> Iterator[tuple[Any, Any]]:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    style: dict[Any, Any] = dict.fromkeys(INKED, INK) | {"axes.facecolor": BACKGROUND}
    with plt.rc_context(style):
        figure, axes = plt.subplots(
            rows, columns, figsize=size, squeeze=False, facecolor=BACKGROUND, layout="constrained"
        )
        try:
            yield figure, axes
            figure.suptitle(title, fontsize=11)
            with write_atomically(path, error=TrainingError) as temporary:
                figure.savefig(temporary, dpi=100, facecolor=BACKGROUND, metadata={"Software": MARK})
        finally:
            plt.close(figure)


def _in_words(one: Measured) -> str:
    figures = one.rows["model"]
    return ", ".join(f"{FIGURES[key].title} {figures[key]:.2f}" for key in ("lsd_all", "lsd_loud", "sc", "onset"))
