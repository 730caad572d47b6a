"""The folder of a compact copy: whether it may be written, what its files are called, which texts go along."""

import hashlib
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path, PurePath

from audiobend.errors import TrainingError
from audiobend.io.files import MARK
from audiobend.train.soundfiles import in_text
from audiobend.train.sounds import Sound

MANIFEST = "MANIFEST.json"
TEXT_LIMIT = 1_000_000
"""Bytes; a longer text is no licence and no small table."""
_TEXT_NAMES = ("attribution", "license", "licence", "readme", "copying", "notice", "credits")
_TEXT_ENDINGS = {"", ".txt", ".md", ".rst", ".csv", ".html"}


def check_places(folder: Path, out: Path) -> None:
    """Raise `TrainingError` where the folder is missing, or ``out`` lies inside it or holds files of somebody else."""
    if not folder.is_dir():
        raise TrainingError(f"{in_text(folder)}: there is no such folder; give one that holds sound files")
    inside, outside = out.resolve(), folder.resolve()
    if inside.is_relative_to(outside) or outside.is_relative_to(inside):
        raise TrainingError(f"{in_text(out)}: the copy must lie outside the folder that it is made of")
    _check_ours(out)


def _check_ours(out: Path) -> None:
    """Let ``out`` be absent, empty, or exactly what an earlier `pack` wrote."""
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir():
        raise TrainingError(f"{in_text(out)}: is a file, not a folder; choose another name for the copy")
    there = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if not path.is_dir()}
    listed = _listed(there.pop(MANIFEST)) if MANIFEST in there else {}
    for name, path in there.items():
        if listed.get(name) != sha256(path):
            raise TrainingError(
                f"{in_text(out)}: holds {in_text(PurePath(name))}, which no earlier copy put there; "
                "choose another folder for the copy"
            )


def _listed(manifest: Path) -> dict[str, str]:
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        ours = {sound["file"]: sound["sha256"] for sound in content["sounds"]} | content["texts"]
        return ours if content["made"] == MARK else {}
    except (OSError, ValueError, TypeError, KeyError):
        raise TrainingError(f"{in_text(manifest)}: was not {MARK}; choose another folder for the copy") from None


def settle(temporary: Path, out: Path) -> None:
    """Give the finished copy its name; an earlier one goes when the new one is in its place."""
    out = out.resolve()
    _check_ours(out)
    earlier = temporary.with_name(f"{temporary.name}-earlier")
    if out.exists():
        out.rename(earlier)
    try:
        temporary.rename(out)
    except OSError:
        with suppress(OSError):
            earlier.rename(out)
        raise
    shutil.rmtree(earlier, ignore_errors=True)


def names_in_copy(folder: Path, sounds: list[Sound], ending: str) -> list[str]:
    """Return the paths inside the copy: the original ones with another ending, and with both where two would meet."""
    names: list[str] = []
    for sound in sounds:
        inside = PurePath(in_text(sound.path.relative_to(folder)))
        choices = [inside.with_suffix(ending), inside.with_name(inside.name + ending)]
        choices += [inside.with_name(f"{inside.stem} {n}{ending}") for n in range(2, len(sounds) + 2)]
        names.append(next(choice.as_posix() for choice in choices if choice.as_posix() not in names))
    return names


def copy_texts(folder: Path, target: Path) -> dict[str, str]:
    """Copy licences, attributions and small tables; return their checksums."""
    texts = {}
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(parent, name)
            if _is_text(path, folder) and path.is_file() and path.stat().st_size <= TEXT_LIMIT:
                inside = in_text(path.relative_to(folder))
                (target / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / inside)
                texts[PurePath(inside).as_posix()] = sha256(target / inside)
    return texts


def _is_text(path: Path, folder: Path) -> bool:
    ending, inside = path.suffix.lower(), path.relative_to(folder)
    if ending not in _TEXT_ENDINGS or path.name == MANIFEST:
        return False
    return ending == ".csv" or any(part.lower().startswith(_TEXT_NAMES) for part in inside.parts)


def sha256(path: Path) -> str:
    """Return the checksum of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
