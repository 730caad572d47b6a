"""Names of everything in a patch that can be changed: ``fog/radius``, ``output/detail``, ``seed``."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from audiobend.bending.apply import MIX
from audiobend.bending.bend import OUTPUT_PARAMS, OUTPUT_SWITCHES, LatentBend, Output
from audiobend.bending.features import Features, parse_features
from audiobend.bending.latent import LATENT_OPS
from audiobend.bending.transform import Param, Transform, get_transform
from audiobend.bending.values import layer_name, number, switch, told
from audiobend.errors import PatchError, did_you_mean

if TYPE_CHECKING:
    from audiobend.bending.patch import Patch

T = TypeVar("T")

_AXIS = re.compile(r"0|[1-9][0-9]{0,3}")    # one way of writing each, so that a movement has one name


def find_param(patch: "Patch", target: str) -> Param:
    """Return the range of a target that takes numbers; `PatchError` with the nearest name."""
    owner, _, name = target.partition("/")
    if owner == "output":
        return _known(target, "output", name, OUTPUT_PARAMS)
    if owner == "latent":
        return _along_axis(target)[2]
    bend = patch.bend(owner)
    if name == "mix":
        return MIX
    entry = get_transform(bend.transform, patch.profile_of(bend))
    names = {key: param for param in entry.params for key in (param.name, *param.aliases)}
    return _known(target, entry.name, name, names, [*(param.name for param in entry.params), *_OF_BEND])


def get_value(patch: "Patch", target: str) -> Any:
    """Return the value of a target; a parameter that the patch does not name has its default."""
    owner, _, name = target.partition("/")
    if target == "seed":
        return patch.seed
    if owner == "output":
        _output_name(target, name, patch.output)
        return getattr(patch.output, name)
    if owner == "latent":
        axis, op, param = _along_axis(target)
        index = find_latent(patch, axis, op)
        params = {} if index is None else patch.latent[index].params
        return params.get(param.name, float(param.default))
    bend = patch.bend(owner)
    if name in _OF_BEND:
        return getattr(bend, name)
    param = find_param(patch, target)
    default = int(param.default) if param.integer else float(param.default)
    return next((bend.params[key] for key in (param.name, *param.aliases) if key in bend.params), default)


def set_value(patch: "Patch", target: str, value: Any) -> "Patch":
    """Return a copy of the patch with one value changed; see `Patch.set`."""
    owner, _, name = target.partition("/")
    if target == "seed":
        return patch.replace(seed=number(value, target))
    if owner == "output":
        _output_name(target, name, patch.output)
        read = switch if name in OUTPUT_SWITCHES else number
        return patch.replace(output=replace(patch.output, **{name: read(value, target)}))
    if owner == "latent":
        return _set_latent(patch, target, value)
    bend = patch.bend(owner)
    if name in _OF_BEND:
        return patch.with_bend(replace(bend, **{name: _OF_BEND[name](value, target)}))
    param = find_param(patch, target)
    wanted = number(value, target)
    checked = told(owner, lambda: param.check(wanted, bend.transform))
    others = {key: old for key, old in bend.params.items() if key not in param.aliases}
    return patch.with_bend(replace(bend, params={**others, param.name: checked}))


def find_latent(patch: "Patch", axis: int, op: str) -> int | None:
    """Return which of the patch's ``latent`` entries works along an axis, or None."""
    for index, one in enumerate(patch.latent):
        if one.op == op and one.params.get("axis") == axis:
            return index
    return None


def check_moves(patch: "Patch", target: str) -> None:
    """Refuse a movement along an axis of the latent code that the patch does not bend."""
    if target.startswith("latent/"):
        axis, op, _ = _along_axis(target)
        if find_latent(patch, axis, op) is None:
            raise PatchError(f"{target}: there is no entry under latent that does '{op}' along axis {axis}")


def _along_axis(target: str) -> tuple[int, str, Param]:
    """Take ``latent/<axis>/<op>`` apart: axis, operation, and the range of its one number."""
    _, _, name = target.partition("/")
    axis, _, op = name.partition("/")
    ops = {key: found for key, entry in LATENT_OPS.items() if (found := _one_number(entry)) is not None}
    if not _AXIS.fullmatch(axis):
        raise PatchError(f"{target}: an axis of the latent code is meant as in latent/3/offset")
    return int(axis), op, _known(target, "latent", op, ops)


def _one_number(entry: Transform) -> Param | None:
    names = [param.name for param in entry.params]
    return entry.params[1] if len(names) == 2 and names[0] == "axis" else None


def _set_latent(patch: "Patch", target: str, value: Any) -> "Patch":
    axis, op, param = _along_axis(target)
    checked = param.check(number(value, target), f"latent/{axis}/{op}")
    index, entries = find_latent(patch, axis, op), list(patch.latent)
    if index is None:
        entries.append(LatentBend(op, {"axis": axis, param.name: checked}))
    else:
        entries[index] = replace(entries[index], params={**entries[index].params, param.name: checked})
    return patch.replace(latent=tuple(entries))


def _selection(value: Any, where: str) -> Features:
    if not isinstance(value, str):
        return value    # type: ignore[no-any-return]
    return told(where, lambda: parse_features(value))


_OF_BEND: dict[str, Callable[[Any, str], Any]] = {
    "mix": number,
    "on": switch,
    "layer": layer_name,
    "features": _selection,
}


def _output_name(target: str, name: str, output: Output) -> None:
    _known(target, "output", name, {one.name: one for one in fields(output)})


def _known(
    target: str, owner: str, name: str, table: Mapping[str, T], names: Iterable[str] | None = None
) -> T:
    if name not in table:
        raise PatchError(f"{target}: {owner} has no '{name}'{did_you_mean(name, names or table)}")
    return table[name]
