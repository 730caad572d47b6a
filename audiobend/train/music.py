"""The music of a training: found, read, divided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.dataset import Sound, Track, find_sounds, load_tracks, mean_spectrum, split
from audiobend.train.recipe import Recipe


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


def read_music(folders: Sequence[Path], validation: Sequence[str], report: Callable[[str], None]) -> Music:
    """Find, read and divide the sounds."""
    sounds = find_sounds(folders, report)
    training, held_out = split(load_tracks(sounds, report), validation)
    if not held_out:
        report("there is one track only, so the figures are of sound that the model was trained on")
    return Music(training, held_out, {sound.name: sound for sound in sounds}, list(folders))


def codec_for(recipe: Recipe, tracks: Sequence[Track]) -> SpectrogramCodec:
    """Return the codec that fits the network's output: around the mean spectrum, or 0..-80 dB as -1..1 for a tanh."""
    if recipe.output == "tanh":
        return SpectrogramCodec(torch.full((513,), -40.0), 40.0)
    return SpectrogramCodec(mean_spectrum(tracks))
