"""Spectrogram columns on disk, made once for each sound file and made anew when the file changes.

Beside the columns (``.npy``, float16, 0 dB = the loudest bin) lies an index (``.json``): length, level, mean
spectrum. Of sounds whose columns do not fit into the budget only the index is kept.
"""

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from audiobend.errors import AudiobendError, TrainingError
from audiobend.io.files import write_atomically
from audiobend.networks.spectrogram_vae import N_BINS

VERSION = 1
"""Belongs to how columns are made; another number makes all of them anew."""
FOLDER_VARIABLE = "AUDIOBEND_CACHE"
BYTES_PER_COLUMN = 2 * N_BINS
PROBES, PROBE = 16, 4096

CacheColumns = NDArray[np.float16]


class CacheError(AudiobendError):
    """The cache folder cannot be written; sounds are read from their files instead."""


@dataclass(frozen=True)
class Index:
    """What is kept of every sound.

    Attributes
    ----------
    n_columns : int
    reference : float
        Magnitude of its loudest bin.
    mean_db : tuple of float
        Mean dB of every bin, 0 dB = its loudest bin.
    probe : int
        Checksum of some pieces of the columns; 0 where they were not kept.
    """

    n_columns: int
    reference: float
    mean_db: tuple[float, ...]
    probe: int = 0


class ColumnCache:
    """A folder of columns.

    Parameters
    ----------
    folder : Path, optional
        By default ``$AUDIOBEND_CACHE``, or the place where the system keeps such things.
    gb : float >= 0
        Budget in GB (10^9 bytes); never more than half of what is free on that disk is used.
    """

    def __init__(self, folder: Path | None = None, gb: float = 20.0) -> None:
        if not gb >= 0:
            raise TrainingError(f"cache_gb must be 0 or more GB, got {gb:g}")
        chosen = os.environ.get(FOLDER_VARIABLE) or platformdirs.user_cache_dir("audiobend", appauthor=False)
        self.folder = folder or Path(chosen) / "columns"
        self.gb = gb
        self.writable = True
        """False after a write failed; then nothing more is tried."""

    def budget(self) -> int:
        """Return how many bytes the folder may take up."""
        mine = sum(size for _, size, _ in self._files())
        existing = next(parent for parent in (self.folder, *self.folder.parents) if parent.exists())
        return int(min(self.gb * 1e9, (shutil.disk_usage(existing).free + mine) / 2))

    @staticmethod
    def key(path: Path) -> str:
        """Return what a sound file's columns are called: it changes when the file is moved or written anew."""
        path = path.resolve()
        status = path.stat()
        text = b"\0".join([os.fsencode(path), f"{status.st_size} {status.st_mtime_ns} {VERSION}".encode()])
        return hashlib.sha256(text).hexdigest()[:32]

    def index(self, key: str) -> Index | None:
        """Return what is known of a sound, or None where nothing (or nonsense) is there."""
        try:
            facts = json.loads(self._path(key, ".json").read_text(encoding="utf-8"))
            index = Index(**facts | {"mean_db": tuple(map(float, facts["mean_db"]))})
            return index if len(index.mean_db) == N_BINS and index.n_columns > 0 and index.reference > 0 else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def columns(self, key: str, index: Index) -> CacheColumns | None:
        """Return the columns ``(time, 513)``, mapped from the disk, or None where they are missing or damaged."""
        try:
            columns = self.mapped(key)
        except (OSError, ValueError, EOFError):
            return None
        if columns.shape != (index.n_columns, N_BINS) or columns.dtype != np.float16 or probe(columns) != index.probe:
            return None
        with suppress(OSError):
            os.utime(self._path(key, ".npy"))    # the ones used last are kept longest
        return columns

    def holds(self, key: str) -> bool:
        """Return whether there is a file of columns, whatever its state."""
        return self._path(key, ".npy").exists()

    def mapped(self, key: str) -> CacheColumns:
        """Return the columns as they lie on the disk."""
        return np.asarray(np.load(self._path(key, ".npy"), mmap_mode="r", allow_pickle=False))

    def write_columns(self, key: str, fill: Callable[[Path], None]) -> None:
        """Let ``fill`` write the columns to a temporary file, which then gets its place."""
        self._write(key, ".npy", fill)

    def write_index(self, key: str, index: Index) -> None:
        """Keep what is known of a sound."""
        self._write(key, ".json", lambda path: _write_text(path, json.dumps(asdict(index))))

    def make_room(self, wanted: int, keep: Iterable[str] = ()) -> None:
        """Remove the files used longest ago, until ``wanted`` bytes more fit into the budget."""
        kept = set(keep)
        files = sorted(self._files())
        total, budget = sum(size for _, size, _ in files), self.budget()
        for _, size, path in files:
            if total + wanted <= budget:
                return
            if path.stem not in kept:
                with suppress(OSError):    # another program may be reading it, or have removed it
                    path.unlink()
                    total -= size

    def _write(self, key: str, ending: str, fill: Callable[[Path], None]) -> None:
        if not self.writable:
            raise CacheError(f"{self.folder}: the cache cannot be written")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with write_atomically(self._path(key, ending), error=CacheError) as temporary:
                fill(temporary)
        except (OSError, CacheError) as error:
            self.writable = False
            raise CacheError(str(error)) from None

    def _path(self, key: str, ending: str) -> Path:
        return self.folder / f"{key}{ending}"

    def _files(self) -> list[tuple[float, int, Path]]:
        """Return time of last use, size and path of all columns here, half-written ones too; an index is nothing."""
        files = []
        for path in self.folder.glob("*") if self.folder.is_dir() else ():
            with suppress(OSError):
                status = path.stat()
                if path.suffix == ".npy":
                    files.append((status.st_mtime, status.st_size, path))
        return files


def probe(columns: CacheColumns) -> int:
    """Return a checksum of evenly spaced pieces: a disk that lost whole stretches shows, and it costs no time.

    Never 0.
    """
    flat = columns.reshape(-1)
    starts = np.linspace(0, max(0, flat.size - PROBE), PROBES).astype(int)
    checksum = 0
    for start in starts:
        checksum = zlib.crc32(np.ascontiguousarray(flat[start : start + PROBE]).tobytes(), checksum)
    return checksum or 1


def _write_text(path: Path, text: str) -> Any:
    path.write_text(text, encoding="utf-8")
