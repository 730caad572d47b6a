"""A few bends that are as different from one another as possible."""

from collections.abc import Sequence

import numpy as np

LEAST_DB = 1.0
"""Bends that change less are no bends to choose."""


def most_different(changes: Sequence[np.ndarray], n: int) -> list[int]:
    """Return n indices whose smallest distance to one another is as great as possible, as far as exchanges find.

    Distances are Euclidean between maps of changes, so two strong bends that do the same are near each other however
    far they both are from the unbent sound. It starts from the two that are farthest apart, adds what is farthest from
    all chosen (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985), and then exchanges single
    ones while that helps.
    """
    points = np.stack([np.asarray(one, dtype=np.float64).ravel() for one in changes]) if len(changes) else None
    if points is None or len(points) <= n:
        return list(range(len(changes)))
    squares = (points**2).sum(1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * points @ points.T, 0))
    np.fill_diagonal(apart, 0)
    first, second = (int(index) for index in np.unravel_index(apart.argmax(), apart.shape))
    chosen = [first, second if second != first else int(first == 0)][:n]
    while len(chosen) < n:
        gaps = apart[chosen].min(0)
        gaps[chosen] = -1
        chosen.append(int(gaps.argmax()))
    return _exchanged(apart, chosen)


def spread(changes: Sequence[np.ndarray], chosen: Sequence[int]) -> float:
    """Return the smallest distance between any two of the chosen."""
    points = [np.asarray(changes[index], dtype=np.float64).ravel() for index in chosen]
    gaps = [float(np.linalg.norm(a - b)) for i, a in enumerate(points) for b in points[:i]]
    return min(gaps, default=0.0)


def _exchanged(apart: np.ndarray, chosen: list[int]) -> list[int]:
    """Replace one of the closest pair while another keeps farther from all the rest."""
    for _ in range(100):
        among = apart[np.ix_(chosen, chosen)] + np.diag(np.full(len(chosen), np.inf))
        best = (float(among.min()), -1, -1)
        for place in {int(one) for one in np.unravel_index(among.argmin(), among.shape)}:
            rest = [one for index, one in enumerate(chosen) if index != place]
            inner = apart[np.ix_(rest, rest)] + np.diag(np.full(len(rest), np.inf))
            gaps = np.minimum(apart[rest].min(0), inner.min())
            gaps[chosen] = -1
            newcomer = int(gaps.argmax())
            best = max(best, (float(gaps[newcomer]), place, newcomer))
        if best[1] < 0 or best[0] <= float(among.min()) + 1e-9:
            return chosen
        chosen[best[1]] = best[2]
    return chosen
