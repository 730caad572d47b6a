"""Pictures of sound: input, reconstruction and bent, one above the other."""

from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from audiobend.bending import Patch
from audiobend.engine import Settings
from audiobend.errors import AudioError
from audiobend.io.audiofile import AudioReader
from audiobend.io.files import MARK, write_atomically
from audiobend.networks.model import Model
from audiobend.rendering import render
from audiobend.spectral.stft import stft
from audiobend.streams import resampled

KINDS = (".png", ".svg", ".pdf")
LONGEST_SECONDS = 30.0
BACKGROUND, INK = "#14161a", "#d8dce2"


def check_plot_name(path: Path) -> None:
    """Refuse a picture's name that says no known kind, or lies in no folder."""
    if path.suffix.lower() not in KINDS:
        raise AudioError(f"{path}: a picture's name must end in png, svg or pdf, not '{path.suffix}'")
    if not path.absolute().parent.is_dir():
        raise AudioError(f"{path}: the folder {path.parent} does not exist")


def plot_render(path: Path, source: Path, target: Path, model: Model, settings: Settings) -> None:
    """Draw the first 30 s of a render: input, the network's unbent reconstruction, and the bent sound."""
    waveform = _beginning(source, model.codec.sample_rate)
    unbent = render(waveform, model.codec.sample_rate, model=model, patch=Patch(), settings=settings)
    rows = {"input": waveform, "reconstruction": unbent, "bent": _beginning(target, model.codec.sample_rate)}
    plot_spectrograms(path, {name: _decibels(samples) for name, samples in rows.items()}, source.name)


def _beginning(path: Path, rate: int) -> Tensor:
    with AudioReader(path) as reader:
        n_blocks = int(LONGEST_SECONDS * reader.info.sample_rate) // reader.block + 1
        blocks = list(islice(reader, n_blocks))
        return torch.cat(list(resampled(blocks, reader.info.sample_rate, rate, reader.info.channels)), dim=-1)


def _decibels(waveform: Tensor) -> Tensor:
    magnitude = stft(waveform.mean(0)).abs()
    return 20 * (magnitude / magnitude.max().clamp(min=1e-9)).clamp(min=1e-4).log10()


def plot_spectrograms(path: Path, rows: dict[str, Tensor], title: str) -> None:
    """Draw spectrograms ``(513, time)`` in dB one above the other on shared axes, frequency on a log scale."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    with plt.rc_context({"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}):
        figure, axes = plt.subplots(
            len(rows), 1, figsize=(11, 2.6 * len(rows)), sharex=True, facecolor=BACKGROUND, layout="constrained"
        )
        for axis, (name, decibels) in zip(axes, rows.items(), strict=True):
            seconds = torch.arange(decibels.shape[1]) * 256 / 44100
            kilohertz = torch.arange(1, decibels.shape[0]) * 44.1 / 1024
            mesh = axis.pcolormesh(
                seconds, kilohertz, decibels[1:], cmap="magma", vmin=-80, vmax=0, shading="nearest", rasterized=True
            )
            axis.set(yscale="log", ylim=(0.05, 22.05), ylabel="kHz", facecolor=BACKGROUND)
            axis.set_yticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
            axis.set_title(name, loc="left", fontsize=10)
        axes[-1].set_xlabel("seconds")
        figure.suptitle(title, fontsize=11)
        figure.colorbar(mesh, ax=axes, label="dB", pad=0.01, aspect=40)
        with write_atomically(path, error=AudioError) as temporary:
            key = "Software" if path.suffix.lower() == ".png" else "Creator"
            figure.savefig(temporary, dpi=110, facecolor=BACKGROUND, metadata={key: MARK})
        plt.close(figure)
