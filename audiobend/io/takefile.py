"""Takes: recorded performances as JSON lines. The first says what was played on what; each other one what was done.

::

    {"audiobend_take": 1, "model": "corpus-quarter", "fingerprint": "...", "patch": {...}, "settings": {...}}
    {"event": "began", "sample": 0}
    {"sample": 20480, "n": 1, "t": 3.141, "address": "/audiobend/bend/fog/radius", "args": [3]}
    {"event": "scene", "name": "storm", "patch": {...}}
    {"event": "skipped", "sample": 90112, "from": 81920}
    {"event": "started", "sample": 441000}

Samples are counted at the sound card's rate, from the beginning of the sound that was played; what was done counts
from that sample on; lines with the same ``n`` reached the engine together. ``t`` are seconds. A last line that is cut
off, as by a power failure, is left out. All since the engine began is in a take, as what it puts out depends on it;
``started`` and ``stopped`` tell what of that was recorded.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from audiobend.bending import Patch
from audiobend.bending.values import shown
from audiobend.errors import AudiobendError, TakeError
from audiobend.io.audiofile import probe
from audiobend.io.files import MARK, PathLike, check_readable, reason
from audiobend.io.patchfile import parse_patch, patch_document
from audiobend.spectral.live_settings import LiveSettings

VERSION = 1
MAX_BYTES = 2**28
MAX_LINE = 2**21
MAX_ARGUMENTS = 8
MAX_TEXT = 1024
LAST_SAMPLE = 2**53
DIGESTED = 2**24
"""Bytes of a sound file that tell it from others, with its length."""

Argument = int | float | str


@dataclass(frozen=True)
class Track:
    """The sound file that was played: enough to know it again."""

    name: str
    frames: int
    sample_rate: int
    channels: int
    digest: str


@dataclass(frozen=True)
class TakeHead:
    """What was played, and on what.

    Attributes
    ----------
    model, fingerprint : str
        Name or folder, and the checksum of its weights.
    patch, bypass
        As it began.
    profile, settings, backend
        Of the engine.
    sample_rate, channels : int
        Of what went in: the sound card's.
    track : Track or None
        None where a microphone was played.
    loops : bool
        The track began again at its end.
    clusters : str or None
        Other clusters than the model's own; see `audiobend.networks.model.Model.clusters_from`.
    """

    model: str
    fingerprint: str
    patch: Patch
    settings: LiveSettings
    sample_rate: int
    channels: int
    backend: str = "torch"
    profile: str = "balanced"
    bypass: bool = False
    track: Track | None = None
    loops: bool = False
    clusters: str | None = None

    def clusters_of(self, model: str) -> str | None:
        """Return the clusters that are named for a model: only the first one has others than its own."""
        return self.clusters if model == self.model else None


@dataclass(frozen=True)
class Began:
    """A new engine began with what was wanted then."""

    sample: int


@dataclass(frozen=True)
class Skipped:
    """The engine was so late that it left out what lies between."""

    sample: int
    since: int


@dataclass(frozen=True)
class Mark:
    """The recording ``started`` here, or ``stopped``; about, and in no order with what was done."""

    sample: int
    kind: str


@dataclass(frozen=True)
class SceneIs:
    """A scene as it is when it is played next."""

    name: str
    patch: Patch


@dataclass(frozen=True)
class Gesture:
    """A message that was carried out; where it has a ``patch``, it led to that (undo and redo)."""

    sample: int
    seconds: float
    address: str
    args: tuple[Argument, ...] = ()
    patch: Patch | None = None
    number: int = 0


Line = Began | Skipped | SceneIs | Mark | Gesture


@dataclass(frozen=True)
class Take:
    """A recorded performance."""

    head: TakeHead
    lines: tuple[Line, ...]


def track_of(path: Path) -> Track:
    """Return what a take says of a sound file; `AudioError` where it is none."""
    info = probe(path)
    with path.open("rb") as file:
        digest = sha256(file.read(DIGESTED)).hexdigest()
    return Track(path.name, info.frames, info.sample_rate, info.channels, digest)


def head_text(head: TakeHead) -> str:
    """Return the first line of a take, with its end."""
    plain = {one.name: getattr(head, one.name) for one in fields(head)}
    plain |= {"patch": patch_document(head.patch), "settings": dict(vars(head.settings))}
    plain["track"] = None if head.track is None else dict(vars(head.track))
    return _text({"audiobend_take": VERSION, "made": MARK, "seed": head.patch.seed, **plain})


def line_text(line: Line) -> str:
    """Return any other line, with its end."""
    match line:
        case Began(sample):
            return _text({"event": "began", "sample": sample})
        case Skipped(sample, since):
            return _text({"event": "skipped", "sample": sample, "from": since})
        case Mark(sample, kind):
            return _text({"event": kind, "sample": sample})
        case SceneIs(name, patch):
            return _text({"event": "scene", "name": name, "patch": patch_document(patch)})
        case Gesture(sample, seconds, address, args, patch, number):
            given = {"sample": sample, "n": number, "t": seconds, "address": address, "args": list(args)}
            return _text(given if patch is None else {**given, "patch": patch_document(patch)})


def _text(document: Mapping[str, Any]) -> str:
    return f"{json.dumps(document, ensure_ascii=False, allow_nan=False)}\n"


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
