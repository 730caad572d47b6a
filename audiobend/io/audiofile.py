"""Sound files read as streams of blocks ``(channel, time)``, float32.

WAV, FLAC, Ogg, AIFF, MP3 and whatever else libsndfile knows, mono or stereo; `audiobend.io.soundwriter` writes.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import soundfile
import torch
from torch import Tensor

from audiobend.errors import AudioError
from audiobend.io.files import PathLike, check_readable
from audiobend.io.soundwriter import SOFTWARE

BLOCK = 65536
RATES = range(1000, 1_000_001)


@dataclass(frozen=True)
class AudioInfo:
    """What the head of a sound file says.

    Attributes
    ----------
    sample_rate : int, Hz
    channels : 1 or 2
    frames : int > 0
        Samples per channel.
    format, subtype : str
        In libsndfile's words, such as ``"WAV"`` and ``"PCM_16"``.
    """

    sample_rate: int
    channels: int
    frames: int
    format: str
    subtype: str

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


def probe(path: PathLike) -> AudioInfo:
    """Read the head of a sound file; `AudioError` where it is missing, damaged, empty or multichannel."""
    with AudioReader(path) as reader:
        return reader.info


def read_audio(path: PathLike) -> tuple[Tensor, int]:
    """Return the whole file as a waveform ``(channel, time)``, float32, and its sample rate in Hz."""
    with AudioReader(path) as reader:
        return torch.cat(list(reader), dim=-1), reader.info.sample_rate


def written_by_audiobend(path: PathLike) -> bool:
    """Return whether a sound file says that audiobend wrote it, so that it may be replaced unasked."""
    try:
        with soundfile.SoundFile(path) as file:
            return str(file.software).startswith(SOFTWARE)
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError):
        return False


class AudioReader:
    """A sound file, block by block.

    Parameters
    ----------
    path : path
    block : int > 0
        Samples per block; the last block may be shorter.

    Notes
    -----
    Samples that are NaN or infinite become 0, and one warning at the end names the file and their count.
    A FLAC or MP3 that ends before its head says so is an `AudioError`. Heads of other kinds are often never
    completed, as by a recorder without power: what there is is read, with a warning. No sound is silently
    shorter.
    """

    def __init__(self, path: PathLike, block: int = BLOCK) -> None:
        self.path = check_readable(path, AudioError)
        self.block = block
        self._read = self._bad = 0
        self._file = _open(self.path)
        try:
            self.info = _info(self.path, self._file)
            if _is_cut_off(self.path, self._file):
                message = "ends before its head says so; it is read as far as it goes"
                warnings.warn(f"{self.path}: {message}", stacklevel=2)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "AudioReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Tensor]:
        while (block := self.read(self.block)).shape[-1]:
            yield block

    def read(self, frames: int) -> Tensor:
        """Return the next ``frames`` samples ``(channel, time)``; fewer at the end, none after it."""
        wanted = min(frames, self.info.frames - self._read)
        if wanted <= 0:
            return torch.zeros(self.info.channels, 0)
        try:
            samples = self._file.read(wanted, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError):
            raise self._ends_early(self._read) from None
        self._read += len(samples)
        if len(samples) < wanted:
            raise self._ends_early(self._read)
        return torch.from_numpy(np.ascontiguousarray(self._finite(samples).T))

    def close(self) -> None:
        """Close the file, and warn once if samples had to be replaced."""
        self._file.close()
        if self._bad:
            count, self._bad = self._bad, 0
            warnings.warn(f"{self.path}: {count} samples were not finite and became 0", stacklevel=3)

    def _finite(self, samples: Any) -> Any:
        good = np.isfinite(samples)
        if good.all():
            return samples
        self._bad += int(good.size - np.count_nonzero(good))
        return np.where(good, samples, np.float32(0))

    def _ends_early(self, read: int) -> AudioError:
        return AudioError(
            f"{self.path}: the file is damaged or cut off: "
            f"its head promises {self.info.frames} samples, but it can be read only up to {read}"
        )


def _open(path: Path) -> Any:
    """Open for reading; libsndfile's many ways to refuse become one sentence."""
    if path.suffix.lower() == ".raw":
        raise AudioError(f"{path}: raw samples do not say their rate; convert the file to wav first")
    try:
        return soundfile.SoundFile(path)
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError):
        kinds = "wav, flac, ogg, aiff, mp3"
        raise AudioError(f"{path}: is not a sound file that can be read ({kinds})") from None


def _is_cut_off(path: Path, file: Any) -> bool:
    """Tell whether a file is shorter than it was meant to be, where libsndfile says nothing of it."""
    if file.format != "OGG":
        return "(should be " in file.extra_info
    with path.open("rb") as raw:
        raw.seek(max(0, path.stat().st_size - 2**16))    # a page is shorter than 64 KiB
        tail = raw.read()
    page = tail.rfind(b"OggS")
    return page < 0 or page + 5 >= len(tail) or not tail[page + 5] & 4    # the flag of the last page


def _info(path: Path, file: Any) -> AudioInfo:
    if file.channels not in (1, 2):
        raise AudioError(f"{path}: sound must be mono or stereo, but the file has {file.channels} channels")
    if file.samplerate not in RATES:
        raise AudioError(
            f"{path}: the sample rate must be in {RATES[0]}..{RATES[-1]} Hz, the file says {file.samplerate}"
        )
    if file.frames <= 0:
        raise AudioError(f"{path}: the file holds no sound (0 samples)")
    return AudioInfo(file.samplerate, file.channels, file.frames, file.format, file.subtype)
