"""Windows of sound as inputs of a model's network: random ones of many tracks, or all of one sound."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import WINDOW
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.spectral.stft import HOP_LENGTH
from audiobend.train.clips import even_clip
from audiobend.train.evaluation import is_among, kept_out
from audiobend.train.soundfiles import SAMPLE_RATE
from audiobend.train.sounds import Sound, find_sounds
from audiobend.train.tracks import Track, load_tracks, split
from audiobend.train.windows import Augmentation, WindowSampler

BATCH = 20
FEWEST_OF_ONE_SOUND, MOST_OF_ONE_SOUND = 8, 64


@dataclass(frozen=True)
class Drawn:
    """Windows of random tracks and places, at the level they have; the same ones each time.

    Attributes
    ----------
    codec : SpectrogramCodec
    tracks : sequence of Track
    n_samples, seed : int
    """

    codec: SpectrogramCodec
    tracks: Sequence[Track]
    n_samples: int
    seed: int

    def __len__(self) -> int:
        return self.n_samples

    def __iter__(self) -> Iterator[Tensor]:
        sampler = WindowSampler(self.tracks, BATCH, self.seed, augmentation=Augmentation(level_db=(0.0, 0.0)))
        for done in range(0, self.n_samples, BATCH):
            yield normalised(self.codec, sampler.batch()[: self.n_samples - done])


@dataclass(frozen=True)
class Given:
    """Inputs that are at hand, such as the windows of one sound, ``(sample, ...)``."""

    samples: Tensor

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.samples.split(BATCH))


def normalised(codec: SpectrogramCodec, windows_db: Tensor) -> Tensor:
    """Return windows of dB as a network takes them."""
    return (windows_db - codec.mean_db) / codec.scale_db


def sounds_for(model: Model, paths: Sequence[Path], report: Callable[[str], None] = lambda _: None) -> list[Sound]:
    """Return the usable sounds under paths, without those that the model's card says it never heard in training.

    They stay unheard here too, so that clusters can be judged on them; if there are no others, they are taken.
    """
    sounds = find_sounds(paths, report)
    heard = [sound for sound in sounds if not is_among(sound, kept_out(model))]
    if heard and len(heard) < len(sounds):
        n_left = len(sounds) - len(heard)
        report(f"left out {n_left} sounds that the model was not trained on: clusters can be judged on them")
    return heard or sounds


def windows_of(
    model: Model,
    sounds: Sequence[Sound],
    n_samples: int,
    seed: int,
    report: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> tuple[Drawn, Drawn]:
    """Return windows to learn from, and a tenth as many to be measured on: of other tracks if there are any."""
    tracks = load_tracks(sounds, report, on_progress=lambda done, total: on_progress(done / max(total, 1e-9)))
    training, test = split(tracks)
    n_test = max(1, round(n_samples / 10))
    return (
        Drawn(model.codec, training, n_samples, seed),
        Drawn(model.codec, test or training, n_test, seed + 1),
    )


def windows_of_one(model: Model, path: Path) -> Given:
    """Return evenly spaced windows of one sound: all of it, unless it is long, and at least a few."""
    (sound,) = find_sounds([path])
    n_columns = sound.seconds * SAMPLE_RATE / HOP_LENGTH
    n_windows = min(MOST_OF_ONE_SOUND, max(FEWEST_OF_ONE_SOUND, round(n_columns / WINDOW)))
    windows = even_clip(path, n_windows).db
    return Given(normalised(model.codec, windows)[:, None].to(torch.float32))
