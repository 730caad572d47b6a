"""Bends as they stand in a patch file: what each does, on which features."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from audiobend.bending import All, Bend, Cluster, Features, Indices, Random, Range
from audiobend.bending.checking import check_params
from audiobend.bending.patch import new_id
from audiobend.bending.values import layer_name, seed_number, shown, switch, told
from audiobend.errors import PatchError, did_you_mean
from audiobend.io.fields import check_keys, given, real, text, wholes
from audiobend.io.template import parse_site

_ENTRY = (
    *("id", "layer", "transform", "params", "features", "feature-param", "feature-seed"),
    *("mix", "on", "profile", "with-norm", "resolution", "install-after"),
)
_KINDS = ("all", "random", "cluster", "range", "indices")


def parse_bends(entries: list[Any], profile: str) -> tuple[Bend, ...]:
    """Read entries; those without an id get one that no other has, the same at every reading."""
    taken = [str(entry["id"]) for entry in entries if isinstance(entry, Mapping) and "id" in entry]
    bends = []
    for index, entry in enumerate(entries):
        bend = told(f"transforms[{index}]", partial(_bend, entry, profile, taken))
        taken.append(bend.id)
        bends.append(bend)
    return tuple(bends)


def _bend(entry: Any, profile: str, taken: list[str]) -> Bend:
    if not isinstance(entry, Mapping):
        example = "{layer: 3, transform: erode, params: [2]}"
        raise PatchError(f"must be a mapping such as {example}, got {shown(entry)}")
    entry = {str(key).replace("_", "-"): value for key, value in entry.items()}
    check_keys(entry, _ENTRY)
    for key in ("layer", "transform"):
        if entry.get(key) is None:
            raise PatchError(f"needs '{key}'")
    own_profile = text(entry, "profile", "") or None
    layer, name = layer_name(entry["layer"]), text(entry, "transform", "")
    site = {"resolution": entry.get("resolution"), "install_after": entry.get("install-after")}
    return Bend(
        id=text(entry, "id", "") or new_id(layer, name, taken),
        layer=layer,
        transform=name,
        params=check_params(name, entry.get("params"), own_profile or profile),
        features=_features(entry),
        mix=given(entry, "mix", 1.0),
        on=switch(given(entry, "on", True), "on"),
        profile=own_profile,
        with_norm=switch(given(entry, "with-norm", False), "with-norm"),
        site=None if site == {"resolution": None, "install_after": None} else parse_site(site, "place"),
    )


def _features(entry: Mapping[str, Any]) -> Features:
    kind, value = given(entry, "features", "all"), entry.get("feature-param")
    if kind == "all":
        return All()
    if kind == "random":
        rule = "features: random needs a feature-param: a share of the features in 0..1"
        return Random(real(value, rule), _seed(entry))
    if kind == "cluster":
        return Cluster(_clusters(value))
    if kind == "range":
        low, high = wholes(value, "features: range needs a feature-param [low, high]", count=2)
        return Range(low, high)
    if kind == "indices":
        return Indices(wholes(value, "features: indices needs a feature-param: a list of features"))
    rule = f"features must be one of {', '.join(_KINDS)}"
    raise PatchError(f"{rule}; got {shown(kind)}{_near(kind)}")


def _near(kind: object) -> str:
    hint = did_you_mean(kind, _KINDS)
    return hint if "did you mean" in hint else ""


def _clusters(value: Any) -> tuple[int | str, ...]:
    rule = "features: cluster needs a feature-param: an index such as 1, a label, or a list of them"
    found = []
    for one in value if isinstance(value, list) else [value]:
        whole = isinstance(one, float) and one.is_integer()    # the original reads 2.0 as 2
        if isinstance(one, bool) or not (whole or isinstance(one, int | str)):
            raise PatchError(f"{rule}; got {shown(value)}")
        found.append(int(one) if whole else one)
    return tuple(found)


def _seed(entry: Mapping[str, Any]) -> int | None:
    seed = entry.get("feature-seed")
    return None if seed is None else seed_number(seed, "feature-seed")


def bend_entry(bend: Bend) -> dict[str, Any]:
    """Return a bend as the plain data of its entry; `parse_bends` gives an equal bend."""
    entry: dict[str, Any] = {"id": bend.id, "layer": bend.layer, "transform": bend.transform}
    entry["params"] = dict(bend.params)
    entry.update(_features_entry(bend.features))
    if bend.mix != 1:
        entry["mix"] = bend.mix
    entry["on"] = bend.on
    if bend.profile:
        entry["profile"] = bend.profile
    if bend.with_norm:
        entry["with-norm"] = True
    if bend.site:
        entry.update({"resolution": bend.site.resolution, "install-after": bend.site.install_after})
    return entry


def _features_entry(features: Features) -> dict[str, Any]:
    match features:
        case All():
            return {"features": "all"}
        case Random(fraction, seed):
            entry = {"features": "random", "feature-param": fraction}
            return entry if seed is None else {**entry, "feature-seed": seed}
        case Cluster(indices):
            param = indices[0] if len(indices) == 1 else list(indices)
            return {"features": "cluster", "feature-param": param}
        case Range(low, high):
            return {"features": "range", "feature-param": [low, high]}
        case Indices(indices):
            return {"features": "indices", "feature-param": list(indices)}
    raise PatchError(f"unknown selection of features: {features!r}")
