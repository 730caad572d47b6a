"""Sounds as columns of decibels: read from the cache where they are there, from the sound file where not."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import soundfile as sf
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.errors import TrainingError, did_you_mean
from audiobend.networks.spectrogram_vae import WINDOW
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.spectral.stft import HOP_LENGTH, stft
from audiobend.train.sounds import SAMPLE_RATE, Sound, in_text

MEAN_WINDOWS = 1024
"""The mean spectrum of a track longer than this many windows (12 minutes) is that of so many, evenly spaced."""


class Columns(Protocol):
    """Columns of dB ``(time, 513)``, 0 dB = the loudest bin of the track; a numpy array is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: Any, /) -> NDArray[Any]:
        """Return a slice ``(time, 513)`` as an array."""
        ...


@dataclass(frozen=True, eq=False)
class Track:
    """One sound as columns of dB.

    Attributes
    ----------
    name : str
        Its path inside the given folder, without the ending.
    columns : array or Columns
        ``(time, 513)`` dB, 0 dB = its loudest bin.
    folder : str
        The given folder's name and the folders inside it.
    """

    name: str
    columns: Columns
    folder: str = ""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.columns) * HOP_LENGTH / SAMPLE_RATE

    @cached_property
    def mean_db(self) -> NDArray[np.float64]:
        """Mean dB of every bin ``(513,)``, of all columns, or of 1024 windows of a track that has more."""
        n = len(self.columns)
        if n <= MEAN_WINDOWS * WINDOW:
            starts: Sequence[int] = range(0, n, WINDOW)
        else:
            starts = [int(start) for start in np.linspace(0, n - WINDOW, MEAN_WINDOWS)]
        total, count = np.zeros(0), 0
        for start in starts:
            window = self.columns[start : start + WINDOW]
            total = window.sum(axis=0, dtype=np.float64) + (total if count else 0.0)
            count += len(window)
        return np.asarray(total / count)


def load_tracks(sounds: Sequence[Sound], report: Callable[[str], None] = lambda _: None) -> list[Track]:
    """Read the sounds that `find_sounds` found; what turns out to be damaged is left out and reported."""
    tracks = []
    for sound in sounds:
        try:
            tracks.append(Track(sound.name, _columns(sound), sound.folder))
        except sf.SoundFileError as error:
            report(f"left out {in_text(sound.path)}: {error}")
    if not tracks:
        raise TrainingError("none of the files could be used; each is damaged")
    return tracks


def _columns(sound: Sound) -> NDArray[np.float16]:
    samples, _ = sf.read(sound.path, dtype="float32", always_2d=True)
    mono = np.nan_to_num(samples, posinf=0.0, neginf=0.0).mean(axis=1)
    if sound.sample_rate != SAMPLE_RATE:
        mono = soxr.resample(mono, sound.sample_rate, SAMPLE_RATE)
    magnitude = stft(torch.from_numpy(np.ascontiguousarray(mono))).abs()
    pieces = (SpectrogramCodec().to_db(piece, float(magnitude.max())).T for piece in magnitude.split(8192, dim=-1))
    return np.concatenate([piece.numpy().astype(np.float16) for piece in pieces])


def mean_spectrum(tracks: Sequence[Track]) -> Tensor:
    """Return the mean dB of every bin ``(513,)``, tracks weighted by the root of their length."""
    weights = np.sqrt([track.seconds for track in tracks])
    means = [track.mean_db for track in tracks]
    return torch.from_numpy(np.average(means, axis=0, weights=weights).astype(np.float32))


def even_windows(track: Track, n_windows: int) -> Tensor:
    """Return evenly spaced windows of a track ``(window, 1, 128, 513)`` of dB, for evaluation."""
    starts = np.linspace(0, len(track.columns) - WINDOW, n_windows).astype(int)
    windows = np.stack([track.columns[start : start + WINDOW] for start in starts])
    return torch.from_numpy(windows.astype(np.float32))[:, None]


def split(tracks: Sequence[Track], validation: Sequence[str] = ()) -> tuple[list[Track], list[Track]]:
    """Divide tracks into training and validation, whole tracks at a time.

    Parameters
    ----------
    tracks : sequence of Track
    validation : sequence of str
        Parts of names of the tracks that are kept out. Without any it is every tenth track, by a hash of the name,
        so that few tracks change sides when others come or go; of one track alone, none.
    """
    names = [track.name for track in tracks]
    for part in validation:
        if not any(part in name for name in names):
            raise TrainingError(f"no track is called {part}{did_you_mean(part, names)}")
    if validation:
        chosen = {name for name in names if any(part in name for part in validation)}
    else:
        order = sorted(names, key=lambda name: hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest())
        chosen = set(order[: max(1, len(order) // 10)]) if len(order) > 1 else set()
    training = [track for track in tracks if track.name not in chosen]
    if not training:
        raise TrainingError("every track is kept out for validation; name fewer")
    return training, [track for track in tracks if track.name in chosen]
