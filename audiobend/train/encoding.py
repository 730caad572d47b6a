"""Sound made small: mono Ogg Vorbis or Opus, at a quality that fills a given size."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import soundfile as sf
import torch
from torch import Tensor

from audiobend.train.decode import mono_blocks, mono_piece
from audiobend.train.sounds import Sound

BLOCK = 65536    # libsndfile's Vorbis encoder overflows its stack on very large single writes
SAMPLES, SAMPLE_SECONDS = 12, 10.0
_STEPS = 4


@dataclass(frozen=True)
class Codec:
    """A way to make sound small.

    Attributes
    ----------
    name : str
        In libsndfile's words.
    ending : str
    sample_rate : int, Hz
    best, worst : float in 0..1
        Range of the compression that is of use here: better cannot be told from the original, worse shows.
    """

    name: str
    ending: str
    sample_rate: int
    best: float
    worst: float


# Opus takes 256 - 250 c kbit/s for one channel at compression c: 128 to 32 kbit/s.
OPUS = Codec("OPUS", ".opus", 48000, best=0.512, worst=0.896)
VORBIS = Codec("VORBIS", ".ogg", 44100, best=0.2, worst=0.7)
POOR_VORBIS = replace(VORBIS, worst=0.9)


def codecs() -> list[Codec]:
    """Return the ways to try, the better one first.

    Spectrograms of Vorbis are nearer to the original's from about 67 kbit/s on, those of Opus below (the table in
    ``docs/data.md``). A libsndfile without Opus has to do with poor Vorbis.
    """
    return [VORBIS, OPUS] if "OPUS" in sf.available_subtypes("OGG") else [POOR_VORBIS]


def encode(
    source: Path, target: Path, codec: Codec, compression: float, advance: Callable[[float], None] = lambda _: None
) -> None:
    """Write the mono mean of a sound file; block by block, so that its length does not matter.

    Parameters
    ----------
    source, target : Path
        ``target`` may have any ending.
    compression : float in 0..1
        0 is the best quality.
    advance : callable
        Takes the seconds of sound that were done since it was called last.
    """
    with _writer(target, codec, compression) as file:
        for block in mono_blocks(source, codec.sample_rate):
            _write(file, block)
            advance(block.shape[-1] / codec.sample_rate)


def bytes_per_second(sounds: Sequence[Sound], codec: Codec, scratch: Path) -> Callable[[float], float]:
    """Return a function from compression to bytes a second, measured on two minutes spread over the sounds."""
    pieces = [mono_piece(sound.path, at, SAMPLE_SECONDS, codec.sample_rate) for sound, at in _spread(sounds)]
    samples = torch.cat(pieces, dim=-1)

    @cache
    def measure(compression: float) -> float:
        with _writer(scratch, codec, compression) as file:
            _write(file, samples)
        size = scratch.stat().st_size
        scratch.unlink()
        return size * codec.sample_rate / samples.shape[-1]

    return measure


def best_compression(rate: Callable[[float], float], codec: Codec, wanted: float) -> float | None:
    """Return the compression whose bytes a second come nearest to ``wanted`` from below; None where none does."""
    low, high = codec.best, codec.worst
    if rate(low) <= wanted:
        return low
    if rate(high) > wanted:
        return None
    for _ in range(_STEPS):    # nearly a straight line
        middle = low + (high - low) * (rate(low) - 0.995 * wanted) / (rate(low) - rate(high))
        if not low < middle < high:
            break
        low, high = (low, middle) if rate(middle) <= wanted else (middle, high)
        if rate(high) > 0.99 * wanted:
            break
    return high


def _spread(sounds: Sequence[Sound]) -> Iterator[tuple[Sound, float]]:
    """Yield sounds and places in seconds, evenly spaced over all of them laid end to end; everything if it is short."""
    ends = np.cumsum([sound.seconds for sound in sounds])
    if ends[-1] <= SAMPLES * SAMPLE_SECONDS:
        yield from ((sound, at) for sound in sounds for at in np.arange(0, sound.seconds, SAMPLE_SECONDS))
        return
    for at in (np.arange(SAMPLES) + 0.5) / SAMPLES * ends[-1]:
        index = int(np.searchsorted(ends, at))
        sound = sounds[index]
        begin = at - (ends[index] - sound.seconds)
        yield sound, max(0.0, min(begin, sound.seconds - SAMPLE_SECONDS))


def _writer(target: Path, codec: Codec, compression: float) -> sf.SoundFile:
    return sf.SoundFile(
        os.fspath(target),
        "w",
        codec.sample_rate,
        1,
        format="OGG",
        subtype=codec.name,
        compression_level=compression,
    )


def _write(file: sf.SoundFile, wave: Tensor) -> None:
    for part in wave[0].split(BLOCK):
        file.write(part.numpy())
