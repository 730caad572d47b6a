"""Short labels from measured profiles of pictures: what a cluster draws, and where, beside its layer's others."""

from collections.abc import Mapping
from statistics import median

import numpy as np

from audiobend.clustering.labels import all_different
from audiobend.clustering.picture_profile import COLUMNS, ROWS, PictureProfile

UNSEEN = "unseen"
UNSEEN_PERCENT = 0.1
"""A cluster that changes less than this, ablated and doubled, is not seen."""
LINES = 1.25
"""How many times more upright, or more level, than in the layer's median a change must be to be called lines."""
LEANING = 1.3
"""How many times more of a cluster's change than of the layer's median must be of a kind, to be named."""
PLACED = 1.25
"""How many times more of the change must be in a third of the picture than in the layer's mean."""


def name_picture_clusters(profiles: Mapping[int, PictureProfile | None]) -> dict[int, str]:
    """Return a label for each cluster of one layer, all different.

    Parameters
    ----------
    profiles : mapping from cluster index to what ablating it changes, or to None for a cluster that is not seen

    Examples
    --------
    >>> even = np.full(3, 1 / 3)
    >>> upright = PictureProfile(5.0, 2.0, 0.2, 0.5, np.array([0.2, 0.2, 0.6]), even)
    >>> plain = PictureProfile(5.0, 1.0, 0.2, 0.5, even, even)
    >>> name_picture_clusters({0: upright, 1: plain, 2: plain, 3: None})
    {0: 'upright lines, bottom', 1: 'whole picture', 2: 'whole picture 2', 3: 'unseen'}
    """
    seen = {index: one for index, one in profiles.items() if one is not None}
    if not seen:
        return all_different(dict.fromkeys(profiles, UNSEEN), {})
    usual = _Usual(list(seen.values()))
    names = {index: UNSEEN if one is None else usual.label(one) for index, one in profiles.items()}
    return all_different(names, {index: one.change for index, one in seen.items()})


class _Usual:
    """What a layer's clusters have in common."""

    def __init__(self, profiles: list[PictureProfile]) -> None:
        self._upright, self._colour, self._broad = (
            median(getattr(one, name) for one in profiles) for name in ("upright", "colour", "broad")
        )
        self._rows, self._columns = (
            np.mean([getattr(one, name) for one in profiles], axis=0) for name in ("rows", "columns")
        )

    def label(self, one: PictureProfile) -> str:
        words = self._lines(one), self._matter(one), self._scale(one), self._place(one)
        return ", ".join(word for word in words if word) or "whole picture"

    def _lines(self, one: PictureProfile) -> str:
        if one.upright >= LINES * self._upright:
            return "upright lines"
        return "level lines" if one.upright * LINES <= self._upright else ""

    def _matter(self, one: PictureProfile) -> str:
        if one.colour >= LEANING * self._colour:
            return "colour"
        return "light" if 1 - one.colour >= LEANING * (1 - self._colour) else ""

    def _scale(self, one: PictureProfile) -> str:
        if one.broad >= LEANING * self._broad:
            return "broad"
        return "fine" if 1 - one.broad >= LEANING * (1 - self._broad) else ""

    def _place(self, one: PictureProfile) -> str:
        """Return the third that has more than its layer's share, the more telling way around."""
        leaning = [
            (share / max(usual, 1e-9), name)
            for shares, usuals, names in ((one.rows, self._rows, ROWS), (one.columns, self._columns, COLUMNS))
            for share, usual, name in zip(shares, usuals, names, strict=True)
        ]
        most, name = max(leaning)
        return name if most >= PLACED else ""
