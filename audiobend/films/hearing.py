"""What is heard in a track, as curves of 0..1 for the frames of a film: its level, its onsets, and three bands.

Everything is relative to the track itself: 0 is where it is quiet, 1 where it is loud. The track is read in blocks, so
that its length costs next to no memory.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.films.moves import FEATURES
from audiobend.io.audiofile import AudioReader
from audiobend.spectral.follow import InputLevel
from audiobend.spectral.stft import HOP_LENGTH

Curve = NDArray[np.float64]

WINDOW, HOP = 2048, 512
BANDS = {"low": (20.0, 250.0), "mid": (250.0, 4000.0), "high": (4000.0, 20000.0)}
"""Hz."""
RANGE_DB, LEAST_DB = 50.0, 12.0
"""How far below its loudest a track's quiet is, at most and at least."""
SILENCE = 1e-10
"""Power: -100 dB of full scale."""
ATTACK, RELEASE, FADE = 0.01, 0.12, 0.15
"""Seconds: of levels to rise and to fall, and of an onset to fade, to a third of the way."""
COMPRESSION = 1000.0
"""What magnitudes are multiplied by before the logarithm that onsets are looked for in (Müller, 2015, section 6.1)."""


def hear(path: Path, n_frames: int, fps: float, on_progress: Callable[[float], None] = lambda _: None) -> dict[
    str, Curve
]:
    """Return by feature a curve ``(frame,)`` of 0..1; 0 where the track is over.

    Parameters
    ----------
    path : Path
        A sound file.
    n_frames : int
    fps : float
        Frames in a second.
    """
    rows, rate = [], 1
    with AudioReader(path) as reader:
        rate, done = reader.info.sample_rate, 0
        columns = _Columns(rate)
        for block in reader:
            rows += columns.feed(block.mean(dim=0).numpy())
            done += block.shape[-1]
            on_progress(done / reader.info.frames)
        rows += columns.flush()
    table = np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES))
    hops = rate / HOP
    curves = {name: _shares(table[:, FEATURES.index(name)], hops) for name in ("level", *BANDS)}
    curves["onsets"] = _onsets(table[:, FEATURES.index("onsets")], hops)
    return {name: _at_frames(curves[name], n_frames, fps, hops, name == "onsets") for name in FEATURES}


class _Columns:
    """Sound in, one row of figures for each hop out: power, change of the spectrum, power of each band."""

    def __init__(self, rate: int) -> None:
        self._left = np.zeros(WINDOW // 2, np.float32)    # so that a column's centre is its hop
        self._window = np.hanning(WINDOW + 1)[:-1]
        hertz = np.fft.rfftfreq(WINDOW, 1 / rate)
        self._bands = [(hertz >= low) & (hertz < high) for low, high in BANDS.values()]
        self._before = np.zeros(len(hertz))

    def feed(self, samples: NDArray[np.float32]) -> list[tuple[float, ...]]:
        self._left = np.concatenate([self._left, samples])
        rows = []
        while len(self._left) >= WINDOW:
            rows.append(self._row(self._left[:WINDOW]))
            self._left = self._left[HOP:]
        return rows

    def flush(self) -> list[tuple[float, ...]]:
        return self.feed(np.zeros(WINDOW // 2 + HOP - 1, np.float32))

    def _row(self, samples: NDArray[np.float32]) -> tuple[float, ...]:
        magnitude = np.abs(np.fft.rfft(samples * self._window)) * (4 / WINDOW)    # a sine's is its amplitude
        power = magnitude**2
        loud = np.log1p(COMPRESSION * magnitude)
        change = np.maximum(loud - self._before, 0).mean()
        self._before = loud
        return (float(power.sum()), float(change), *(float(power[band].sum()) for band in self._bands))


def _shares(power: Curve, hops: float) -> Curve:
    """Return a level as shares of the track's own range, quick to rise and slow to fall."""
    level = 10 * np.log10(np.maximum(power, SILENCE))
    high = np.percentile(level, 99) if len(level) else -np.inf
    if not len(level) or high <= 10 * np.log10(SILENCE):
        return np.zeros(len(level))
    low = min(max(np.percentile(level, 5), high - RANGE_DB), high - LEAST_DB)
    return _smooth(np.clip((level - low) / (high - low), 0, 1), hops)


def _smooth(shares: Curve, hops: float) -> Curve:
    rise, fall = (float(np.exp(-1 / (seconds * hops))) for seconds in (ATTACK, RELEASE))
    out, now = np.empty(len(shares)), 0.0
    for index, one in enumerate(shares.tolist()):
        keep = rise if one > now else fall
        now = one + keep * (now - one)
        out[index] = now
    return out


def _onsets(change: Curve, hops: float) -> Curve:
    """Return 1 where a sound begins, fading; what is no clear beginning is 0."""
    if not len(change) or change.max() <= 0:
        return np.zeros(len(change))
    width = max(3, round(hops)) | 1    # a second around each moment tells what is usual
    padded = np.pad(change, width // 2, mode="edge")
    usual = np.convolve(padded, np.full(width, 1 / width), mode="valid")
    above = np.maximum(change - 1.2 * usual, 0)
    strength = np.minimum(above / max(float(np.percentile(above, 99)), 0.5 * float(above.max()), 1e-3), 1)
    strength[strength < 0.15] = 0
    keep, out, now = float(np.exp(-1 / (FADE * hops))), np.empty(len(change)), 0.0
    for index, one in enumerate(strength.tolist()):
        now = max(one, now * keep)
        out[index] = now
    return out


def _at_frames(curve: Curve, n_frames: int, fps: float, hops: float, peaks: bool) -> Curve:
    """Return what is heard while each frame is seen: the mean, or the highest."""
    out = np.zeros(n_frames)
    for frame in range(n_frames):
        first = int(frame / fps * hops)
        seen = curve[first : max(int((frame + 1) / fps * hops), first + 1)]
        if len(seen):
            out[frame] = seen.max() if peaks else seen.mean()
    return out


NOTHING: Mapping[str, Curve] = {}


class TrackLevel:
    """The loudness that bends with ``lfo: follow`` hear, as in a render of the track; asked for in order of time.

    Examples
    --------
    >>> level = TrackLevel(Path("examples/sounds/pressure.flac"))    # doctest: +SKIP
    >>> level(torch.tensor([1.0]), 2.0)    # doctest: +SKIP
    tensor([0.7240], dtype=torch.float64)
    """

    def __init__(self, path: Path) -> None:
        self._blocks = self._read(path)
        self._level: InputLevel | None = None
        self._seconds = 0.0

    def __call__(self, times: Tensor, rate_hz: float) -> Tensor:
        """Return the level at times ``(n,)`` in seconds, 0..1, float64."""
        latest = float(times.max()) if len(times) else 0.0
        while self._seconds <= latest and next(self._blocks, None) is not None:
            pass
        return torch.zeros(len(times), dtype=torch.float64) if self._level is None else self._level(times, rate_hz)

    def _read(self, path: Path) -> Iterator[bool]:
        with AudioReader(path) as reader:
            rate = reader.info.sample_rate
            self._level = InputLevel(rate)
            while (block := reader.read(HOP_LENGTH * 64)).shape[-1]:
                whole = -block.shape[-1] % HOP_LENGTH
                self._level.feed(torch.nn.functional.pad(block, (0, whole)).numpy())
                self._seconds += block.shape[-1] / rate
                yield True
