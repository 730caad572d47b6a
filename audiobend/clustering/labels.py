"""Short labels from measured profiles: where in the spectrum and when a cluster acts, beside its layer's others.

A layer's features share a way of acting: those of layer 1 change the whole sound, and none of them does nothing to the
bass. So a label says where a cluster does more than its layer does on average, and says ``whole sound`` where
everything else moves with it.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from audiobend.clustering.descriptors import Profile

SILENT_DB = 0.1
"""A cluster that changes less than this, ablated and doubled, does not sound."""
LEANING = 1.07
"""How many times more than in the layer's mean profile a band must change to be named."""
FOCUS = 1.25
"""How many times more than the whole sound a band must change to be named alone."""
TRANSIENT, SUSTAINED = (1.25, 1.08), (1.03, 0.97)
"""Change in attacks over change in steady columns: of the cluster itself, and beside the layer's median."""
TEXTURE = 0.33
"""A change whose mean is this small beside its size takes here and gives there."""

APART = 1.3
"""How many times more one of two changes must be to be called strong beside the other."""

_PLACES: Mapping[tuple[int, int], str] = {
    (0, 0): "bass", (0, 1): "low band", (0, 2): "lows and mids", (1, 1): "low band", (1, 2): "low mids",
    (1, 3): "mid band", (2, 2): "mid band", (2, 3): "upper mids", (3, 3): "presence", (3, 4): "high band",
    (3, 5): "high band", (4, 4): "high band", (4, 5): "high band", (5, 5): "air",
}
_MORE = {"low band": "lows", "mid band": "mids", "high band": "highs"}


def silent(profiles: Sequence[Profile]) -> bool:
    """Return whether none of these changes can be heard."""
    return all(one.all < SILENT_DB for one in profiles)


def name_clusters(profiles: Mapping[int, Profile | None]) -> dict[int, str]:
    """Return a label for each cluster of one layer, all different.

    Parameters
    ----------
    profiles : mapping from cluster index to what ablating it changes, or to None for a cluster that does not sound

    Examples
    --------
    >>> bands = np.array([4.0, 1, 1, 1, 1, 1]), np.array([1.0, 1, 1, 1, 1, 5])
    >>> low, high = (Profile(one, 2.0, 2.0, 2.0, -2.0) for one in bands)
    >>> name_clusters({0: low, 1: high, 2: None})
    {0: 'bass', 1: 'air', 2: 'silent'}
    """
    sounding = {index: one for index, one in profiles.items() if one is not None}
    if not sounding:
        return all_different(dict.fromkeys(profiles, "silent"), {})
    usual = np.mean([_share(one) for one in sounding.values()], axis=0)
    pace = float(np.median([_pace(one) for one in sounding.values()]))
    names = {index: "silent" if one is None else _label(one, usual, pace) for index, one in profiles.items()}
    return all_different(names, {index: one.all for index, one in sounding.items()})


def _share(profile: Profile) -> np.ndarray:
    return np.asarray(profile.bands / max(profile.bands.mean(), 1e-9))


def _pace(profile: Profile) -> float:
    return profile.attacks / max(profile.steady, 1e-9)


def _label(profile: Profile, usual: np.ndarray, usual_pace: float) -> str:
    when = _when(_pace(profile), usual_pace)
    place, focused = _where(_share(profile), usual)
    texture = "texture" if abs(profile.signed) < TEXTURE * profile.all else ""
    if when == "transients":    # what one hears first
        words = [when, place]
    elif place and focused:
        words = [place, when]
    else:
        words = ["whole sound", f"more {_MORE.get(place, place)}" if place else "", when]
    return ", ".join(word for word in [*words, texture] if word)


def _when(pace: float, usual: float) -> str:
    if pace >= TRANSIENT[0] and pace >= TRANSIENT[1] * usual:
        return "transients"
    if pace <= SUSTAINED[0] and pace <= SUSTAINED[1] * usual:
        return "sustained"
    return ""


def _where(share: np.ndarray, usual: np.ndarray) -> tuple[str, bool]:
    """Return the bands that change more than in the layer's mean, and whether they do so more than the whole sound."""
    leaning = np.log(np.maximum(share, 1e-9) / np.maximum(usual, 1e-9))
    peak = int(leaning.argmax())
    if leaning[peak] < np.log(LEANING):
        return "", False
    near = leaning >= max(leaning[peak] / 2, np.log(LEANING) / 2)
    first = last = peak
    while first > 0 and near[first - 1]:
        first -= 1
    while last + 1 < len(near) and near[last + 1]:
        last += 1
    if (first, last) not in _PLACES:    # wider than a word
        first = last = peak
    return _PLACES[first, last], bool(share[first : last + 1].mean() >= FOCUS)


def all_different(names: dict[int, str], changes: Mapping[int, float]) -> dict[int, str]:
    """Tell clusters of one label apart: by how much they change where that differs enough, else by number."""
    result = dict(names)
    for label in set(names.values()):
        alike = [index for index, name in names.items() if name == label]
        words = _strengths([changes.get(index, 0.0) for index in alike]) if label not in ("silent", "unseen") else None
        for count, index in enumerate(alike):
            if words:
                result[index] = ", ".join(word for word in (label, words[count]) if word)
            elif count:
                result[index] = f"{label} {count + 1}"
    return result


def _strengths(changes: Sequence[float]) -> list[str] | None:
    """Return words for two or three strengths that are well apart; None for others.

    >>> _strengths([4, 2]), _strengths([4, 2, 8]), _strengths([4, 4.1]), _strengths([4])
    (['strong', 'soft'], ['', 'soft', 'strong'], None, None)
    """
    order = sorted(changes)
    apart = all(high >= APART * low for low, high in pairwise(order))
    if len(changes) not in (2, 3) or not apart:
        return None
    words = ["soft", "strong"] if len(changes) == 2 else ["soft", "", "strong"]
    return [words[order.index(change)] for change in changes]
