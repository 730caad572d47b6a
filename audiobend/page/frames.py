"""Pictures on their way to the browser, little endian, as ``docs/page.md`` has them. Pure."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audiobend.page.bands import Bytes

VERSION = 1
COLUMNS, MAPS, MODULATORS = 1, 2, 3
_HEAD = struct.Struct("<BBHId")
_LEVELS = struct.Struct("<4f")
_TAIL = struct.Struct("<B3xf")
COLUMN_BYTES = 3 * 128 + _TAIL.size


class Levels(NamedTuple):
    """Levels and peaks of input and output in dB."""

    in_db: float
    out_db: float
    in_peak: float
    out_peak: float


def columns_frame(
    sequence: int,
    seconds: float,
    levels: Levels,
    heard: tuple[Bytes, Bytes, Bytes],
    hues: NDArray[np.uint8],
    latency_columns: float,
) -> bytes:
    """Return columns as bytes: levels, then for each column In, Out, change, hue and latency.

    Parameters
    ----------
    sequence : int
        Number of the first column; they are numbered since the performance began.
    seconds : float
        Sound that has passed the card.
    heard : In, Out and change, each ``(column, 128)``
    """
    parts = [_HEAD.pack(COLUMNS, VERSION, len(hues), sequence % 2**32, seconds), _LEVELS.pack(*levels)]
    for number, hue in enumerate(hues):
        parts += [one[number].tobytes() for one in heard]
        parts.append(_TAIL.pack(int(hue), latency_columns))
    return b"".join(parts)


class Tile(NamedTuple):
    """An activation map: layer and cluster as numbers, and bytes ``(row, column)``."""

    layer: int
    cluster: int
    pixels: Bytes


def maps_frame(sequence: int, seconds: float, tiles: Sequence[Tile]) -> bytes:
    """Return activation maps as bytes."""
    parts = [_HEAD.pack(MAPS, VERSION, len(tiles), sequence % 2**32, seconds)]
    for one in tiles:
        rows, columns = one.pixels.shape
        parts += [struct.pack("<4B", one.layer, one.cluster, rows, columns), one.pixels.tobytes()]
    return b"".join(parts)


def modulators_frame(sequence: int, seconds: float, values: Sequence[float]) -> bytes:
    """Return the values of what moves as bytes."""
    head = _HEAD.pack(MODULATORS, VERSION, len(values), sequence % 2**32, seconds)
    return head + np.asarray(values, dtype="<f4").tobytes()
