"""Films as files: mp4 with the track, gif, or a folder of png. Whole or not at all, and never in a stranger's place."""

import json
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from audiobend.errors import PictureError
from audiobend.films.containers import Gif, Mp4
from audiobend.io.files import bears_our_mark, reason, write_atomically
from audiobend.io.imagefile import write_png
from audiobend.picture_files import Pixels, check_outputs

KINDS = (".mp4", ".gif", "")
FACTS = "film.json"
_FRAME = "frame[0-9]*.png"

Add = Callable[[Pixels], None]
"""Takes one frame after the other."""


def check_film_target(path: Path, overwrite: bool) -> None:
    """Raise `PictureError` where a film cannot be written, or is somebody else's."""
    if path.suffix.lower() not in KINDS:
        raise PictureError(f"{path}: a film's name must end in .mp4 or .gif, or be that of a folder for png files")
    if path.suffix:
        check_outputs([path], overwrite)
    elif path.is_file():
        raise PictureError(f"{path}: is a file; for a folder of png files give another name, or end it in .mp4 or .gif")
    elif path.is_dir() and any(path.iterdir()) and not _is_our_folder(path):
        raise PictureError(f"{path}: holds files that are no film of audiobend's; choose a folder that is new or empty")
    if not path.absolute().parent.is_dir():
        raise PictureError(f"{path}: the folder {path.parent} does not exist")


@contextmanager
def film_file(path: Path, rate: Fraction, facts: Mapping[str, Any], audio: Path | None = None) -> Iterator[Add]:
    """Give what takes a film's frames; the file, or folder, appears at the end, or never.

    Parameters
    ----------
    path : Path
        Ending in .mp4 or .gif, or without an ending for a folder of png.
    rate : Fraction
        Frames in a second.
    facts : mapping
        How the film was made; plain data.
    audio : Path, optional
        The track that is heard; of an mp4 only.
    """
    if not path.suffix:
        with _folder(path, facts) as add:
            yield add
        return
    inputs = [] if audio is None else [audio]
    with write_atomically(path, inputs=inputs, error=PictureError) as temporary:
        kind = path.suffix.lower()
        film = Gif(temporary, rate) if kind == ".gif" else Mp4(temporary, rate, json.dumps(facts), audio)
        try:
            yield film.add
            film.finish()
        finally:
            film.close()


@contextmanager
def _folder(path: Path, facts: Mapping[str, Any]) -> Iterator[Add]:
    temporary = path.absolute().with_name(f".audiobend-{secrets.token_hex(6)}")
    count = 0

    def add(pixels: Pixels) -> None:
        nonlocal count
        write_png(temporary / f"frame{count:06d}.png", pixels, {"version": 1, "frame": count})
        count += 1

    try:
        temporary.mkdir()
        yield add
        document = {"about": "written by audiobend", "frames": count, **facts}
        (temporary / FACTS).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        _clear(path)
        temporary.replace(path)
    except OSError as error:
        raise PictureError(f"{path}: cannot be written: {reason(error)}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _is_our_folder(path: Path) -> bool:
    frames = set(path.glob(_FRAME))
    return bears_our_mark(path / FACTS) and {one for one in path.iterdir() if one.name != FACTS} <= frames


def _clear(path: Path) -> None:
    """Take an older film of ours away; nothing else is touched."""
    if not path.exists():
        return
    if _is_our_folder(path):
        for one in (*path.glob(_FRAME), path / FACTS):
            with suppress(FileNotFoundError):
                one.unlink()
    path.rmdir()    # fails where a stranger's file came meanwhile
