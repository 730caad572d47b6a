"""Which sound files lie in folders, which of them can be trained on, and why the others cannot."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import soundfile as sf

from audiobend.errors import AudiobendError, TrainingError
from audiobend.io.audiofile import RATES
from audiobend.io.files import check_readable, reason
from audiobend.networks.spectrogram_vae import WINDOW
from audiobend.spectral.stft import HOP_LENGTH, n_columns

SAMPLE_RATE = 44100
SHORTEST = (WINDOW - 1) * HOP_LENGTH / SAMPLE_RATE
"""Seconds of sound that one window takes."""
SILENCE = 1e-4
"""A file without one sample above this (-80 dB of full scale) is silent."""

# The endings that libsndfile's names of formats stand for, where they are not the name itself.
_ENDINGS = {
    "AIFF": ("aif", "aiff", "aifc"), "AU": ("au", "snd"), "SVX": ("iff", "svx", "8svx"), "MAT4": ("mat",),
    "MAT5": ("mat",), "MPC2K": ("snd",), "OGG": ("ogg", "oga", "opus"), "IRCAM": ("sf",), "NIST": ("nist", "sph"),
    "WAVEX": ("wav",), "RAW": (),    # raw samples do not say their rate
}
_UNREADABLE = (sf.SoundFileError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True)
class Sound:
    """A sound file that can be trained on.

    Attributes
    ----------
    path : Path
    name : str
        Its path inside the folder that was given, without the ending; different from every other sound's.
    folder : str
        The given folder's name and the folders inside it, such as ``"my_music/drums"``.
    frames : int > 0
        Samples per channel.
    sample_rate : int, Hz
    channels : int > 0
    """

    path: Path
    name: str
    folder: str
    frames: int
    sample_rate: int
    channels: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


@dataclass(frozen=True)
class Skipped:
    """A file, or a folder, that cannot be used, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Scan:
    """What lies in the folders, sorted by name."""

    sounds: list[Sound]
    skipped: list[Skipped]

    @property
    def hours(self) -> float:
        """Length of all usable sounds."""
        return sum(sound.seconds for sound in self.sounds) / 3600


def endings() -> frozenset[str]:
    """Return the endings of file names that may be sound, as the installed libsndfile has them.

    >>> {".wav", ".flac", ".ogg", ".mp3"} <= endings(), ".mp4" in endings()
    (True, False)
    """
    return frozenset(f".{end}" for kind in sf.available_formats() for end in _ENDINGS.get(kind, (kind.lower(),)))


def sound_files(folders: Sequence[Path]) -> list[Path]:
    """Return everything under the folders whose name says that it is sound; a file may be named directly."""
    return [path for _, path in _found(folders, [])]


def find_sounds(folders: Sequence[Path], report: Callable[[str], None] = lambda _: None) -> list[Sound]:
    """Return the usable sounds under the folders; report the others; `TrainingError` where none is left."""
    found = scan(folders)
    for skipped in found.skipped:
        report(f"left out {in_text(skipped.path)}: {skipped.reason}")
    if not found.sounds:
        raise TrainingError(f"none of the files could be used; each needs at least {SHORTEST:.2f} s of sound")
    return found.sounds


def scan(folders: Sequence[Path], on_progress: Callable[[int, int], None] = lambda _done, _total: None) -> Scan:
    """Look at every sound file under the folders.

    Only heads, beginnings and ends are read (and whole files where two have the same size, to find copies), so a
    file that is damaged in its middle is found later, by `load_tracks`.

    Parameters
    ----------
    folders : paths
        Links to folders are followed, circles among them are not; names that begin with a dot are passed over.
    on_progress : callable
        Takes the number of files that were looked at and of all files.
    """
    skipped: list[Skipped] = []
    found = _found(folders, skipped)
    copies = _copies([path for _, path in found])
    usable: list[tuple[Path, Path, _Head]] = []
    for index, (root, path) in enumerate(found):
        try:
            if path in copies:
                raise _UnusableError(f"holds the same as {in_text(copies[path])}")
            usable.append((root, path, _look(path)))
        except _UnusableError as problem:
            skipped.append(Skipped(path, str(problem)))
        on_progress(index + 1, len(found))
    names = _names([(root, path) for root, path, _ in usable])
    sounds = [
        Sound(path, name, _folder(root, path), *head)
        for name, (root, path, head) in zip(names, usable, strict=True)
    ]
    return Scan(sorted(sounds, key=lambda sound: sound.name), sorted(skipped, key=lambda one: str(one.path)))


