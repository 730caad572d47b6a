"""Which sound files lie in folders, which of them can be trained on, and why the others cannot."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from audiobend.errors import TrainingError
from audiobend.train.searching import Skipped, copies_among, found_under
from audiobend.train.soundfiles import SHORTEST, Head, UnusableError, in_text, look_at


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
class Scan:
    """What lies in the folders, sorted by name."""

    sounds: list[Sound]
    skipped: list[Skipped]

    @property
    def hours(self) -> float:
        """Length of all usable sounds."""
        return sum(sound.seconds for sound in self.sounds) / 3600


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
    found = found_under(folders, skipped)
    copies = copies_among([path for _, path in found])
    usable: list[tuple[Path, Path, Head]] = []
    for index, (root, path) in enumerate(found):
        try:
            if path in copies:
                raise UnusableError(f"holds the same as {in_text(copies[path])}")
            usable.append((root, path, look_at(path)))
        except UnusableError as problem:
            skipped.append(Skipped(path, str(problem)))
        on_progress(index + 1, len(found))
    names = _names([(root, path) for root, path, _ in usable])
    sounds = [
        Sound(path, name, _folder(root, path), *head)
        for name, (root, path, head) in zip(names, usable, strict=True)
    ]
    return Scan(sorted(sounds, key=lambda sound: sound.name), sorted(skipped, key=lambda one: str(one.path)))


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
