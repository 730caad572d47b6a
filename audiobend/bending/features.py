"""Which features of a layer a bend acts on: all, a cluster, a random share, a range, or a list.

Each selection resolves to a sorted 1-D LongTensor of distinct feature indices.
"""

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from audiobend.errors import PatchError

LayerName = int | str


class Labels(Protocol):
    """What a selection by cluster needs to know of one layer; `Clusters.of_layer` gives it."""

    def features_of(self, cluster: int | str) -> Tensor:
        """Return the features of one cluster, sorted."""
        ...


def stable_key(*parts: object) -> int:
    """Return a whole number in 0..2**63-1 that depends on ``parts`` only: the same in every run, everywhere.

    >>> stable_key(7, 1, "dust") == stable_key(7, 1, "dust") != stable_key(8, 1, "dust")
    True
    """
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


@lru_cache(maxsize=512)
def fixed_permutation(n_features: int, key: int) -> Tensor:
    """Return one order of ``range(n_features)``, drawn once per key; do not write into it.

    Raw words of PCG64 are ranked here, because those are promised for ever; the shuffles of numpy and torch
    are not.
    """
    words = np.random.PCG64(key).random_raw(n_features)
    order: list[int] = np.argsort(words, kind="stable").tolist()
    return torch.tensor(order, dtype=torch.long)


@dataclass(frozen=True)
class All:
    """Every feature of the layer."""

    def resolve(self, n_features: int, labels: Labels | None, key: int) -> Tensor:
        """Return ``0..n_features-1``."""
        return torch.arange(n_features)


@dataclass(frozen=True)
class Cluster:
    """The features of one or more clusters, by index or by label."""

    indices: tuple[int | str, ...]

    def resolve(self, n_features: int, labels: Labels | None, key: int) -> Tensor:
        """Return the features of the clusters together; `PatchError` without clusters for the layer."""
        if labels is None:
            raise PatchError("features: cluster needs clusters, but there are none for this layer")
        members = {int(one) for index in self.indices for one in labels.features_of(index)}
        return torch.tensor(sorted(members), dtype=torch.long)


@dataclass(frozen=True)
class Random:
    """A share of the features, ``floor(n_features * fraction)`` of them, drawn once.

    The drawn features are the beginning of one fixed permutation, so that a growing fraction only adds
    features. ``seed`` replaces the patch's seed for this bend.
    """

    fraction: float
    seed: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.fraction <= 1:
            raise PatchError(f"features: random: the fraction must be in 0..1, got {self.fraction:g}")

    def resolve(self, n_features: int, labels: Labels | None, key: int) -> Tensor:
        """Return the drawn features, sorted."""
        count = math.floor(n_features * self.fraction)
        return fixed_permutation(n_features, key)[:count].sort().values


@dataclass(frozen=True)
class Range:
    """Features ``low``, ``low + 1`` .. ``high - 1``: the last one is left out, as in Python."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high:
            raise PatchError(
                f"features: range must be [low, high] with 0 <= low < high, got [{self.low}, {self.high}]"
            )

    def resolve(self, n_features: int, labels: Labels | None, key: int) -> Tensor:
        """Return the range; `PatchError` where the layer has fewer features."""
        if self.high > n_features:
            raise PatchError(
                f"features: range must end at {n_features} or before (this layer has features "
                f"0..{n_features - 1}), got [{self.low}, {self.high}]"
            )
        return torch.arange(self.low, self.high)


@dataclass(frozen=True)
class Indices:
    """A list of features, in any order."""

    indices: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(set(self.indices)) != len(self.indices):
            double = next(index for index in self.indices if self.indices.count(index) > 1)
            raise PatchError(f"features: indices: each feature may stand there once, got {double} twice")

    def resolve(self, n_features: int, labels: Labels | None, key: int) -> Tensor:
        """Return the list, sorted; `PatchError` where the layer has no such feature."""
        for index in self.indices:
            if not 0 <= index < n_features:
                raise PatchError(
                    f"features: indices must be in 0..{n_features - 1} for this layer, got {index}"
                )
        return torch.tensor(sorted(self.indices), dtype=torch.long)


Features = All | Cluster | Random | Range | Indices


def parse_features(text: str) -> Features:
    """Read a selection as one types it: ``all``, ``cluster 1``, ``random 0.25``, ``range 0 9``, ``indices``.

    A seed may stand behind ``random 0.25``.

    >>> parse_features("cluster 1,2"), parse_features("random:0.25"), parse_features("random 0.25 7")
    (Cluster(indices=(1, 2)), Random(fraction=0.25, seed=None), Random(fraction=0.25, seed=7))
    """
    kind, _, rest = text.strip().replace(":", " ").partition(" ")
    words = rest.replace(",", " ").split()
    if kind == "cluster" and rest.strip():
        return Cluster(tuple(int(word) for word in words) if _whole(words) else (rest.strip(),))
    if kind == "all" and not words:
        return All()
    if kind == "random" and len(words) in (1, 2) and _is_float(words[0]) and _whole(words[1:]):
        return Random(float(words[0]), *map(int, words[1:]))
    if kind == "range" and len(words) == 2 and _whole(words):
        return Range(int(words[0]), int(words[1]))
    if kind == "indices" and _whole(words):
        return Indices(tuple(int(word) for word in words))
    raise PatchError(
        "features must be all, cluster <k>, random <fraction>, range <low> <high> or indices <i> <j> .., "
        f"got {text!r}"
    )


def _whole(words: list[str]) -> bool:
    return all(word.isascii() and word.isdigit() for word in words)


def _is_float(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False
