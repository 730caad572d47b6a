"""Activation maps as tiles: what the engine wrote of each stride; the newest on the right, high frequencies on top."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audiobend.live.rings import MAP_WIDTH, MAX_MAPS, N_MAPPED, Shared
from audiobend.page.bands import Floats
from audiobend.page.frames import Tile

ROWS = 24
FADE = 0.98
"""By how much the brightest that a cluster is measured by goes down with each row."""


class Maps:
    """The last rows of every cluster's map.

    Parameters
    ----------
    shared : Shared
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._rows: Floats = np.zeros((MAX_MAPS, ROWS, MAP_WIDTH), np.float32)
        self._brightest: Floats = np.full(MAX_MAPS, 1e-6, np.float32)
        self._last = -1

    def tiles(self, wanted: Sequence[tuple[int, int, int]]) -> list[Tile]:
        """Return tiles of what is wanted, given as place among the maps, layer and cluster; none where nothing is new.

        255 is the most that the cluster lit up in the last seconds.
        """
        if not self._take():
            return []
        share = self._rows / self._brightest[:, None, None]
        pixels: NDArray[np.uint8] = np.clip(255 * np.sqrt(np.clip(share, 0, 1)), 0, 255).astype(np.uint8)
        return [Tile(layer, cluster, pixels[place].T[::-1]) for place, layer, cluster in wanted if place < MAX_MAPS]

    def _take(self) -> bool:
        """Take the rows that are new, in order."""
        written = self._shared.mapped
        columns = written["column"].copy()
        order = [slot for slot in np.argsort(columns) if columns[slot] > self._last]
        if not order or columns[order[-1]] <= 0:
            return False
        self._last = int(columns[order[-1]])
        for slot in order[-min(ROWS, N_MAPPED) :]:
            row = written["maps"][slot]
            self._rows = np.concatenate([self._rows[:, 1:], row[:, None]], axis=1)
            self._brightest = np.maximum(self._brightest * FADE, row.max(axis=1)).clip(min=1e-6)
        return True
