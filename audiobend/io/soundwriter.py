"""Write sound: exact lengths, rounded not truncated samples, no wrap-around, whole files only."""

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.errors import AudioError, did_you_mean
from audiobend.io.files import PathLike, write_atomically
from audiobend.io.soundformats import BYTES, FORMATS, RATES, SUBTYPES, choose_subtype, encoded, format_of

SOFTWARE = "audiobend"
"""Written into every file, so that a later render knows what it may replace."""
BLOCK = 65536    # libsndfile's Vorbis encoder overflows its stack on very large single writes
RIFF_LIMIT = 2**32 - 2**16    # bytes of samples that a plain WAV can count, with room for its head

# Commands of libsndfile that soundfile has no name for.
_SET_ADD_PEAK_CHUNK, _RF64_AUTO_DOWNGRADE = 0x1050, 0x1210


class AudioWriter:
    """A sound file that appears when it is complete.

    Parameters
    ----------
    path : path
    sample_rate : int, Hz
    channels : 1 or 2
    format : "wav", "flac", "ogg" or None
        None goes by the end of the name.
    subtype : str or None
        ``"PCM_16"``, ``"PCM_24"``, ``"PCM_32"``, ``"FLOAT"``, ``"DOUBLE"`` or ``"VORBIS"``; None is 24 bit,
        and Vorbis in Ogg.
    frames : int or None
        Samples per channel to come, if known: more than 4 GiB of them make an RF64. Where it is None the file
        is begun as RF64 and becomes a plain WAV at the end if it is small enough.
    inputs : paths
        Files that must not be overwritten.

    Notes
    -----
    Samples beyond -1..1 are clipped, except in float files; those that are not finite become 0. An exception
    inside the ``with`` block leaves no file, and an existing file as it was.
    """

    def __init__(
        self,
        path: PathLike,
        sample_rate: int,
        channels: int,
        format: str | None = None,
        subtype: str | None = None,
        *,
        frames: int | None = None,
        inputs: tuple[PathLike, ...] = (),
    ) -> None:
        self.path, self.sample_rate, self.channels = Path(path), sample_rate, channels
        self.format = format_of(path, format)
        self.subtype = subtype or choose_subtype(None, self.format)
        self.frames = 0
        self._closed = self._is_cut = False
        self._check()
        self._place: AbstractContextManager[Path] = write_atomically(path, inputs=inputs, error=AudioError)
        self._temporary = self._place.__enter__()
        try:
            self._file = self._open(frames)
        except BaseException as problem:
            self._place.__exit__(type(problem), problem, problem.__traceback__)
            raise

    def write(self, block: Tensor) -> None:
        """Append a block ``(channel, time)``."""
        if block.dim() != 2 or block.shape[0] != self.channels:
            raise AudioError(
                f"{self.path}: blocks must be ({self.channels}, time), got a shape of {tuple(block.shape)}"
            )
        samples = block.detach().cpu().numpy().T
        for start in range(0, len(samples), BLOCK):
            self._write(encoded(samples[start : start + BLOCK], self.subtype))

    def close(self) -> None:
        """Finish the file and give it its name; a second time does nothing."""
        self.__exit__(None, None, None)

    def close_early(self) -> None:
        """Finish a file that cannot be written any further, with what is in it; `AudioError` where that is no file."""
        self._is_cut = True
        self.close()

    def __enter__(self) -> "AudioWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._finish(check=kind is None)
        except AudioError as problem:
            if kind is None:
                self._place.__exit__(type(problem), problem, problem.__traceback__)
                raise
        self._place.__exit__(kind, error, trace)

    def _check(self) -> None:
        if self.channels not in (1, 2):
            raise AudioError(f"{self.path}: sound must be mono or stereo, not {self.channels} channels")
        if not 1 <= self.sample_rate <= RATES[self.format]:
            raise AudioError(
                f"{self.path}: the sample rate of {self.format} files must be in 1..{RATES[self.format]} Hz, "
                f"got {self.sample_rate}"
            )
        if self.subtype not in SUBTYPES[self.format]:
            raise AudioError(
                f"{self.path}: {self.format} files cannot hold '{self.subtype}'"
                + did_you_mean(self.subtype, SUBTYPES[self.format])
            )

    def _container(self, frames: int | None) -> str:
        if self.format != "wav":
            return FORMATS[self.format]
        size = None if frames is None else frames * self.channels * BYTES[self.subtype]
        return "WAV" if size is not None and size < RIFF_LIMIT else "RF64"

    def _open(self, frames: int | None) -> Any:
        container = self._container(frames)
        try:
            file = soundfile.SoundFile(
                self._temporary, "w", self.sample_rate, self.channels, self.subtype, format=container
            )
        except (soundfile.SoundFileError, RuntimeError, ValueError):    # all else has been checked
            raise self._full() from None
        file.software = SOFTWARE
        # The peak chunk holds the time of day: two equal renders would differ.
        _command(file, _SET_ADD_PEAK_CHUNK, on=False)
        if container == "RF64" and frames is None:
            _command(file, _RF64_AUTO_DOWNGRADE, on=True)
        return file

    def _write(self, samples: Any) -> None:
        try:
            self._file.write(samples)
        except (soundfile.SoundFileError, RuntimeError, AssertionError):    # AssertionError is a short write
            raise self._full() from None
        self.frames += len(samples)

    def _finish(self, *, check: bool) -> None:
        """Close; then look whether all samples arrived: libsndfile is silent about some that did not."""
        try:
            self._file.close()
            found = soundfile.info(str(self._temporary)).frames if check else self.frames
            if found < self.frames or (found > self.frames and not self._is_cut):
                raise self._full()
        except (soundfile.SoundFileError, RuntimeError):
            if check and self.frames:
                raise self._full() from None

    def _full(self) -> AudioError:
        return AudioError(
            f"{self.path}: cannot be written: the disk is full, or the file is larger than the system allows"
        )


def write_audio(
    path: PathLike,
    waveform: Tensor | NDArray[Any],
    sample_rate: int,
    format: str | None = None,
    subtype: str | None = None,
    *,
    inputs: tuple[PathLike, ...] = (),
) -> None:
    """Write a whole waveform ``(time,)`` or ``(channel, time)``, tensor or array; see `AudioWriter`."""
    samples = torch.as_tensor(np.array(waveform, dtype=np.float32) if isinstance(waveform, np.ndarray) else waveform)
    waveform = samples[None] if samples.dim() == 1 else samples
    if waveform.dim() != 2:
        raise AudioError(f"{path}: a waveform must be (time,) or (channel, time), got shape {tuple(samples.shape)}")
    channels, frames = waveform.shape
    with AudioWriter(path, sample_rate, channels, format, subtype, frames=frames, inputs=inputs) as writer:
        writer.write(waveform)


def _command(file: Any, number: int, *, on: bool) -> None:
    soundfile._snd.sf_command(file._file, number, soundfile._ffi.NULL, int(on))