def open_sound(path: Path) -> sf.SoundFile:
    """Open a sound file, also where its name is no text."""
    return sf.SoundFile(path if os.name == "nt" else os.fsencode(path))


def in_text(path: PurePath) -> str:
    """Return a path as text that any file can hold: file systems have names that are neither text nor one line."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


class _UnusableError(Exception):
    pass


_Head = tuple[int, int, int]


def _found(folders: Sequence[Path], skipped: list[Skipped]) -> list[tuple[Path, Path]]:
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


def _copies(paths: list[Path]) -> dict[Path, Path]:
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
                continue    # `_look` says why
            if first.setdefault(digest, path) != path:
                copies[path] = first[digest]
    return copies


def _look(path: Path) -> _Head:
    """Return frames, rate and channels of a usable file; `_UnusableError` says why one is not."""
    try:
        check_readable(path)
        with open_sound(path) as file:
            head = (file.frames, file.samplerate, file.channels)
            _check_head(*head)
            _check_sound(file)
    except AudiobendError as error:
        raise _UnusableError(str(error).removeprefix(f"{path}: ")) from None
    except _UNREADABLE as error:
        raise _UnusableError(f"cannot be read: {getattr(error, 'error_string', error)}") from None
    return head


def _check_head(frames: int, sample_rate: int, _channels: int) -> None:
    if sample_rate not in RATES:
        raise _UnusableError(f"the sample rate must be in {RATES[0]}..{RATES[-1]} Hz, the file says {sample_rate}")
    if n_columns(round(frames * SAMPLE_RATE / sample_rate)) < WINDOW:
        raise _UnusableError(f"shorter than {SHORTEST:.2f} s: it lasts {frames / sample_rate:.3g} s")


def _check_sound(file: sf.SoundFile) -> None:
    """Read until something sounds, then the last samples, where files that were cut off fail."""
    for block in file.blocks(1 << 16, dtype="float32"):
        if np.nan_to_num(np.abs(block), posinf=0.0).max(initial=0.0) > SILENCE:
            break
    else:
        raise _UnusableError("silent: nothing in it is louder than -80 dB")
    try:
        file.seek(file.frames - 1)
        complete = len(file.read(1)) == 1
    except _UNREADABLE:
        complete = False
    if not complete:
        raise _UnusableError(f"damaged or cut off: its head promises {file.frames / file.samplerate:.1f} s")


def _names(found: list[tuple[Path, Path]]) -> list[str]:
    """Return names that are all different: the shortest that tell, so that few change when folders come."""
    short = [in_text(_inside(root, path).with_suffix("")) for root, path in found]
    long = [f"{_folder(root, path)}/{in_text(PurePath(path.name))}" for root, path in found]
    times, taken = Counter(short), Counter[str]()
    names = []
    for brief, full in zip(short, long, strict=True):
        name = brief if times[brief] == 1 else full
        taken[name] += 1
        names.append(name if taken[name] == 1 else f"{name} ({taken[name]})")
    return names


def _inside(root: Path, path: Path) -> PurePath:
    return PurePath(path.name) if path == root else path.relative_to(root)


def _folder(root: Path, path: Path) -> str:
    top = root.resolve() if root.is_dir() else root.resolve().parent
    parent = _inside(root, path).parent
    return in_text(PurePath(top.name or "/", parent)).replace(os.sep, "/")
