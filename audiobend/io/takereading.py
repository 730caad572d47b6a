"""Takes read from their files (see `audiobend.io.takefile`), which anybody may have written."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from audiobend.bending.values import shown
from audiobend.errors import AudiobendError, TakeError
from audiobend.io.files import PathLike, check_readable, reason
from audiobend.io.patchfile import parse_patch
from audiobend.io.takefile import VERSION, Began, Gesture, Line, Mark, SceneIs, Skipped, Take, TakeHead, Track
from audiobend.spectral.live_settings import LiveSettings

MAX_BYTES = 2**28
MAX_LINE = 2**21
MAX_ARGUMENTS = 8
MAX_TEXT = 1024
LAST_SAMPLE = 2**53


def load_take(path: PathLike) -> Take:
    """Read a take; `TakeError` with the file's name, the line and what would be right."""
    path = check_readable(path, TakeError)
    head: TakeHead | None = None
    lines: list[Line] = []
    last = -LAST_SAMPLE
    for number, text in _lines(path):
        where = f"{path}: line {number}"
        if head is None:
            head = _told(where, partial(_head, text))
            continue
        line = _told(where, partial(_line, text))
        if not isinstance(line, SceneIs | Mark):
            if line.sample < last:
                raise TakeError(f"{where}: samples must not go back, from {last} to {line.sample}")
            last = line.sample
        lines.append(line)
    if head is None:
        raise TakeError(f"{path}: is not a take: its first line is cut off")
    return Take(head, tuple(lines))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield whole lines with their numbers."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TakeError(f"{path}: may hold {MAX_BYTES // 2**20} MiB at most")
        with path.open("rb") as file:
            number = 0
            while data := file.readline(MAX_LINE + 1):
                number += 1
                if len(data) > MAX_LINE:
                    raise TakeError(f"{path}: line {number}: may hold {MAX_LINE // 1024} KiB at most")
                if not data.endswith(b"\n"):
                    return    # it was being written when the power went
                try:
                    yield number, data.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError:
                    raise TakeError(f"{path}: line {number}: is not text (UTF-8)") from None
    except OSError as problem:
        raise TakeError(f"{path}: cannot be read: {reason(problem)}") from None


def _told(where: str, read: Any) -> Any:
    try:
        return read()
    except AudiobendError as error:
        raise TakeError(f"{where}: {error}") from None


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise TakeError("is not JSON") from None
    if not isinstance(document, dict):
        raise TakeError(f"must be a mapping, got {shown(document)}")
    return document


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def _head(text: str) -> TakeHead:
    document = _document(text)
    version = document.get("audiobend_take")
    if version is None:
        raise TakeError("is not a take of audiobend")
    if version != VERSION:
        raise TakeError(f"audiobend_take must be {VERSION}, the version of takes, got {shown(version)}")
    track = document.get("track")
    settings = _given(document, "settings", dict)
    known = {one.name for one in fields(LiveSettings)}
    return TakeHead(
        model=_given(document, "model", str),
        fingerprint=_given(document, "fingerprint", str),
        patch=parse_patch(_given(document, "patch", dict)),
        settings=LiveSettings(**{name: value for name, value in settings.items() if name in known}),
        sample_rate=_whole(document, "sample_rate", 1000, 1_000_000),
        channels=_whole(document, "channels", 1, 2),
        backend=_given(document, "backend", str),
        profile=_given(document, "profile", str),
        bypass=_given(document, "bypass", bool),
        track=None if track is None else _track(track),
        loops=_given(document, "loops", bool),
        clusters=None if document.get("clusters") is None else _given(document, "clusters", str),
    )


def _track(entry: Any) -> Track:
    if not isinstance(entry, dict):
        raise TakeError(f"track must be a mapping, got {shown(entry)}")
    numbers = {"frames": LAST_SAMPLE, "sample_rate": 1_000_000, "channels": 2}
    whole = {name: _whole(entry, name, 1, most) for name, most in numbers.items()}
    return Track(_given(entry, "name", str), **whole, digest=_given(entry, "digest", str))


def _line(text: str) -> Line:
    document = _document(text)
    match document.get("event"):
        case "scene":
            return SceneIs(_given(document, "name", str), parse_patch(_given(document, "patch", dict)))
        case "began":
            return Began(_sample(document))
        case "started" | "stopped" as kind:
            return Mark(_sample(document), kind)
        case "skipped":
            return Skipped(_sample(document), _whole(document, "from", -LAST_SAMPLE, LAST_SAMPLE))
        case None:
            return _gesture(document)
        case other:
            raise TakeError(f"event must be began, skipped, scene, started or stopped, got {shown(other)}")


def _gesture(document: Mapping[str, Any]) -> Gesture:
    sample, seconds = _sample(document), document.get("t")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
        raise TakeError(f"t must be a number of seconds, got {shown(seconds)}")
    patch = parse_patch(_given(document, "patch", dict)) if "patch" in document else None
    number = _whole(document, "n", 0, LAST_SAMPLE)
    address, args = _given(document, "address", str), _given(document, "args", list)
    if not address.startswith("/") or len(address) > MAX_TEXT:
        raise TakeError(f"address must begin with /, got {shown(address)}")
    if len(args) > MAX_ARGUMENTS or not all(map(_is_argument, args)):
        raise TakeError(f"args must be {MAX_ARGUMENTS} numbers and texts at most, got {shown(args)}")
    return Gesture(sample, float(seconds), address, tuple(args), patch, number)


def _is_argument(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    return isinstance(value, int | float) and abs(value) < 1e300


def _sample(document: Mapping[str, Any]) -> int:
    return _whole(document, "sample", -LAST_SAMPLE, LAST_SAMPLE)


def _whole(document: Mapping[str, Any], key: str, low: int, high: int) -> int:
    value = document.get(key)
    if type(value) is not int or not low <= value <= high:
        raise TakeError(f"{key} must be a whole number in {low}..{high}, got {shown(value)}")
    return value


def _given(document: Mapping[str, Any], key: str, kind: type) -> Any:
    value = document.get(key)
    if type(value) is not kind:
        words = {str: "a text", dict: "a mapping", list: "a list", bool: "true or false"}
        raise TakeError(f"{key} must be {words[kind]}, got {shown(value)}")
    return value
