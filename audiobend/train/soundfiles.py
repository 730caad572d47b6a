"""One sound file: how it is opened, what its path is as text, and whether it can be trained on."""

import os
from pathlib import Path, PurePath

import numpy as np
import soundfile as sf

from audiobend.errors import AudiobendError
from audiobend.io.audiofile import RATES
from audiobend.io.files import check_readable
from audiobend.networks.spectrogram_vae import WINDOW
from audiobend.spectral.stft import HOP_LENGTH, n_columns

SAMPLE_RATE = 44100
SHORTEST = (WINDOW - 1) * HOP_LENGTH / SAMPLE_RATE
"""Seconds of sound that one window takes."""
SILENCE = 1e-4
"""A file without one sample above this (-80 dB of full scale) is silent."""

_UNREADABLE = (sf.SoundFileError, RuntimeError, TypeError, ValueError)

Head = tuple[int, int, int]
"""Frames, sample rate and channels."""


class UnusableError(Exception):
    """Why a file cannot be trained on."""


def open_sound(path: Path) -> sf.SoundFile:
    """Open a sound file, also where its name is no text."""
    return sf.SoundFile(path if os.name == "nt" else os.fsencode(path))


def in_text(path: PurePath) -> str:
    """Return a path as text that any file can hold: file systems have names that are neither text nor one line."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def look_at(path: Path) -> Head:
    """Return frames, rate and channels of a usable file; `UnusableError` says why one is not."""
    try:
        check_readable(path)
        with open_sound(path) as file:
            head = (file.frames, file.samplerate, file.channels)
            _check_head(*head)
            _check_sound(file)
    except AudiobendError as error:
        raise UnusableError(str(error).removeprefix(f"{path}: ")) from None
    except _UNREADABLE as error:
        raise UnusableError(f"cannot be read: {getattr(error, 'error_string', error)}") from None
    return head


def _check_head(frames: int, sample_rate: int, _channels: int) -> None:
    if sample_rate not in RATES:
        raise UnusableError(f"the sample rate must be in {RATES[0]}..{RATES[-1]} Hz, the file says {sample_rate}")
    if n_columns(round(frames * SAMPLE_RATE / sample_rate)) < WINDOW:
        raise UnusableError(f"shorter than {SHORTEST:.2f} s: it lasts {frames / sample_rate:.3g} s")


def _check_sound(file: sf.SoundFile) -> None:
    """Read until something sounds, then the last samples, where files that were cut off fail."""
    for block in file.blocks(1 << 16, dtype="float32"):
        if np.nan_to_num(np.abs(block), posinf=0.0).max(initial=0.0) > SILENCE:
            break
    else:
        raise UnusableError("silent: nothing in it is louder than -80 dB")
    try:
        file.seek(file.frames - 1)
        complete = len(file.read(1)) == 1
    except _UNREADABLE:
        complete = False
    if not complete:
        raise UnusableError(f"damaged or cut off: its head promises {file.frames / file.samplerate:.1f} s")
