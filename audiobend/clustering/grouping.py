"""Points, one for each feature of a layer, to groups: k-means or DBSCAN, with figures that say how firm they are."""

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from audiobend.errors import ClusteringError

ALGORITHMS = ("kmeans", "dbscan")
STARTS = 50
"""K-means keeps the best of as many random starts."""
SEEDS = 5
"""Stability is over as many seeds."""
NEIGHBOURS = 4
"""Points, itself among them, that a point needs near it to be the core of a DBSCAN cluster."""

Points = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """Which group each feature is in.

    Attributes
    ----------
    labels : array of int, shape ``(feature,)``
    noise : int or None
        The group of the features that belong nowhere (DBSCAN); always the last one.
    figures : dict
        ``silhouette`` (-1..1; of the features that are not noise) and, with k-means, ``stability``: the mean adjusted
        Rand index between the groups of five seeds (1: always the same). With DBSCAN ``eps``.
    """

    labels: Labels
    noise: int | None = None
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def n_groups(self) -> int:
        """Groups, the one of the noise among them."""
        return int(self.labels.max()) + 1


def group(
    points: Points, n_groups: int, seed: int, algorithm: str = "kmeans", eps: float | None = None
) -> Groups:
    """Put points that lie near one another into groups.

    Parameters
    ----------
    points : array of shape ``(feature, dimension)``
    n_groups : int
        For k-means; DBSCAN finds how many there are.
    seed : int
    algorithm : "kmeans" or "dbscan"
        K-means is Lloyd's with Forgy's start (centres are points drawn at random), and an empty group gets the point
        that is farthest from its centre.
    eps : float or None
        Radius of DBSCAN; None takes that with the best silhouette times the share of points that are no noise.

    Raises
    ------
    ClusteringError
        If there are fewer different points than groups.
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    with threadpool_limits(1):    # sums in another order would be other bits
        if algorithm == "dbscan":
            return _dbscan(points, eps)
        distinct = n_distinct(points)
        if distinct < n_groups:
            raise ClusteringError(
                f"{n_groups} clusters need as many features that differ, but of {len(points)} only {distinct} do; "
                f"ask for at most {distinct}"
            )
        return _kmeans(points, n_groups, seed)


def n_distinct(points: Points) -> int:
    """Return how many points differ by more than rounding."""
    scale = np.abs(points).max() or 1.0
    return len(np.unique((points / scale).round(7), axis=0))


def principal(points: Points, n_axes: int = 8) -> Points:
    """Return points along their first principal axes."""
    with threadpool_limits(1):
        return np.asarray(PCA(min(n_axes, *points.shape), svd_solver="full").fit_transform(points))


def _kmeans(points: Points, n_groups: int, seed: int) -> Groups:
    if n_groups == 1:
        return Groups(np.zeros(len(points), np.int64), figures={"stability": 1.0})
    runs = [_lloyd(points, n_groups, seed + index) for index in range(SEEDS)]
    agreement = [adjusted_rand_score(a, b) for a, b in combinations(runs, 2)]
    figures = _silhouette(points, runs[0]) | {"stability": float(np.mean(agreement))}
    return Groups(runs[0], figures=figures)


def _lloyd(points: Points, n_groups: int, seed: int) -> Labels:
    kmeans = KMeans(n_groups, init="random", algorithm="lloyd", n_init=STARTS, random_state=seed)
    return np.asarray(kmeans.fit_predict(points), np.int64)


def _dbscan(points: Points, eps: float | None) -> Groups:
    radii = [eps] if eps else _radii(points)
    found = [(radius, DBSCAN(eps=radius, min_samples=NEIGHBOURS).fit_predict(points)) for radius in radii]
    radius, labels = max(found, key=lambda one: _quality(points, one[1]))    # the first of equals
    belongs = labels >= 0
    n_groups = int(labels.max()) + 1
    figures = _silhouette(points[belongs], labels[belongs]) | {"eps": float(radius)}
    if belongs.all():
        return Groups(np.asarray(labels, np.int64), figures=figures)
    return Groups(np.where(belongs, labels, n_groups).astype(np.int64), n_groups, figures)


def _radii(points: Points) -> list[float]:
    """Distances to the fourth point, itself counted, from the denser to the sparser places."""
    near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(points))).fit(points)
    farthest = near.kneighbors(points)[0][:, -1]
    return [float(max(radius, 1e-9)) for radius in np.quantile(farthest, np.linspace(0.1, 0.95, 18))]


def _quality(points: Points, labels: NDArray[np.int64]) -> float:
    belongs = labels >= 0
    silhouette = _silhouette(points[belongs], labels[belongs]).get("silhouette")
    return -1.0 if silhouette is None else silhouette * float(belongs.mean())


def _silhouette(points: Points, labels: Labels) -> dict[str, float]:
    if not 2 <= len(np.unique(labels)) < len(points):    # where it is not defined
        return {}
    return {"silhouette": float(silhouette_score(points, labels))}
