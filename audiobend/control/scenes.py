"""What lies between two scenes. Numbers slide; what cannot slide fades, by its mix, out of one and into the other.

- A bend that both scenes have (same id, layer, transform, profile and features): parameters and mix slide. A bend
  switched off counts as mix 0, so that switches ramp.
- A bend of one scene only, and bends that differ under one id: mix 0 in the other scene.
- The latent code: amounts slide from or to the value that does nothing. Oscillators: their depth does.
- Macros move what they move in either scene, over the ranges of the nearer one.
- What has no in-between (kernels, limiter, level matching, the seed of noise) changes half-way.

At 0 the first scene itself comes back, at 1 the second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from audiobend.bending import (
    Bend,
    Binding,
    Indices,
    LatentBend,
    Modulation,
    Output,
    Patch,
    Random,
    Transform,
    get_transform,
)
from audiobend.bending.bend import OUTPUT_PARAMS
from audiobend.bending.checking import check_params
from audiobend.bending.features import LayerName, stable_key
from audiobend.bending.latent import LATENT_OPS
from audiobend.bending.resolution import Layer
from audiobend.bending.transform import Number
from audiobend.errors import ControlError

MAX_NAME = 64
_NOT_IN_NAMES = set("/\\#*,?[]{}")
_NEUTRAL = {"offset": {"amount": 0.0}, "scale": {"factor": 1.0}, "noise": {"sigma": 0.0}}

def check_name(name: str, kind: str = "scene") -> str:
    """Return the name of a scene or a take: words, never a path; `ControlError` with the rule."""
    wrong = not name.strip() or len(name) > MAX_NAME or name.startswith(".") or not name.isprintable()
    if wrong or _NOT_IN_NAMES & set(name):
        rule = f"1..{MAX_NAME} letters, no dot first, and none of / \\ # * , ? [ ] {{ }}"
        raise ControlError(f"a {kind}'s name must be {rule}; got '{name[:MAX_NAME]}'")
    return name

def morph(a: Patch, b: Patch, position: float, layers: Sequence[Layer] = ()) -> Patch:
    """Return the patch a share ``position`` (0..1) of the way from ``a`` to ``b``.

    A bend that has to take another name on the way (see above) keeps the features that are drawn for its own; for that
    the network's ``layers`` are needed.

    >>> low = Patch().add(3, "erode", {"radius": 2}, id="fog")
    >>> high = Patch().add(3, "erode", {"radius": 6}, id="fog", on=False)
    >>> between = morph(low, high, 0.5).bend("fog")
    >>> between.params["radius"], between.mix, between.on
    (4, 0.5, True)
    """
    if position <= 0:
        return a
    if position >= 1:
        return b
    nearer = a if position < 0.5 else b
    bends, renamed = _bends(a, b, position, {layer.name: layer.n_features for layer in layers})
    return Patch(
        name=_name_between(a.name, b.name, nearer.name),
        seed=nearer.seed,
        profile=a.profile,
        bends=bends,
        latent=_latent(a.latent, b.latent, position),
        output=_output(a.output, b.output, nearer.output, position),
        modulation=_modulation(a, b, renamed, position),
        weights=nearer.weights,
        macros=_macros(a.macros, b.macros, renamed, position),
    )

def _name_between(a: str, b: str, nearer: str) -> str:
    """Return a name for what lies between; scenes kept of it, and morphed again, do not grow theirs for ever."""
    both = f"{a} > {b}"
    return both if len(both) <= 2 * MAX_NAME else nearer[: 2 * MAX_NAME]


def _between(a: Number, b: Number, position: float) -> float:
    return a + (b - a) * position

def _bends(
    a: Patch, b: Patch, position: float, n_features: Mapping[LayerName, int]
) -> tuple[tuple[Bend, ...], dict[str, str]]:
    """Return the bends of both, and the names that bends of ``b`` have where another of ``a`` has theirs."""
    first = {bend.id: pinned(bend, a) for bend in a.bends}
    second = {bend.id: pinned(bend, b) for bend in b.bends}
    merged = {id: _faded(bend, 1 - position) for id, bend in first.items()}
    renamed: dict[str, str] = {}
    order = list(first)
    place = 0
    for id, bend in second.items():
        if id in first and _alike(first[id], bend):
            merged[id] = _slid(first[id], bend, position)
            place = order.index(id) + 1
            continue
        free = id if id not in first else _free_id(id, {*first, *second, *renamed.values()})
        renamed[id] = free
        merged[free] = _faded(_named(bend, free, n_features), position)
        order.insert(place, free)    # behind the bend that it follows in its own scene
        place += 1
    return tuple(merged[id] for id in order), renamed

def pinned(bend: Bend, patch: Patch) -> Bend:
    """Return a bend that means the same in a patch of another profile and seed."""
    features = bend.features
    if isinstance(features, Random) and features.seed is None:
        features = replace(features, seed=patch.seed)
    return replace(bend, features=features, profile=patch.profile_of(bend))

def _named(bend: Bend, id: str, n_features: Mapping[LayerName, int]) -> Bend:
    """Return a bend under another name; what is drawn for a name is drawn for the old one."""
    features = bend.features
    if id != bend.id and isinstance(features, Random) and bend.layer in n_features:
        key = stable_key(features.seed or 0, bend.layer, bend.id)
        features = Indices(tuple(features.resolve(n_features[bend.layer], None, key).tolist()))
    return replace(bend, id=id, features=features)


def _alike(a: Bend, b: Bend) -> bool:
    same = (a.layer, a.transform, a.profile, a.with_norm) == (b.layer, b.transform, b.profile, b.with_norm)
    both_random = isinstance(a.features, Random) and isinstance(b.features, Random)
    return same and (a.features == b.features or (both_random and _seed(a) == _seed(b)))

def _seed(bend: Bend) -> int | None:
    return bend.features.seed if isinstance(bend.features, Random) else None

def _faded(bend: Bend, share: float) -> Bend:
    return replace(bend, mix=bend.mix * share)

def _slid(a: Bend, b: Bend, position: float) -> Bend:
    """Return a bend between two that differ in numbers only; one that is off in one of them has mix 0 there."""
    features = a.features
    if isinstance(features, Random) and isinstance(b.features, Random):
        features = replace(features, fraction=_between(features.fraction, b.features.fraction, position))
    heard = a.on or b.on
    mix = _between(a.mix if a.on or not heard else 0.0, b.mix if b.on or not heard else 0.0, position)
    params = _slid_params(get_transform(a.transform, a.profile or "default"), a.params, b.params, position)
    return replace(a, params=params, features=features, mix=mix, on=heard)


def _slid_params(
    entry: Transform, a: Mapping[str, Number], b: Mapping[str, Number], position: float
) -> dict[str, Number]:
    """Return parameters between two sets; those that are whole stay so."""
    first, second = check_params(entry, a), check_params(entry, b)
    between = {name: _between(value, second[name], position) for name, value in first.items()}
    return {name: round(value) if entry.param(name).integer else value for name, value in between.items()}

def _free_id(id: str, taken: set[str]) -> str:
    return next(free for n in count(2) if (free := f"{id}~{n}") not in taken)

def _output(a: Output, b: Output, nearer: Output, position: float) -> Output:
    slid: dict[str, Any] = {
        name: _between(getattr(a, name), getattr(b, name), position) for name in OUTPUT_PARAMS
    }
    return replace(nearer, **slid)

def _latent(
    a: tuple[LatentBend, ...], b: tuple[LatentBend, ...], position: float
) -> tuple[LatentBend, ...]:
    first, second = _by_key(a), _by_key(b)
    slid = (_slid_latent(first.get(key), second.get(key), position) for key in {**first, **second})
    return tuple(one for one in slid if one is not None)

def _by_key(entries: tuple[LatentBend, ...]) -> dict[Any, LatentBend]:
    """Return operations by what must agree for their numbers to slide; several of a kind go by their order."""
    found: dict[Any, LatentBend] = {}
    for one in entries:
        if one.op == "invert":    # the same as stretching by -1, which can slide
            one = LatentBend("scale", {**one.params, "factor": -1.0}, one.levels)
        fixed = (one.op, one.params.get("axis"), one.params.get("replace"), one.levels)
        found[next((*fixed, n) for n in count() if (*fixed, n) not in found)] = one
    return found

def _slid_latent(a: LatentBend | None, b: LatentBend | None, position: float) -> LatentBend | None:
    there = a or b
    if there is None or (there.params.get("replace") and (a is None or b is None)):
        return a if position < 0.5 else b    # noise in the code's place is there or not
    neutral: Mapping[str, Number] = {**there.params, **_NEUTRAL.get(there.op, {})}
    start, end = (a.params if a else neutral), (b.params if b else neutral)
    return replace(there, params=_slid_params(LATENT_OPS[there.op], start, end, position))

def _modulation(a: Patch, b: Patch, renamed: Mapping[str, str], position: float) -> tuple[Modulation, ...]:
    """Return the oscillators of both; those that both have (but for their depth) slide, the others fade."""
    depths: dict[Modulation, float] = {}
    for one in a.modulation:
        _add(depths, one, 1 - position)
    for one in b.modulation:
        _add(depths, replace(one, target=_renamed(one.target, renamed)), position)
    return tuple(replace(one, depth=depth) for one, depth in depths.items())

def _macros(
    a: tuple[Binding, ...], b: tuple[Binding, ...], renamed: Mapping[str, str], position: float
) -> tuple[Binding, ...]:
    second = tuple(replace(one, target=_renamed(one.target, renamed)) for one in b)
    found = {(one.number, one.target): one for one in (*a, *second)}
    nearer = a if position < 0.5 else second
    return tuple((found | {(one.number, one.target): one for one in nearer}).values())


def _renamed(target: str, renamed: Mapping[str, str]) -> str:
    owner, _, name = target.partition("/")
    return f"{renamed.get(owner, owner)}/{name}"


def _add(depths: dict[Modulation, float], one: Modulation, share: float) -> None:
    key = replace(one, depth=0)
    depths[key] = depths.get(key, 0.0) + one.depth * share
