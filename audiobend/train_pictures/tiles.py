"""Pictures of sound: tiles of a spectrogram, whose colours follow the notes.

A tile is 1.5 s of sound, time to the right and pitch upwards, eight octaves in steps of an eighth. Bright is loud.
Its hue says where in the octave its notes lie, so that a note and its octaves have one colour and a step of the bass
another; how strong its colours are says how clear that is: noise and drums are pale.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from audiobend.train.decode import mono_blocks
from audiobend.train_pictures.colours import TURN, from_lightness

SAMPLE_RATE = 22050
HOP_LENGTH = 512
FINER = 3
"""Columns are means of five spectra, which keeps noise from sparkling."""
SIDE = 64
"""Pixels: columns of time, and bands."""
LOWEST, BANDS_PER_OCTAVE = 40.0, 8
LONG, SHORT = 4096, 1024
"""Samples of the windows that low and high bands are seen through: notes are told apart below, beats above."""
CROSSING = 400.0
RANGE_DB = (18.0, 42.0)
"""What lies between black and white, chosen so that a tenth of a tile is nearly black."""
FLATTENED = 0.7
"""How much of a sound's mean spectrum is taken away, so that its lows do not outshine the rest."""
STEP = 16
"""Columns from one tile to the next."""
HUE_OF_LOWEST = 0.784
"""Blue, for sounds around 40 Hz and its octaves."""
QUIET_DB = -35.0
"""Tiles softer than this, below the loudest place of their sound, are left out."""


def tiles_of(path: Path) -> Tensor:
    """Return a sound file's tiles ``(tile, 3, 64, 64)`` as bytes; none if it is shorter than one."""
    sound = torch.cat(list(mono_blocks(path, SAMPLE_RATE)), dim=-1)[0]
    level = levels(sound)
    found = [tile(level[:, first : first + SIDE]) for first in _places(level)]
    return torch.stack(found) if found else torch.zeros(0, 3, SIDE, SIDE, dtype=torch.uint8)


def _places(level: Tensor) -> Iterator[int]:
    loudest = level.max() if level.numel() else 0.0
    for first in range(0, level.shape[1] - SIDE + 1, STEP):
        if level[:, first : first + SIDE].max() > loudest + QUIET_DB:
            yield first


def levels(sound: Tensor) -> Tensor:
    """Return the bands' levels ``(64, time)`` in dB of a mono sound ``(time,)`` at 22.05 kHz, low bands first."""
    if sound.numel() < LONG:
        return torch.zeros(SIDE, 0)
    bands = torch.cat([_power(sound, n_fft) for n_fft in (LONG, SHORT)])
    power = _filters() @ bands
    return 10 * (power + power.max() * 1e-9 + 1e-12).log10() - FLATTENED * _outline(power)


def _outline(power: Tensor) -> Tensor:
    """The mean spectrum ``(64, 1)`` in dB, without the notes."""
    mean = 10 * (power.mean(dim=1) + 1e-12).log10()
    reach = BANDS_PER_OCTAVE
    padded = torch.nn.functional.pad(mean[None, None], (reach, reach), mode="replicate")
    return torch.nn.functional.avg_pool1d(padded, 2 * reach + 1, stride=1)[0, 0][:, None]


def _power(sound: Tensor, n_fft: int) -> Tensor:
    window = torch.hann_window(n_fft)
    spectrum = torch.stft(sound, n_fft, HOP_LENGTH // FINER, window=window, return_complex=True)
    power = (spectrum.abs() / window.sum()).square()
    return torch.nn.functional.avg_pool1d(power[None], 2 * FINER - 1, FINER, FINER - 1, count_include_pad=False)[0]


def frequencies() -> Tensor:
    """Return the middles of the bands ``(64,)`` in Hz."""
    return LOWEST * 2 ** (torch.arange(SIDE) / BANDS_PER_OCTAVE)


@lru_cache(maxsize=1)
def _filters() -> Tensor:
    """Triangles ``(64, bins of both windows)``, at least as wide as a bin."""
    parts = []
    for n_fft in (LONG, SHORT):
        bins = torch.arange(n_fft // 2 + 1) * (SAMPLE_RATE / n_fft)
        middle = frequencies()[:, None]
        width = (middle * (2 ** (1 / BANDS_PER_OCTAVE) - 1)).clamp(min=SAMPLE_RATE / n_fft)
        triangles = (1 - (bins - middle).abs() / width).clamp(min=0)
        belongs = (middle < CROSSING) == (n_fft == LONG)
        parts.append(triangles / triangles.sum(dim=1, keepdim=True).clamp(min=1e-9) * belongs)
    return torch.cat(parts, dim=1)


def tile(level: Tensor) -> Tensor:
    """Return the picture ``(3, 64, 64)``, in bytes, of levels ``(64, 64)`` in dB."""
    dark, bright = level.flatten().quantile(torch.tensor([0.1, 0.995]))
    value = (1 + (level - bright) / ((bright - dark) / 0.85).clamp(*RANGE_DB)).clamp(0, 1)
    hue, clarity = harmony(level)
    height = torch.linspace(0, 1, SIDE)[:, None]
    lightness = 0.10 + 0.86 * value**1.7
    strength = (0.07 + 0.13 * clarity) * (0.45 + 1.5 * value - 1.25 * value**2)
    hues = hue + 0.30 * (value - 0.6) + 0.12 * (height - 0.5)
    picture = from_lightness(lightness, strength, hues).flip(-2)
    return (picture * 255).round().to(torch.uint8)


def harmony(level: Tensor) -> tuple[float, float]:
    """Return the hue, in turns, of where in the octave levels ``(64, time)`` in dB lie, and how clear it is, 0..1.

    Going down an octave is going once through all hues; each band counts by its magnitude.
    """
    magnitude = 10 ** ((level - level.max()) / 20)
    place = (HUE_OF_LOWEST - torch.arange(SIDE) / BANDS_PER_OCTAVE) * TURN
    weight = magnitude.mean(dim=1)
    x, y = float(weight @ torch.cos(place)), float(weight @ torch.sin(place))
    total = max(float(weight.sum()), 1e-9)
    return math.atan2(y, x) / TURN, min(1.0, 2.5 * math.hypot(x, y) / total)
