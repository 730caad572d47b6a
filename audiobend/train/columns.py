"""The columns of one sound: from the cache, made for the cache, or read from the sound file where they are wanted."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from audiobend.errors import AudioError, TrainingError
from audiobend.networks.spectrogram_vae import N_BINS, WINDOW
from audiobend.spectral.codec import FLOOR_DB
from audiobend.spectral.stft import HOP_LENGTH
from audiobend.train.cache import CacheError, ColumnCache, Index, probe
from audiobend.train.decode import OpenSounds, magnitude_blocks
from audiobend.train.soundfiles import SAMPLE_RATE, in_text

Advance = Callable[[float], None]
CacheColumns = NDArray[np.float16]

MEAN_WINDOWS = 1024
"""The mean spectrum of a sound longer than this many windows (12 minutes) is that of so many, evenly spaced."""
_PIECE = 4096


class Columns(Protocol):
    """Columns of dB ``(time, 513)``, 0 dB = the loudest bin of the track; a numpy array is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: Any, /) -> NDArray[Any]:
        """Return a slice ``(time, 513)`` as an array."""
        ...


class StreamedColumns:
    """Columns that are read from the sound file whenever a slice of them is wanted.

    They are those of the cache: bit for bit where the file has 44.1 kHz, and to within 0.1 dB (one step of float16)
    where it has to be resampled.
    """

    def __init__(self, path: Path, index: Index, files: OpenSounds) -> None:
        self.path, self.index, self.files = path, index, files

    def __len__(self) -> int:
        return self.index.n_columns

    def __getitem__(self, part: slice) -> CacheColumns:
        start, stop, step = part.indices(len(self))
        if step != 1:
            raise IndexError(f"columns are read in their order, step 1, got {step}")
        pieces = [self._piece(begin, min(begin + _PIECE, stop)) for begin in range(start, stop, _PIECE)]
        return np.concatenate([np.zeros((0, N_BINS), np.float16), *pieces])

    def _piece(self, start: int, stop: int) -> CacheColumns:
        try:
            magnitude = self.files.piece(self.path, start, stop - start)
        except AudioError as error:
            raise TrainingError(str(error)) from None
        return _levelled(_absolute(magnitude), self.index.reference)


def columns_of(
    path: Path, cache: ColumnCache, files: OpenSounds, keep: bool, advance: Advance
) -> tuple[Columns, Index]:
    """Return the columns of a sound, and its index with the mean spectrum.

    Parameters
    ----------
    path : Path
    cache : ColumnCache
    files : OpenSounds
        Where sounds that are not kept are read from.
    keep : bool
        Whether to keep the columns in the cache, or the index alone.
    advance : callable
        Takes the seconds of sound that were done since it was called last.

    Raises
    ------
    AudioError
        Where the file turns out to be damaged.
    CacheError
        Where columns are to be kept but the disk refuses; call again without ``keep``.
    """
    key = cache.key(path)
    index = cache.index(key)
    cached = cache.columns(key, index) if index and keep else None
    if index and (cached is not None or not keep):
        advance(index.n_columns * HOP_LENGTH / SAMPLE_RATE)
        return StreamedColumns(path, index, files) if cached is None else cached, index
    return _kept(path, key, cache, advance) if keep else _not_kept(path, key, cache, files, advance)


def _kept(path: Path, key: str, cache: ColumnCache, advance: Advance) -> tuple[Columns, Index]:
    levels: list[float] = []

    def fill(target: Path) -> None:
        with target.open("w+b") as file:
            n, reference = _measure(path, advance, file)
        levels.append(reference)
        columns = np.load(target, mmap_mode="r+")
        for begin in range(0, n, _PIECE):
            columns[begin : begin + _PIECE] = _levelled(columns[begin : begin + _PIECE], reference)
        columns.flush()

    cache.write_columns(key, fill)
    columns = cache.mapped(key)
    index = Index(len(columns), levels[0], _mean(columns), probe(columns))
    cache.write_index(key, index)
    return columns, index


def _not_kept(
    path: Path, key: str, cache: ColumnCache, files: OpenSounds, advance: Advance
) -> tuple[Columns, Index]:
    n, reference = _measure(path, advance, None)
    without_mean = StreamedColumns(path, Index(n, reference, ()), files)
    index = Index(n, reference, _mean(without_mean))
    with suppress(CacheError):    # it only saves time, the next time
        cache.write_index(key, index)
    return StreamedColumns(path, index, files), index


def _measure(path: Path, advance: Advance, file: BinaryIO | None) -> tuple[int, float]:
    """Return the number of columns and the loudest magnitude; write absolute dB, because that is known at the end."""
    n, loudest = 0, 0.0
    if file:
        _write_head(file, n)
    for magnitude in magnitude_blocks(path):
        if len(magnitude):
            n, loudest = n + len(magnitude), max(loudest, float(magnitude.max()))
        if file:
            file.write(_absolute(magnitude).tobytes())
        advance(len(magnitude) * HOP_LENGTH / SAMPLE_RATE)
    if n < WINDOW or loudest <= 0:
        raise AudioError(f"{in_text(path)}: is damaged: only {n * HOP_LENGTH / SAMPLE_RATE:.2f} s of it can be read")
    if file:
        _write_head(file, n)
    return n, loudest


def _write_head(file: BinaryIO, n: int) -> None:
    """Write numpy's head at the beginning; it leaves room for a longer number, so it can be written again."""
    file.seek(0)
    head = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float16)), "fortran_order": False, "shape": (n, N_BINS)}
    np.lib.format.write_array_header_1_0(file, head)


def _absolute(magnitude: Tensor) -> CacheColumns:
    db = magnitude.clamp(min=1e-10).log10().mul(20)
    return db.numpy().astype(np.float16)


def _levelled(absolute: CacheColumns, reference: float) -> CacheColumns:
    """Return dB re the loudest bin, floored, of absolute dB; rounded in the same places with and without the cache."""
    relative = absolute.astype(np.float32) - np.float32(20 * np.log10(reference))
    floored: CacheColumns = np.clip(relative, FLOOR_DB, 0.0).astype(np.float16)
    return floored


def _mean(columns: Columns) -> tuple[float, ...]:
    return tuple(round(float(mean), 4) for mean in mean_db(columns))


def mean_db(columns: Columns) -> NDArray[np.float64]:
    """Return the mean dB of every bin ``(513,)``, of 1024 windows where there are more."""
    n = len(columns)
    long = n > MEAN_WINDOWS * WINDOW
    starts = np.linspace(0, n - WINDOW, MEAN_WINDOWS).astype(int) if long else np.arange(0, n, WINDOW)
    total, count = np.zeros(columns[:1].shape[1]), 0
    for start in starts:
        window = columns[start : start + WINDOW]
        total += window.sum(axis=0, dtype=np.float64)
        count += len(window)
    return total / count
