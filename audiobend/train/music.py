"""The music of a training: found, read, divided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import torch

from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.cache import ColumnCache
from audiobend.train.recipe import Recipe
from audiobend.train.sounds import Sound, find_sounds
from audiobend.train.tracks import Track, load_tracks, mean_spectrum, split

CACHE_GB = 20.0
REPORT_EVERY = 10.0
"""Seconds between two lines while sounds are read for the first time."""


@dataclass(frozen=True)
class Music:
    """The music of a training.

    Attributes
    ----------
    training, held_out : list of Track
    sounds : mapping of str to Sound
        All files by the names of the tracks.
    folders : list of Path
    """

    training: list[Track]
    held_out: list[Track]
    sounds: Mapping[str, Sound]
    folders: list[Path]

    @property
    def measured(self) -> list[Track]:
        """What fidelity is measured on."""
        return self.held_out or self.training

    @property
    def example(self) -> Sound | None:
        """What is drawn and listened to."""
        return self.sounds.get(self.measured[0].name)

    def in_words(self) -> str:
        """Return a sentence."""
        minutes = sum(track.seconds for track in self.training) / 60
        return f"{len(self.training)} tracks, {minutes:.0f} minutes for training; {len(self.held_out)} tracks kept out"


def read_music(
    folders: Sequence[Path], validation: Sequence[str], report: Callable[[str], None], cache_gb: float = CACHE_GB
) -> Music:
    """Find, read and divide the sounds, keeping at most ``cache_gb`` of columns on disk."""
    sounds = find_sounds(folders, report)
    tracks = load_tracks(sounds, report, cache=ColumnCache(gb=cache_gb), on_progress=_now_and_then(report))
    training, held_out = split(tracks, validation)
    if not held_out:
        report("there is one track only, so the figures are of sound that the model was trained on")
    return Music(training, held_out, {sound.name: sound for sound in sounds}, list(folders))


def _now_and_then(report: Callable[[str], None]) -> Callable[[float, float], None]:
    reported = monotonic()

    def on_progress(done: float, total: float) -> None:
        nonlocal reported
        if monotonic() - reported >= REPORT_EVERY:
            reported = monotonic()
            report(f"reading: {done / 60:.0f} of {total / 60:.0f} minutes of sound")

    return on_progress


def codec_for(recipe: Recipe, tracks: Sequence[Track]) -> SpectrogramCodec:
    """Return the codec that fits the network's output: around the mean spectrum, or 0..-80 dB as -1..1 for a tanh."""
    if recipe.output == "tanh":
        return SpectrogramCodec(torch.full((513,), -40.0), 40.0)
    return SpectrogramCodec(mean_spectrum(tracks))
