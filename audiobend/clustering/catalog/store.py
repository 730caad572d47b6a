"""A catalog's folder: its sounds, what was measured so far, and whether that is still true."""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from filelock import FileLock, Timeout
from torch import Tensor

from audiobend.clustering.catalog.entries import Entry
from audiobend.clustering.catalog.measuring import Measured
from audiobend.clustering.catalog.workshop import Made
from audiobend.errors import AudioError
from audiobend.io.files import MARK, bears_our_mark, reason, write_atomically

PAGE, DOCUMENT, TABLE, PATCH = "index.html", "catalog.json", "catalog.csv", "most_different.yaml"
SOUNDS, PARTS = "sounds", ".parts"
_SIGN, _LOCK = ".audiobend-catalog", ".lock"
REFERENCES = ("input", "unbent")


@dataclass(frozen=True)
class Part:
    """What is known of one entry; ``error`` says why there is no more."""

    measured: Measured | None
    picture: str = ""
    error: str = ""


class Store:
    """Reads and writes one catalog's folder; the sounds of `REFERENCES` lie in it under their own names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the folder ours while entries are written to it.

        Raises
        ------
        AudioError
            If it holds anything else, cannot be written to, or is being written to.
        """
        self.check()
        try:
            for folder in (self.folder / SOUNDS, self.folder / PARTS):
                folder.mkdir(parents=True, exist_ok=True)
            (self.folder / _SIGN).write_text(f"A catalog, {MARK}.\n", encoding="utf-8")
            lock = FileLock(self.folder / _LOCK, timeout=0)
            lock.acquire()
        except Timeout:
            raise AudioError(f"{self.folder}: another catalog is just being made here; wait for it") from None
        except OSError as error:
            raise AudioError(f"{self.folder}: cannot be written: {reason(error)}") from None
        try:
            for part in (SOUNDS, PARTS):    # what a process that was ended left half-written
                for leftover in (self.folder / part).glob(".audiobend-*"):
                    leftover.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def check(self) -> None:
        """Refuse a folder that holds anything but a catalog."""
        if self.folder.exists() and not self.folder.is_dir():
            raise AudioError(f"{self.folder}: is a file, not a folder; give --out a folder")
        try:
            strange = self.folder.is_dir() and any(self.folder.iterdir()) and not bears_our_mark(self.folder / _SIGN)
        except OSError as error:
            raise AudioError(f"{self.folder}: cannot be read: {reason(error)}") from None
        if strange:
            raise AudioError(f"{self.folder}: holds something else than a catalog; choose an empty or a new folder")

    def sound(self, name: str) -> Path:
        """Return where a sound lies."""
        return self.folder / SOUNDS / f"{name}.mp3"

    def keep(self, entry: Entry, key: str, made: Made, sample_rate: int) -> None:
        """Write an entry's sound, then what was measured: an entry cut off in between counts as not made."""
        self.write_sound(entry.id, made.waveform, sample_rate)
        document = {
            "key": key,
            "change_db": made.measured.change_db,
            "changes": made.measured.changes,
            "grid": base64.b64encode(made.measured.grid.tobytes()).decode("ascii"),
            "shape": made.measured.grid.shape,
            "picture": made.picture,
        }
        self.write(Path(PARTS) / f"{entry.id}.json", json.dumps(document))

    def find(self, entry: Entry, key: str) -> Part | None:
        """Return what an earlier run found for this entry, if the key is still the same."""
        try:
            found = json.loads((self.folder / PARTS / f"{entry.id}.json").read_text(encoding="utf-8"))
            if found["key"] != key or not self.sound(entry.id).is_file():
                return None
            grid = np.frombuffer(base64.b64decode(found["grid"]), dtype=np.int8).reshape(found["shape"])
            return Part(Measured(float(found["change_db"]), dict(found["changes"]), grid), str(found["picture"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_sound(self, name: str, waveform: Tensor, sample_rate: int) -> None:
        """Write samples ``(channel, time)`` as MP3, which every browser plays."""
        samples = waveform.T.clamp(-1, 1).numpy()
        with write_atomically(self.sound(name), error=AudioError) as temporary:
            try:
                sf.write(
                    temporary, samples, sample_rate, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.6,
                    bitrate_mode="VARIABLE",
                )
            except (sf.SoundFileError, RuntimeError) as error:
                raise AudioError(f"{self.sound(name)}: cannot be written: {error}") from None

    def write(self, name: str | Path, text: str) -> None:
        """Write a text, whole or not at all."""
        with write_atomically(self.folder / name, error=AudioError) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")

    def forget_results(self) -> None:
        """Take away the page and the tables: what they list is about to change."""
        for name in (PAGE, DOCUMENT, TABLE, PATCH):
            (self.folder / name).unlink(missing_ok=True)

    def sweep(self, entries: Iterable[Entry]) -> None:
        """Take away sounds of earlier runs that are no longer listed; nothing that a catalog did not write."""
        kept = {entry.id for entry in entries}
        for part in (self.folder / PARTS).glob("*.json"):
            if part.stem not in kept:
                self.sound(part.stem).unlink(missing_ok=True)
                part.unlink(missing_ok=True)

