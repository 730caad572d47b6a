"""One gesture for sound and picture: what a patch for a sound model means in a picture model.

Networks of both kinds run from coarse to fine, so layers are matched by their relative depth: the first decoder layer
of n is the first convolution of m, the last the last, and what lies between keeps its share of the way. The encoder
(``e1``..) goes to the mapping network (``m1``..), the latent code ``z`` to the styles ``w``. Clusters and features keep
their share of their layer, axes of the latent code their number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from audiobend.bending import All, Bend, Cluster, Clusters, Features, Indices, Modulation, Patch, Random, Range
from audiobend.bending.features import LayerName
from audiobend.bending.resolution import Layer
from audiobend.control import Context
from audiobend.control.fitting import fitting
from audiobend.errors import AudiobendError

SAME_PART = {"": "", "e": "m"}
"""By the stem of a layer's name: decoder to convolutions, encoder to mapping network."""


@dataclass(frozen=True, eq=False)
class Side:
    """The layers of one of the two networks, in the order in which data runs through them."""

    layers: Sequence[Layer]
    clusters: Clusters | None = None
    n_axes: int = 0
    _found: Mapping[LayerName, Layer] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_found", {layer.name: layer for layer in self.layers})

    @property
    def context(self) -> Context:
        """What patches are checked against."""
        return Context(self.layers, self.clusters, self.n_axes)

    def n_features(self, layer: LayerName) -> int:
        """Return how many features a layer has; 0 where there is no such layer."""
        return self._found[layer].n_features if layer in self._found else 0

    def n_clusters(self, layer: LayerName) -> int:
        """Return how many clusters a layer has; 0 where it has none."""
        return self.clusters.n_clusters(layer) if self.clusters and layer in self.clusters else 0

    def names(self, stem: str) -> list[LayerName]:
        """Return the layers of one part of the network; of convolutions those from 1 on."""
        return [one.name for one in self.layers if _stem(one.name) == stem and one.name != 0]


def _stem(name: LayerName) -> str:
    return str(name).rstrip("0123456789")


def layer_at_same_depth(layer: LayerName, sound: Side, picture: Side) -> LayerName | None:
    """Return the picture's layer that lies as deep as one of the sound's; None where there is none.

    >>> from types import SimpleNamespace as L
    >>> sound = Side([L(name=n, n_features=4) for n in ("e1", "e2", "z", 1, 2, 3, 4, 5)])
    >>> picture = Side([L(name=n, n_features=4) for n in ("z", "m1", "m2", "m3", "w", "const", *range(17))])
    >>> [layer_at_same_depth(one, sound, picture) for one in ("e1", "e2", "z", 1, 2, 3, 4, 5)]
    ['m1', 'm3', 'w', 1, 5, 9, 12, 16]
    """
    if layer == "z":
        return "w" if picture.n_features("w") else None
    stem = _stem(layer)
    there, here = sound.names(stem), picture.names(SAME_PART.get(stem, "?"))
    if layer not in there or not here:
        return None
    share = there.index(layer) / (len(there) - 1) if len(there) > 1 else 0.5
    return here[int(share * (len(here) - 1) + 0.5)]


def features_at_same_place(features: Features, layer: LayerName, to: LayerName, sound: Side, picture: Side) -> Features:
    """Return the features of the picture's layer ``to`` that stand for some of the sound's ``layer``.

    Of clusters the one at the same share of all, or, where the picture's layer has none, that share of its features;
    of lists and ranges the same share; of random ones as many in proportion.
    """
    before, after = sound.n_features(layer), picture.n_features(to)
    if isinstance(features, All | Random) or before <= 1:
        return features if isinstance(features, Random) else All()
    if not isinstance(features, Cluster):
        return _shares(_numbers(features), before, after)
    assert sound.clusters is not None
    n_before, n_after = sound.n_clusters(layer), picture.n_clusters(to)
    own = [sound.clusters.of_layer(layer).index_of(one) for one in features.indices]
    if not n_after:
        return _shares(own, n_before, after)
    return Cluster(tuple(sorted({int((one + 0.5) / n_before * n_after) for one in own})))


def _numbers(features: Range | Indices) -> Sequence[int]:
    return range(features.low, features.high) if isinstance(features, Range) else features.indices


def _shares(numbers: Sequence[int], before: int, after: int) -> Indices:
    found: set[int] = set()
    for one in numbers:
        first = one * after // before
        found.update(range(first, max((one + 1) * after // before, first + 1)))
    return Indices(tuple(sorted(found)))


def picture_patch(patch: Patch, sound: Side, picture: Side) -> Patch:
    """Return what a patch for sound does to pictures; what has no meaning there is left out.

    Ids, parameters, mixes, switches and movements are the same, so that one gesture turns both.
    """
    bends = [found for one in patch.bends if (found := _bend(one, sound, picture)) is not None]
    kept = {one.id for one in bends}
    return fitting(
        Patch(
            patch.name,
            patch.seed,
            patch.profile,
            tuple(bends),
            tuple(replace(one, levels=None) for one in patch.latent),
            modulation=tuple(one for one in patch.modulation if _is_kept(one, kept)),
            weights=tuple(
                replace(one, layer=to)
                for one in patch.weights
                if isinstance(to := layer_at_same_depth(one.layer, sound, picture), int)
            ),
        ),
        picture.context,
    )


def _bend(bend: Bend, sound: Side, picture: Side) -> Bend | None:
    to = layer_at_same_depth(bend.layer, sound, picture)
    if to is None:
        return None
    try:
        return replace(bend, layer=to, features=features_at_same_place(bend.features, bend.layer, to, sound, picture))
    except AudiobendError:    # a cluster that is not there
        return None


def _is_kept(one: Modulation, bends: set[str]) -> bool:
    owner = one.target.partition("/")[0]
    return owner == "latent" or owner in bends
