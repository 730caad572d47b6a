"""What sound can be written as: formats, how deep their samples are, and samples put on a file's grid."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from audiobend.errors import AudioError, did_you_mean
from audiobend.io.files import PathLike

FORMATS = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG"}
RATES = {"wav": 1_000_000, "flac": 655_350, "ogg": 200_000}    # above its own, libsndfile's Vorbis crashes
SUBTYPES = {
    "wav": ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
    "flac": ("PCM_16", "PCM_24"),
    "ogg": ("VORBIS",),
}
BYTES = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8, "VORBIS": 1}


class HasSubtype(Protocol):
    """What `choose_subtype` needs to know of an input; `AudioInfo` has it."""

    @property
    def subtype(self) -> str:
        """In libsndfile's words."""
        ...


def choose_subtype(info: HasSubtype | None, format: str) -> str:
    """Keep the input's bit depth where the format can: 16 stays 16, 24 stays 24, float becomes 24 in FLAC.

    >>> choose_subtype(None, "wav"), choose_subtype(None, "ogg")
    ('PCM_24', 'VORBIS')
    """
    if format == "ogg":
        return "VORBIS"
    if info is None:
        return "PCM_24"
    deep = {"PCM_24": "PCM_24", "PCM_32": "PCM_32", "FLOAT": "FLOAT", "DOUBLE": "FLOAT"}
    subtype = deep.get(info.subtype, "PCM_16")
    return subtype if subtype in SUBTYPES[format] else "PCM_24"


def format_of(path: PathLike, format: str | None = None) -> str:
    """Return ``"wav"``, ``"flac"`` or ``"ogg"``: as asked, or by the end of the name."""
    given = format if format is not None else Path(path).suffix.lower().lstrip(".")
    given = {"oga": "ogg", "wave": "wav"}.get(given, given)
    if given not in FORMATS:
        what = f"'{given}'" if given else "a name without an ending"
        raise AudioError(f"{path}: sound is written as wav, flac or ogg, not {what}" + _near(given))
    return given


def _near(given: str) -> str:
    hint = did_you_mean(given, FORMATS)
    return hint if "did you mean" in hint else ""


def encoded(samples: Any, subtype: str) -> Any:
    """Round to the grid of the file ourselves: libsndfile would cut towards minus infinity when it clips."""
    samples = np.where(np.isfinite(samples), samples, 0)
    if subtype in ("FLOAT", "DOUBLE"):
        return np.ascontiguousarray(samples, dtype=np.float32)
    if subtype == "VORBIS":
        return np.ascontiguousarray(np.clip(samples, -1, 1), dtype=np.float32)
    bits = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}[subtype]
    full = 2 ** (bits - 1)
    grid = np.clip(np.rint(np.asarray(samples, dtype=np.float64) * full), -full, full - 1)
    if bits == 16:
        return np.ascontiguousarray(grid, dtype=np.int16)
    return np.ascontiguousarray(grid, dtype=np.int32) << np.int32(32 - bits)
