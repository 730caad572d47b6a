"""Patch files: ours, network-bending's of 2020, and Zheng's templates of 2022, told apart by themselves.

Ours is a superset of network-bending's, so that one reader serves both; what is written is always ours.
"""

from collections.abc import Mapping
from typing import Any

from audiobend.bending import LatentBend, Modulation, Output, Patch, WeightBend
from audiobend.bending.latent import check_latent
from audiobend.bending.values import layer_name, shown, told
from audiobend.bending.weights import check_weight
from audiobend.errors import AudiobendError, PatchError
from audiobend.io.bendentries import bend_entry, parse_bends
from audiobend.io.bindings import macros_entry, parse_macros
from audiobend.io.fields import check_keys, given, items, text, wholes
from audiobend.io.files import PathLike
from audiobend.io.template import is_template, parse_template
from audiobend.io.yamlfile import dump_document, named, parse_document, read_document, write_document

VERSION = 1
_TOP = ("audiobend", "name", "seed", "profile", "transforms", "latent", "output", "modulation", "weights", "macros")
_IGNORED = ("all-transforms",)    # the original's example keeps a list of samples under this key


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
        bends=parse_bends(entries, profile),
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
    document["transforms"] = [bend_entry(bend) for bend in patch.bends]
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


def _latent_entry(one: LatentBend) -> dict[str, Any]:
    levels = {} if one.levels is None else {"levels": list(one.levels)}
    return {"op": one.op, **one.params, **levels}
