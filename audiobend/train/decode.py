"""From a sound file to columns at 44.1 kHz: the whole file block by block, or one piece from its middle.

Both give the same columns, so a file that is too long for the cache is read again where a window is wanted.
"""

import math
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import torch
from torch import Tensor

from audiobend.errors import AudioError
from audiobend.io.resampling import StreamResampler
from audiobend.spectral.stft import HOP_LENGTH, N_FFT, stft
from audiobend.spectral.streaming import Framer
from audiobend.train.soundfiles import SAMPLE_RATE, in_text, open_sound

BLOCK = 1 << 18
LEAD = 12288
"""Samples read before and after a piece, so that the decoder and the resampler have settled where it begins."""
OPEN_FILES = 64
_UNREADABLE = (sf.SoundFileError, RuntimeError, OSError)


def mono_blocks(path: Path, sample_rate: int = SAMPLE_RATE) -> Iterator[Tensor]:
    """Yield a whole file in blocks ``(1, time)``, mono mean of its channels, resampled; what is no number is 0."""
    try:
        with open_sound(path) as file:
            resampler = StreamResampler(file.samplerate, sample_rate, channels=1)
            while len(samples := file.read(BLOCK, dtype="float32", always_2d=True)):
                yield resampler.feed(_mono(samples))
            yield resampler.flush()
    except _UNREADABLE as error:
        raise AudioError(f"{in_text(path)}: is damaged: {getattr(error, 'error_string', error)}") from None


def mono_piece(path: Path, start: float, seconds: float, sample_rate: int = SAMPLE_RATE) -> Tensor:
    """Return a piece of a file ``(1, time)`` from ``start`` seconds on, as it is heard in `mono_blocks`."""
    try:
        with open_sound(path) as file:
            file.seek(round(start * file.samplerate))
            samples = file.read(round(seconds * file.samplerate), dtype="float32", always_2d=True)
            resampler = StreamResampler(file.samplerate, sample_rate, channels=1)
    except _UNREADABLE as error:
        raise AudioError(f"{in_text(path)}: is damaged: {getattr(error, 'error_string', error)}") from None
    return torch.cat([resampler.feed(_mono(samples)), resampler.flush()], dim=-1)


def magnitude_blocks(path: Path) -> Iterator[Tensor]:
    """Yield the magnitudes ``(time, 513)`` of a whole file, mono mean of its channels, in blocks of about 6 s."""
    framer = Framer(1)
    for block in mono_blocks(path):
        yield _magnitude(framer.feed(block))
    yield _magnitude(framer.flush())


def magnitude_piece(file: sf.SoundFile, start: int, n: int) -> Tensor:
    """Return the magnitudes ``(n, 513)`` of the columns from ``start`` on, as `magnitude_blocks` would give them."""
    first, last = start * HOP_LENGTH - N_FFT // 2, (start + n - 1) * HOP_LENGTH + N_FFT // 2    # at 44.1 kHz
    # Reading begins where a sample of the file falls on one of the resampled sound, so that both have one grid.
    common = math.gcd(file.samplerate, SAMPLE_RATE)
    steps = max(0, first - LEAD) // (SAMPLE_RATE // common)
    begin, origin = steps * (file.samplerate // common), steps * (SAMPLE_RATE // common)
    end = min(file.frames, math.ceil((last + LEAD) * file.samplerate / SAMPLE_RATE))
    file.seek(begin)
    samples = _mono(file.read(end - begin, dtype="float32", always_2d=True))
    resampler = StreamResampler(file.samplerate, SAMPLE_RATE, channels=1)
    sound = torch.cat([resampler.feed(samples), resampler.flush()], dim=-1)[:, max(0, first - origin) : last - origin]
    before = max(0, -first)
    padded = torch.nn.functional.pad(sound, (before, last - first - before - sound.shape[-1]))
    return _magnitude(stft(padded)[..., 2:-2])    # the outer columns are of the padding that `stft` adds


class OpenSounds:
    """Sound files that stay open while pieces are read, the ones used last; each process opens its own.

    Opening costs more than reading: libsndfile goes through a whole MP3 to learn its length.
    """

    def __init__(self, limit: int = OPEN_FILES) -> None:
        self.limit = limit
        self._files: OrderedDict[tuple[int, Path], sf.SoundFile] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return OpenSounds, (self.limit,)

    def piece(self, path: Path, start: int, n: int) -> Tensor:
        """Return the magnitudes ``(n, 513)`` of a file's columns from ``start`` on."""
        with self._lock:    # a file has one place where it is read
            try:
                return magnitude_piece(self._open(path), start, n)
            except _UNREADABLE as error:
                reason = getattr(error, "error_string", error)
                raise AudioError(f"{in_text(path)}: can no longer be read: {reason}") from None

    def _open(self, path: Path) -> sf.SoundFile:
        key = (os.getpid(), path)    # processes that share an open file would move each other's place
        if key not in self._files:
            self._files[key] = open_sound(path)
            if len(self._files) > self.limit:
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(key)
        return self._files[key]


def _mono(samples: Any) -> Tensor:
    mono = np.nan_to_num(samples, posinf=0.0, neginf=0.0).mean(axis=1)
    return torch.from_numpy(np.ascontiguousarray(mono))[None]


def _magnitude(spectrum: Tensor) -> Tensor:
    return torch.nan_to_num(spectrum[0].abs().T, nan=0.0, posinf=0.0)
