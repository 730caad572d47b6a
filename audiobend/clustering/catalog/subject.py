"""The passage of a sound that a catalog bends."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from audiobend.errors import AudioError
from audiobend.io.audiofile import AudioReader
from audiobend.io.resampling import StreamResampler

STEP_SECONDS = 0.25
LONGEST_SECONDS = 30.0
SHORTEST_SECONDS = 0.25
SILENCE = 1e-4


@dataclass(frozen=True)
class Subject:
    """What is bent.

    Attributes
    ----------
    name : str
        The file's.
    samples : Tensor of shape ``(channel, time)``
        At the model's sample rate.
    start, seconds : float
        Which part of the file it is.
    """

    name: str
    samples: Tensor
    start: float
    seconds: float

    @property
    def digest(self) -> str:
        """What tells it from any other sound."""
        head = f"{tuple(self.samples.shape)}".encode()
        return hashlib.sha256(head + self.samples.contiguous().numpy().tobytes()).hexdigest()[:24]


def read_subject(path: Path, seconds: float, start: float | None = None, sample_rate: int = 44100) -> Subject:
    """Return a passage of a sound file: from ``start`` on, or the loudest one.

    Raises
    ------
    AudioError
        If the file cannot be read, is silent or too short, or ends before ``start``.
    """
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise AudioError(f"seconds must be in {SHORTEST_SECONDS:g}..{LONGEST_SECONDS:g}, got {seconds:g}")
    rate, length, powers = _powers(path)
    if length < SHORTEST_SECONDS:
        raise AudioError(f"{path}: a catalog needs {SHORTEST_SECONDS:g} s of sound at least, this has {length:.2f} s")
    if start is not None and not 0 <= start <= length - SHORTEST_SECONDS:
        raise AudioError(f"{path}: start must lie in the file, 0..{length - SHORTEST_SECONDS:.2f} s, got {start:g}")
    begin = _loudest(powers, seconds) if start is None else start
    samples = _piece(path, round(begin * rate), round(seconds * rate))
    if samples.abs().max() <= SILENCE:
        raise AudioError(f"{path}: is silent from {begin:g} s on; there is nothing to bend, choose another --start")
    resampler = StreamResampler(rate, sample_rate, len(samples))
    resampled = torch.cat([resampler.feed(samples), resampler.flush()], dim=-1)
    return Subject(path.name, resampled, round(begin, 2), round(samples.shape[-1] / rate, 3))


def _powers(path: Path) -> tuple[int, float, np.ndarray]:
    """Return the sample rate, the length in seconds, and the power of every quarter of a second."""
    with AudioReader(path) as reader:
        rate = reader.info.sample_rate
        reader.block = max(1, round(STEP_SECONDS * rate))
        powers, n = [], 0
        for block in reader:
            powers.append(float(block.double().square().mean()))
            n += block.shape[-1]
    if max(powers) <= SILENCE**2 / 2:
        raise AudioError(f"{path}: is silent; there is nothing to bend")
    return rate, n / rate, np.array(powers)


def _loudest(powers: np.ndarray, seconds: float) -> float:
    """Return where the loudest passage begins; the first of equals."""
    n = max(1, round(seconds / STEP_SECONDS))
    if len(powers) <= n:
        return 0.0
    sums = np.convolve(powers, np.ones(n), mode="valid")
    return float(sums.round(9).argmax()) * STEP_SECONDS


def _piece(path: Path, first: int, n: int) -> Tensor:
    parts: list[Tensor] = []
    with AudioReader(path) as reader:
        seen = 0
        for block in reader:
            wanted = block[:, max(0, first - seen) : max(0, first + n - seen)]
            parts.append(wanted)
            seen += block.shape[-1]
            if seen >= first + n:
                break
    return torch.cat(parts, dim=-1)
