"""A compact copy of a folder of sound, to carry to another machine: small sounds, the texts that must go along, a list.

The copy is trained on as the folder would be: names and folders are kept.
"""

import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from audiobend.errors import AudioError, TrainingError
from audiobend.io.files import MARK, reason
from audiobend.train.encoding import Codec, best_compression, bytes_per_second, codecs, encode
from audiobend.train.packfolder import MANIFEST, check_places, copy_texts, names_in_copy, settle, sha256
from audiobend.train.searching import Skipped
from audiobend.train.soundfiles import in_text
from audiobend.train.sounds import Scan, scan

_ENTRY = 600    # bytes of the list for each sound, at most
_TRIES = 4

OnProgress = Callable[[float], None]


@dataclass(frozen=True)
class PackedSound:
    """A line of the list.

    Attributes
    ----------
    file, original : str
        Paths inside the copy and inside the folder.
    seconds : float
    sha256, original_sha256 : str
        Of the small file and of the original.
    """

    file: str
    original: str
    seconds: float
    sha256: str
    original_sha256: str


@dataclass(frozen=True)
class Packed:
    """What was written: sounds, texts with their checksums, and what was left out, by its path in the folder."""

    sounds: list[PackedSound]
    texts: dict[str, str]
    skipped: dict[str, str]
    codec: str
    kbit_per_second: float
    n_bytes: int = 0

    @property
    def hours(self) -> float:
        """Length of all sounds."""
        return sum(sound.seconds for sound in self.sounds) / 3600


def pack(folder: Path, out: Path, max_mb: float, on_progress: OnProgress = lambda _: None) -> Packed:
    """Write a compact copy of a folder of sound.

    Parameters
    ----------
    folder : Path
        Searched through as `scan` does.
    out : Path
        A new folder, or one that holds an earlier copy and nothing else; then that is replaced.
    max_mb : float > 0
        Most that the copy may take up, in MB (10^6 bytes). The quality is the best that fits, up to where the copy
        cannot be told from the original.
    on_progress : callable
        Takes the share done, 0..1.

    Raises
    ------
    TrainingError
        Where it does not fit even at the lowest useful quality, or ``out`` holds files of somebody else.
    """
    check_places(folder, out)
    found = scan([folder])
    if not found.sounds:
        raise TrainingError(f"{in_text(folder)}: holds no sound that can be used; `audiobend dataset scan` says why")
    temporary = out.resolve().with_name(f".audiobend-{secrets.token_hex(6)}")
    try:
        temporary.mkdir(parents=True)
        packed = _fill(temporary, folder, found, max_mb * 1e6, on_progress)
        settle(temporary, out)
    except OSError as error:
        raise TrainingError(f"{in_text(out)}: the copy cannot be written: {reason(error)}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return packed


def _fill(target: Path, folder: Path, found: Scan, limit: float, on_progress: OnProgress) -> Packed:
    texts = copy_texts(folder, target)
    room = limit - sum((target / text).stat().st_size for text in texts) - _ENTRY * (len(found.sounds) + 2)
    wanted = 0.99 * room / (found.hours * 3600)
    for codec in codecs():
        rate = bytes_per_second(found.sounds, codec, target / "scratch")
        if rate(codec.worst) <= wanted:
            break
    names = names_in_copy(folder, found.sounds, codec.ending)
    for _ in range(_TRIES):
        compression = best_compression(rate, codec, wanted)
        if compression is None:
            break
        damaged = _encode_all(target, found, names, codec, compression, on_progress)
        lines = _lines(target, folder, found, names)
        size = sum((target / line.file).stat().st_size for line in lines)
        if size <= room:
            kbit = size * 8 / sum(line.seconds for line in lines) / 1000
            skipped = {_inside(folder, one.path): one.reason for one in [*found.skipped, *damaged]}
            packed = Packed(lines, texts, skipped, codec.name.capitalize(), round(kbit, 1))
            return _with_manifest(target, packed, folder)
        wanted *= 0.99 * room / size    # the pieces that were measured were easier than the rest
    fitting = max(0.0, room) / rate(codec.worst) / 3600
    raise TrainingError(
        f"{in_text(folder)}: {found.hours:.2g} hours do not fit into {limit / 1e6:g} MB at the lowest useful quality, "
        f"but {fitting:.2g} hours would; give more --max-mb or fewer sounds"
    )


def _encode_all(
    target: Path, found: Scan, names: list[str], codec: Codec, compression: float, on_progress: OnProgress
) -> list[Skipped]:
    """Write all sounds but those that turn out to be damaged, which are returned."""
    done, total, damaged = 0.0, found.hours * 3600, []

    def advance(seconds: float) -> None:
        nonlocal done
        done += seconds
        on_progress(min(1.0, done / total))

    for sound, name in zip(found.sounds, names, strict=True):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            encode(sound.path, path, codec, compression, advance)
        except AudioError as error:
            path.unlink(missing_ok=True)
            damaged.append(Skipped(sound.path, str(error).removeprefix(f"{in_text(sound.path)}: ")))
    if len(damaged) == len(names):
        raise TrainingError("none of the files could be used; every one is damaged")
    return damaged


def _lines(target: Path, folder: Path, found: Scan, names: list[str]) -> list[PackedSound]:
    lines = []
    for sound, name in zip(found.sounds, names, strict=True):
        if (target / name).exists():
            original, seconds = _inside(folder, sound.path), round(sound.seconds, 3)
            lines.append(PackedSound(name, original, seconds, sha256(target / name), sha256(sound.path)))
    return lines


def _inside(folder: Path, path: Path) -> str:
    return PurePath(in_text(path.relative_to(folder))).as_posix()


def _with_manifest(target: Path, packed: Packed, folder: Path) -> Packed:
    content: dict[str, Any] = {
        "made": MARK,
        "folder": in_text(PurePath(folder.resolve().name)),
        "codec": packed.codec,
        "channels": 1,
        "kbit_per_second": packed.kbit_per_second,
        "hours": round(packed.hours, 3),
        "sounds": [asdict(sound) for sound in packed.sounds],
        "texts": packed.texts,
        "skipped": packed.skipped,
    }
    (target / MANIFEST).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return replace(packed, n_bytes=sum(path.stat().st_size for path in target.rglob("*") if path.is_file()))
