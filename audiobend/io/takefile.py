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
``started`` and ``stopped`` tell what of that was recorded. `audiobend.io.takereading` reads them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from audiobend.bending import Patch
from audiobend.io.audiofile import probe
from audiobend.io.files import MARK
from audiobend.io.patchfile import patch_document
from audiobend.spectral.live_settings import LiveSettings

VERSION = 1
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
