"""Tracks: the sounds that a model learns from and is measured on."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.errors import AudioError, TrainingError, did_you_mean
from audiobend.networks.spectrogram_vae import WINDOW
from audiobend.spectral.stft import HOP_LENGTH, n_columns
from audiobend.train.cache import BYTES_PER_COLUMN, CacheError, ColumnCache, Index
from audiobend.train.columns import Columns, columns_of, mean_db
from audiobend.train.decode import OpenSounds
from audiobend.train.soundfiles import SAMPLE_RATE, in_text
from audiobend.train.sounds import Sound

Report = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Track:
    """One sound as columns of dB.

    Attributes
    ----------
    name : str
        Its path inside the given folder, without the ending.
    columns : array or Columns
        ``(time, 513)`` dB, 0 dB = its loudest bin. Slices of it are arrays; all of it may be far too much.
    folder : str
        The given folder's name and the folders inside it.
    known_mean_db : sequence of float, optional
        `mean_db`, where it is known.
    """

    name: str
    columns: Columns
    folder: str = ""
    known_mean_db: Sequence[float] | None = None

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.columns) * HOP_LENGTH / SAMPLE_RATE

    @property
    def mean_db(self) -> NDArray[np.float64]:
        """Mean dB of every bin ``(513,)``; of 1024 windows where the track is longer than that."""
        return mean_db(self.columns) if self.known_mean_db is None else np.asarray(self.known_mean_db)


def load_tracks(
    sounds: Sequence[Sound],
    report: Report = lambda _: None,
    *,
    cache: ColumnCache | None = None,
    on_progress: Callable[[float, float], None] = lambda _done, _total: None,
) -> list[Track]:
    """Return the sounds as tracks, in the same order.

    Columns come from the cache, or are made for it, the shortest sounds first, as far as its budget goes; what is
    beyond is read from the sound file window by window. Files that turn out to be damaged are reported and left out.

    Parameters
    ----------
    sounds : sequence of Sound
        As `find_sounds` gives them.
    report : callable
        Takes a sentence for each sound that is left out.
    cache : ColumnCache, optional
        By default the user's cache folder with a budget of 20 GB.
    on_progress : callable
        Takes the seconds of sound done and of all sounds.
    """
    cache = cache or ColumnCache()
    kept = _choose_kept(sounds, cache)
    loader = _Loader(cache, kept, report, sum(sound.seconds for sound in sounds), on_progress)
    tracks = [track for sound in sounds if (track := loader.load(sound))]
    if not tracks:
        raise TrainingError("none of the files could be used; every one is damaged")
    return tracks


def _choose_kept(sounds: Sequence[Sound], cache: ColumnCache) -> set[str]:
    """Return the keys of the sounds whose columns the cache shall hold, and make room for them.

    A short track gives as many windows for its size as several long ones, so the short ones go first.
    """
    kept: set[str] = set()
    total, new, budget = 0, 0, cache.budget()
    for sound in sorted(sounds, key=lambda sound: sound.seconds):
        size = n_columns(round(sound.seconds * SAMPLE_RATE)) * BYTES_PER_COLUMN
        if total + size > budget:
            break
        key = cache.key(sound.path)
        kept.add(key)
        total, new = total + size, new + (0 if cache.holds(key) else size)
    cache.make_room(new, kept)
    return kept


class _Loader:
    """Loads one sound after the other, and counts."""

    def __init__(
        self,
        cache: ColumnCache,
        kept: set[str],
        report: Report,
        total: float,
        on_progress: Callable[[float, float], None],
    ) -> None:
        self.cache, self.kept, self.report, self.files = cache, kept, report, OpenSounds()
        self.total, self.on_progress = total, on_progress
        self.done = self.until = 0.0

    def load(self, sound: Sound) -> Track | None:
        self.until = self.done + sound.seconds
        try:
            columns, index = self._columns(sound)
        except (AudioError, OSError) as error:
            self.report(f"left out {str(error).replace(str(sound.path), in_text(sound.path))}")
            return None
        finally:
            self._advance(sound.seconds)
        return Track(sound.name, columns, sound.folder, index.mean_db)

    def _columns(self, sound: Sound) -> tuple[Columns, Index]:
        keep = self.cache.writable and self.cache.key(sound.path) in self.kept
        try:
            return columns_of(sound.path, self.cache, self.files, keep, self._advance)
        except CacheError as error:
            if not keep:
                raise
            self.report(f"{error}; sounds are read from their files instead, which takes longer")
            return columns_of(sound.path, self.cache, self.files, False, lambda _: None)

    def _advance(self, seconds: float) -> None:
        self.done = min(self.done + seconds, self.until)    # the last column reaches beyond the sound
        self.on_progress(self.done, self.total)


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
