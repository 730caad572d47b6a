"""Sound files in folders -> spectrogram columns in memory -> random training windows."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.errors import TrainingError
from audiobend.networks.spectrogram_vae import WINDOW
from audiobend.spectral.codec import FLOOR_DB, SpectrogramCodec
from audiobend.spectral.stft import stft

Columns = NDArray[np.float16]
SUFFIXES = {".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".opus", ".au", ".caf"}


@dataclass(frozen=True)
class Track:
    """One file as columns of dB ``(time, 513)``, 0 dB = its loudest bin."""

    name: str
    columns: Columns

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.columns) * 256 / 44100


def sound_files(folders: list[Path]) -> list[Path]:
    """Return all sound files under the folders, sorted by name; a file may be named directly."""
    found: set[Path] = set()
    for folder in folders:
        if not folder.exists():
            raise TrainingError(f"{folder}: there is no such folder; give one that holds sound files")
        paths = [folder] if folder.is_file() else folder.rglob("*")
        found.update(path for path in paths if path.suffix.lower() in SUFFIXES)
    if not found:
        names = ", ".join(str(folder) for folder in folders)
        raise TrainingError(f"{names}: no sound files here; wav, flac, ogg, mp3 and aiff are read")
    return sorted(found)


def load_track(path: Path, codec: SpectrogramCodec) -> Track:
    """Read one file: mono mean of its channels, resampled, as dB columns."""
    samples, sample_rate = sf.read(path, dtype="float32", always_2d=True)
    mono = np.nan_to_num(samples, posinf=0.0, neginf=0.0).mean(axis=1)
    if sample_rate != codec.sample_rate:
        mono = soxr.resample(mono, sample_rate, codec.sample_rate)
    magnitude = stft(torch.from_numpy(np.ascontiguousarray(mono))).abs()
    reference = float(magnitude.max())
    pieces = (codec.to_db(piece, reference).T for piece in magnitude.split(8192, dim=-1))
    name = os.fsencode(path.stem).decode("utf-8", "replace")    # file systems hold names that no text file can
    return Track(name, np.concatenate([piece.numpy().astype(np.float16) for piece in pieces]))


def load_tracks(
    paths: list[Path], codec: SpectrogramCodec, report: Callable[[str], None] = lambda _: None
) -> list[Track]:
    """Read every usable file; unreadable, silent and very short ones are left out and reported."""
    tracks = []
    for path in paths:
        try:
            track = load_track(path, codec)
        except sf.LibsndfileError as error:
            report(f"left out {path.name}: {error}")
            continue
        if len(track.columns) < WINDOW or track.columns.max() <= FLOOR_DB:
            report(f"left out {path.name}: shorter than {WINDOW} columns (0.74 s), or silent")
            continue
        tracks.append(track)
    if not tracks:
        raise TrainingError("none of the files could be used; each needs at least 0.74 s of sound")
    return tracks


def mean_spectrum(tracks: list[Track]) -> Tensor:
    """Return the mean dB of every bin ``(513,)``, tracks weighted by the root of their length."""
    weights = np.sqrt([track.seconds for track in tracks])
    means = [track.columns.astype(np.float32).mean(axis=0) for track in tracks]
    return torch.from_numpy(np.average(means, axis=0, weights=weights).astype(np.float32))


class WindowSampler:
    """Endless batches of random windows ``(batch, 1, 128, 513)`` of dB.

    Tracks are drawn by the root of their length; those whose file name starts with one of the ``reels`` prefixes
    (collections of short sounds) share ``reel_share`` of the windows. Every window gets a random level, because live
    sound never sits exactly at 0 dB.

    Parameters
    ----------
    level_db : (float, float)
        Range of the random level in dB.
    """

    def __init__(
        self,
        tracks: list[Track],
        batch_size: int,
        seed: int,
        reels: tuple[str, ...] = (),
        reel_share: float = 0.25,
        level_db: tuple[float, float] = (-12.0, 3.0),
    ) -> None:
        self.tracks, self.batch_size, self.level_db = tracks, batch_size, level_db
        self.random = np.random.default_rng(seed)
        weight = np.sqrt([track.seconds for track in tracks])
        is_reel = np.array([track.name.startswith(reels) if reels else False for track in tracks])
        if is_reel.any() and not is_reel.all():
            weight[is_reel] *= reel_share / weight[is_reel].sum()
            weight[~is_reel] *= (1 - reel_share) / weight[~is_reel].sum()
        self.probability = weight / weight.sum()

    def __iter__(self) -> Iterator[Tensor]:
        while True:
            yield self.batch()

    def batch(self) -> Tensor:
        """Draw one batch."""
        chosen = self.random.choice(len(self.tracks), self.batch_size, p=self.probability)
        windows = np.stack([self._window(self.tracks[index].columns) for index in chosen])
        return torch.from_numpy(windows)[:, None]

    def _window(self, columns: Columns) -> NDArray[np.float32]:
        start = self.random.integers(0, len(columns) - WINDOW + 1)
        window = columns[start : start + WINDOW].astype(np.float32)
        level = np.float32(self.random.uniform(*self.level_db))
        # Silence stays silence whatever the level.
        return np.where(window <= FLOOR_DB, FLOOR_DB, np.maximum(window + level, FLOOR_DB)).astype(np.float32)


def even_windows(track: Track, n_windows: int) -> Tensor:
    """Return evenly spaced windows of a track ``(window, 1, 128, 513)`` of dB, for evaluation."""
    starts = np.linspace(0, len(track.columns) - WINDOW, n_windows).astype(int)
    windows = np.stack([track.columns[start : start + WINDOW] for start in starts])
    return torch.from_numpy(windows.astype(np.float32))[:, None]
