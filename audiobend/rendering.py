"""A performance without the sound card: whole sounds through the engine, from memory or from file to file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.bending import Patch, Plan
from audiobend.engine import Engine, Settings
from audiobend.errors import AudioError
from audiobend.io.audiofile import RATES, AudioInfo, AudioReader
from audiobend.io.files import check_not_an_input
from audiobend.io.modelbundle import load_model
from audiobend.io.patchfile import load_patch
from audiobend.io.soundformats import choose_subtype, format_of
from audiobend.io.soundwriter import AudioWriter
from audiobend.networks.model import Model
from audiobend.spectral.level import LoudestBin
from audiobend.spectral.stft import fit
from audiobend.streams import Blocks, keeps_input, limited, resampled, through, with_lost_band
from audiobend.timeline import Timeline

Waveform = TypeVar("Waveform", Tensor, NDArray[Any])
BLOCK_SECONDS = 8.0


def render(
    waveform: Waveform,
    sample_rate: int,
    *,
    model: Model | str | Path | None = None,
    patch: Patch | str | Path | None = None,
    settings: Settings | None = None,
) -> Waveform:
    """Send a sound through the bent network.

    Parameters
    ----------
    waveform : Tensor or array of shape ``(time,)`` or ``(channel, time)``
        Mono or stereo, full scale at 1; samples that are not numbers count as 0.
    sample_rate : int > 0
        Hz.
    model : Model, name or folder, optional
        Default: the default model.
    patch : Patch or file, optional
        Default: no bends, which is the network's own voice.
    settings : Settings, optional
        Quality and phase of the resynthesis.

    Returns
    -------
    Tensor or array
        Same kind, shape, sample rate and length as the input, float32.

    Examples
    --------
    >>> import audiobend as ab
    >>> patch = ab.load_patch("examples/patches/low_tide.yaml")
    >>> ab.render(torch.zeros(2, 22050), 44100, patch=patch).shape
    torch.Size([2, 22050])
    """
    if not isinstance(waveform, Tensor | np.ndarray):
        raise AudioError(f"a waveform must be a tensor or an array, got {type(waveform).__name__}; see read_audio")
    if isinstance(waveform, np.ndarray) and waveform.dtype.kind == "f":
        samples = torch.from_numpy(np.array(waveform, dtype=np.float32, order="C"))    # any strides and byte order
    else:
        samples = torch.as_tensor(waveform)
    if not samples.is_floating_point():
        raise AudioError(f"a waveform must be of floating-point numbers, full scale at 1; got {samples.dtype}")
    if sample_rate not in RATES:
        raise AudioError(f"sample_rate must be a whole number in {RATES[0]}..{RATES[-1]} Hz, got {sample_rate}")
    sample_rate = int(sample_rate)
    if samples.dim() not in (1, 2) or (samples.dim() == 2 and samples.shape[0] not in (1, 2)):
        raise AudioError(
            f"a waveform must be (time,) or (channel, time) with 1 or 2 channels, got shape {tuple(samples.shape)}"
        )
    if not isinstance(model, Model):
        model = load_model(model)
    channels = torch.nan_to_num(samples.detach().float(), nan=0.0, posinf=0.0, neginf=0.0)
    channels = channels[None] if channels.dim() == 1 else channels

    def blocks() -> Blocks:
        return list(channels.split(max(1, round(BLOCK_SECONDS * sample_rate)), dim=-1))

    if isinstance(patch, str | Path):
        patch = load_patch(patch)
    plan = model.resolve(patch or Patch())
    parts = list(bend(blocks, sample_rate, len(channels), model, plan, settings))
    result = fit(torch.cat(parts, dim=-1), channels.shape[-1]).reshape(samples.shape)
    return result.numpy() if isinstance(waveform, np.ndarray) else result


def bend(
    blocks: Callable[[], Blocks],
    sample_rate: int,
    n_channels: int,
    model: Model,
    plan: Plan | Timeline,
    settings: Settings | None = None,
) -> Iterator[Tensor]:
    """Yield bent blocks of a sound that is read twice: once for its loudest bin, once to be bent.

    ``blocks`` is called for each pass and gives blocks ``(channel, time)`` at ``sample_rate``, and so does this.
    """
    rate = model.codec.sample_rate
    meter = LoudestBin(n_channels)
    for block in resampled(blocks(), sample_rate, rate, n_channels):
        meter.feed(block)
    engine = Engine(model, plan, n_channels, meter.flush(), settings)
    at_model_rate = resampled(blocks(), sample_rate, rate, n_channels)
    bent = resampled(through(engine, at_model_rate), rate, sample_rate, n_channels)
    if sample_rate != rate and keeps_input(plan):
        bent = with_lost_band(bent, blocks(), sample_rate, rate, n_channels, engine.plan)
    limiter = any(one.patch.output.limiter for one in (plan.values if isinstance(plan, Timeline) else (plan,)))
    # Last of all, because resampling may lift peaks again.
    yield from limited(bent, sample_rate, n_channels) if limiter else bent


@dataclass(frozen=True)
class Rendered:
    """One rendered file."""

    input: Path
    output: Path
    seconds: float
    sample_rate: int
    channels: int


def render_file(
    source: Path,
    target: Path,
    model: Model,
    plan: Plan | Timeline,
    settings: Settings | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Rendered:
    """Render file to file at constant memory; the target appears whole or not at all, and is never an input.

    Parameters
    ----------
    on_progress : callable
        Gets the share done, 0..1.

    Raises
    ------
    AudioError
        One sentence, if the source cannot be read or the target not be written.
    """
    check_not_an_input(target, (source,), AudioError)
    with AudioReader(source) as reader:
        info = reader.info
    subtype = choose_subtype(info, format_of(target))
    with AudioWriter(
        target, info.sample_rate, info.channels, subtype=subtype, frames=info.frames, inputs=(source,)
    ) as writer:
        left = info.frames
        blocks = _two_passes(source, info, on_progress)
        for block in bend(blocks, info.sample_rate, info.channels, model, plan, settings):
            part = block[:, :left]    # resampling there and back may give a sample more or less
            writer.write(part)
            left -= part.shape[-1]
        if left:
            writer.write(torch.zeros(info.channels, left))
    return Rendered(source, target, info.seconds, info.sample_rate, info.channels)


def _two_passes(source: Path, info: AudioInfo, on_progress: Callable[[float], None]) -> Callable[[], Iterator[Tensor]]:
    """Read the file from its beginning at every call; the second reading is the one that takes time."""
    n_block = round(BLOCK_SECONDS * info.sample_rate)
    passes = 0

    def blocks() -> Iterator[Tensor]:
        nonlocal passes
        passes += 1
        bending = passes == 2
        n_read = 0
        with AudioReader(source, n_block) as reader:
            for block in reader:
                yield block
                n_read += block.shape[-1]
                on_progress(n_read / info.frames if bending else 0.0)

    return blocks


def output_path(source: Path, out_dir: Path | None, format: str | None, mark: str = "bent") -> Path:
    """Return the default name: ``<stem>.bent.wav`` in the working directory, or in ``out_dir``."""
    return (out_dir or Path()) / f"{source.stem}.{mark}.{format or 'wav'}"
