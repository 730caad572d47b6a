"""The chain of bends as a whole: one more, another order, and which of them are heard alone."""

from audiobend.bending import Bend, Patch, get_transform
from audiobend.bending.features import LayerName, parse_features
from audiobend.bending.patch import new_id
from audiobend.errors import ControlError, did_you_mean


def added(patch: Patch, layer: LayerName, transform: str, features: str) -> Patch:
    """Return the patch with one more bend at its end, switched off, with its transform's defaults."""
    entry = get_transform(transform, patch.profile)
    id = new_id(layer, entry.name, [bend.id for bend in patch.bends])
    return patch.with_bend(Bend(id, layer, entry.name, entry.defaults(), parse_features(features), on=False))


def order_of(patch: Patch) -> str:
    """Return the ids of all bends in the order in which they act, with blanks between."""
    return " ".join(bend.id for bend in patch.bends)


def ordered(patch: Patch, order: object) -> Patch:
    """Return the patch with its bends in another order: the ids given first, then all that are not named.

    >>> patch = Patch().add(1, "erode", id="a").add(1, "invert", id="b").add(2, "invert", id="c")
    >>> order_of(ordered(patch, "c a"))
    'c a b'
    """
    names = _ids(patch, order, "order")
    first = [patch.bend(id) for id in names]
    return patch.replace(bends=(*first, *(bend for bend in patch.bends if bend.id not in names)))


def solo_of(patch: Patch, ids: object) -> str:
    """Return the ids of the bends that are to be heard alone, each once; `ControlError` where there is no such bend."""
    return " ".join(_ids(patch, ids, "solo"))


def _ids(patch: Patch, given: object, what: str) -> list[str]:
    names = list(dict.fromkeys(str(given).split()))
    known = {bend.id for bend in patch.bends}
    for name in names:
        if name not in known:
            raise ControlError(f"{what}: there is no bend '{name[:64]}'{did_you_mean(name[:64], known)}")
    return names
