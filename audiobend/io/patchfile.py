"""Patch files: ours, network-bending's of 2020, and Zheng's templates of 2022, told apart by themselves.

Ours is a superset of network-bending's, so that one reader serves both; what is written is always ours.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from audiobend.bending import (
    All,
    Bend,
    Cluster,
    Features,
    Indices,
    LatentBend,
    Modulation,
    Output,
    Patch,
    Random,
    Range,
    WeightBend,
)
from audiobend.bending.checking import check_params
from audiobend.bending.latent import check_latent
from audiobend.bending.patch import new_id
from audiobend.bending.values import layer_name, seed_number, shown, switch, told
from audiobend.bending.weights import check_weight
from audiobend.errors import AudiobendError, PatchError, did_you_mean
from audiobend.io.bindings import macros_entry, parse_macros
from audiobend.io.fields import check_keys, given, items, real, text, wholes
from audiobend.io.files import PathLike
from audiobend.io.template import is_template, parse_site, parse_template
from audiobend.io.yamlfile import dump_document, named, parse_document, read_document, write_document

VERSION = 1
_TOP = ("audiobend", "name", "seed", "profile", "transforms", "latent", "output", "modulation", "weights", "macros")
_IGNORED = ("all-transforms",)    # the original's example keeps a list of samples under this key
_ENTRY = (
    *("id", "layer", "transform", "params", "features", "feature-param", "feature-seed"),
    *("mix", "on", "profile", "with-norm", "resolution", "install-after"),
)
_KINDS = ("all", "random", "cluster", "range", "indices")


def load_patch(path: PathLike) -> Patch:
    """Read a patch file; `PatchError` with the file's name, the entry and what would be right."""
    document = read_document(path, error=PatchError)
    return named(path, lambda: parse_patch(document), error=PatchError)


def parse_patch(document: Any) -> Patch:
    """Return the patch that a text, or the plain data of one, describes.

    >>> parse_patch("transforms: [{layer: 3, transform: erode, params: [2]}]").bends[0].id
    '3-erode'
    """
    if isinstance(document, str):
        document = parse_document(document, error=PatchError)
    try:
        return _parse(document)
    except AudiobendError as error:
        raise PatchError(str(error)) from None


def _parse(document: Any) -> Patch:
    if is_template(document):
        return parse_template(document)
    if not isinstance(document, Mapping):
        raise PatchError("a patch must be a mapping with a list 'transforms', or a list of places to bend")
    _check_version(document)
    check_keys(document, (*_TOP, *_IGNORED), "", _TOP)
    if "audiobend" not in document and "transforms" not in document:
        raise PatchError("a patch needs a list 'transforms'")
    profile = text(document, "profile", "default")
    entries = items(document, "transforms")
    return Patch(
        name=text(document, "name", ""),
        seed=given(document, "seed", 0),
        profile=profile,
        bends=_bends(entries, profile),
        latent=tuple(_latent(one, f"latent[{i}]") for i, one in enumerate(items(document, "latent"))),
        output=_output(document.get("output")),
        modulation=tuple(
            _lfo(one, f"modulation[{i}]") for i, one in enumerate(items(document, "modulation"))
        ),
        weights=tuple(_weight(one, f"weights[{i}]") for i, one in enumerate(items(document, "weights"))),
        macros=parse_macros(document.get("macros")),
    )


def save_patch(patch: Patch, path: PathLike) -> None:
    """Write a patch file, whole or not at all; `load_patch` gives an equal patch."""
    write_document(path, dump_patch(patch), error=PatchError)


def dump_patch(patch: Patch) -> str:
    """Return the text of a patch file."""
    return dump_document(patch_document(patch))


def patch_document(patch: Patch) -> dict[str, Any]:
    """Return a patch as the plain data of its file; `parse_patch` gives an equal patch."""
    document: dict[str, Any] = {"audiobend": VERSION, "name": patch.name, "seed": patch.seed}
    document["profile"] = patch.profile
    document["transforms"] = [_bend_entry(bend) for bend in patch.bends]
    if patch.latent:
        document["latent"] = [_latent_entry(one) for one in patch.latent]
    document["output"] = dict(vars(patch.output))
    if patch.modulation:
        document["modulation"] = [dict(vars(one)) for one in patch.modulation]
    if patch.weights:
        document["weights"] = [{"layer": one.layer, "op": one.op, **one.params} for one in patch.weights]
    if patch.macros:
        document["macros"] = macros_entry(patch.macros)
    return document


def _check_version(document: Mapping[str, Any]) -> None:
    version = document.get("audiobend", VERSION)
    if type(version) is not int or version != VERSION:
        raise PatchError(f"audiobend must be {VERSION}, the version of patch files, got {shown(version)}")


def _bends(entries: list[Any], profile: str) -> tuple[Bend, ...]:
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


def _latent(entry: Any, where: str) -> LatentBend:
    op, params = _operation(entry, where, ("levels",))
    levels = entry.get("levels")
    rule = "levels must be a list such as [0, 1]"
    chosen = None if levels is None else told(where, lambda: wholes(levels, rule))
    return LatentBend(op, told(where, lambda: check_latent(op, params)), chosen)


def _weight(entry: Any, where: str) -> WeightBend:
    op, params = _operation(entry, where, ("layer",))
    layer = told(where, lambda: layer_name(entry.get("layer")))
    return WeightBend(layer, op, told(where, lambda: check_weight(op, params)))


def _operation(entry: Any, where: str, others: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("op"), str):
        raise PatchError(f"{where}: must be a mapping with an 'op', got {shown(entry)}")
    return entry["op"], {str(key): value for key, value in entry.items() if key not in ("op", *others)}


def _output(entry: Any) -> Output:
    if entry is None:
        return Output()
    if not isinstance(entry, Mapping):
        raise PatchError(f"output must be a mapping such as {{mix: 1.0, detail: 0.0}}, got {shown(entry)}")
    check_keys(entry, tuple(vars(Output())), "output: ")
    return Output(**entry)


def _lfo(entry: Any, where: str) -> Modulation:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("target"), str):
        raise PatchError(f"{where}: must be a mapping with a 'target' such as fog/radius, got {shown(entry)}")
    check_keys(entry, ("target", "lfo", "rate_hz", "depth", "phase"), f"{where}: ")
    return told(where, lambda: Modulation(**entry))


def _bend_entry(bend: Bend) -> dict[str, Any]:
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


def _latent_entry(one: LatentBend) -> dict[str, Any]:
    levels = {} if one.levels is None else {"levels": list(one.levels)}
    return {"op": one.op, **one.params, **levels}


def _seed(entry: Mapping[str, Any]) -> int | None:
    seed = entry.get("feature-seed")
    return None if seed is None else seed_number(seed, "feature-seed")
