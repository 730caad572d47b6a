"""Which sound files lie under folders, each once, and which of them are copies."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile as sf

from audiobend.errors import TrainingError
from audiobend.io.files import reason
from audiobend.train.soundfiles import in_text

# The endings that libsndfile's names of formats stand for, where they are not the name itself.
_ENDINGS = {
    "AIFF": ("aif", "aiff", "aifc"), "AU": ("au", "snd"), "SVX": ("iff", "svx", "8svx"), "MAT4": ("mat",),
    "MAT5": ("mat",), "MPC2K": ("snd",), "OGG": ("ogg", "oga", "opus"), "IRCAM": ("sf",), "NIST": ("nist", "sph"),
    "WAVEX": ("wav",), "RAW": (),    # raw samples do not say their rate
}


@dataclass(frozen=True)
class Skipped:
    """A file, or a folder, that cannot be used, and why."""

    path: Path
    reason: str


def endings() -> frozenset[str]:
    """Return the endings of file names that may be sound, as the installed libsndfile has them.

    >>> {".wav", ".flac", ".ogg", ".mp3"} <= endings(), ".mp4" in endings()
    (True, False)
    """
    return frozenset(f".{end}" for kind in sf.available_formats() for end in _ENDINGS.get(kind, (kind.lower(),)))


def sound_files(folders: Sequence[Path]) -> list[Path]:
    """Return everything under the folders whose name says that it is sound; a file may be named directly."""
    return [path for _, path in found_under(folders, [])]


def found_under(folders: Sequence[Path], skipped: list[Skipped]) -> list[tuple[Path, Path]]:
    """Return each file once, with the given folder under which it was found first."""
    known = endings()
    seen: set[tuple[int, int] | None] = set()
    found = []
    for folder in folders:
        if not folder.exists():
            raise TrainingError(f"{in_text(folder)}: there is no such folder; give one that holds sound files")
        for path in [folder] if not folder.is_dir() else _walk(folder, seen, skipped):
            if path.suffix.lower() not in known:
                continue
            identity = _identity(path)
            if identity is None or identity not in seen:
                found.append((folder, path))
            seen.add(identity)
    if not found:
        names = ", ".join(in_text(folder) for folder in folders)
        raise TrainingError(f"{names}: no sound files here; wav, flac, ogg, mp3, aiff and others are read")
    return sorted(found, key=lambda pair: pair[1])


def _walk(folder: Path, seen: set[tuple[int, int] | None], skipped: list[Skipped]) -> Iterator[Path]:
    def cannot_enter(error: OSError) -> None:
        skipped.append(Skipped(Path(error.filename), f"this folder cannot be read: {reason(error)}"))

    for parent, folders, files in os.walk(folder, onerror=cannot_enter, followlinks=True):
        identity = _identity(Path(parent))
        if identity in seen:    # a link that leads back, or a folder that was given twice
            folders.clear()
            continue
        seen.add(identity)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def copies_among(paths: list[Path]) -> dict[Path, Path]:
    """Return which files hold, byte for byte, what an earlier one holds."""
    sizes = {path: path.stat().st_size for path in paths if path.is_file()}
    shared = Counter(sizes.values())
    first: dict[bytes, Path] = {}
    copies = {}
    for path, size in sizes.items():
        if shared[size] > 1 and size:
            try:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").digest()
            except OSError:
                continue    # `look_at` says why
            if first.setdefault(digest, path) != path:
                copies[path] = first[digest]
    return copies
