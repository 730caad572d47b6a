"""What moves a parameter, by name: ``fog/radius/lfo``, ``fog/radius/lfo/rate``, ``output/mix/lfo/depth``.

A patch may hold several movements of one parameter, which add up; the names mean the first of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audiobend.bending.modulation import MODULATION_PARAMS, OFF, Modulation
from audiobend.bending.targets import find_latent, find_param, set_value
from audiobend.bending.transform import Param
from audiobend.bending.values import number, shown
from audiobend.errors import PatchError, did_you_mean

if TYPE_CHECKING:
    from audiobend.bending.patch import Patch

_PARTS = {"rate": "rate_hz", "depth": "depth", "phase": "phase"}
_MARK = "/lfo"

Movement = tuple[str, float, float, float]
"""Shape, rate in Hz, depth in the unit of the parameter, phase in periods."""


def is_movement(target: str) -> bool:
    """Return whether a target means what moves a parameter."""
    return target.endswith(_MARK) or target.rpartition("/")[0].endswith(_MARK)


def moved_by(target: str) -> str:
    """Return the parameter that a movement belongs to.

    >>> moved_by("fog/radius/lfo/rate")
    'fog/radius'
    """
    return target[: target.rindex(_MARK)]


def get_movement(patch: "Patch", target: str) -> Any:
    """Return the four values of ``<parameter>/lfo``, or the one number of ``<parameter>/lfo/rate`` and so on."""
    param, part = _taken_apart(target)
    one = _movement(patch, param, find_param(patch, param))
    return (one.lfo, one.rate_hz, one.depth, one.phase) if not part else getattr(one, _PARTS[part])


def set_movement(patch: "Patch", target: str, value: Any) -> "Patch":
    """Return a copy of the patch with another movement.

    Parameters
    ----------
    target : str
        As of `get_movement`.
    value : str, sequence or number
        For ``/lfo`` the shape, alone or with rate, depth and phase after it, also as text: ``"sine 0.2 1.0"``.
    """
    param, part = _taken_apart(target)
    before = _movement(patch, param, find_param(patch, param))
    if part:
        after = replace(before, **{_PARTS[part]: number(value, target)})
    else:
        shape, *numbers = _words(value, target)
        given = dict(zip(_PARTS.values(), (number(one, target) for one in numbers), strict=False))
        after = replace(before, lfo=shape, **given)
    return _with(patch, param, after)


def find_part(patch: "Patch", target: str) -> Param:
    """Return the range of ``<parameter>/lfo/rate``, ``/depth`` or ``/phase``; `PatchError` where it is none of them."""
    parameter, part = _taken_apart(target)
    of_parameter = find_param(patch, parameter)
    if not part:
        raise PatchError(f"{target} is no number{did_you_mean('', [f'{target}/{one}' for one in _PARTS])}")
    return depth_of(of_parameter) if part == "depth" else MODULATION_PARAMS[_PARTS[part]]


def depth_of(param: Param) -> Param:
    """Return how far a movement may carry a parameter: over its whole range, to either side."""
    span = param.high - param.low
    return Param("depth", -span, span, default=min(1.0, span), unit=param.unit)


def canonical(patch: "Patch", target: str) -> str:
    """Return a parameter's target with its own name, where a patch may have another of its names."""
    owner = target.partition("/")[0]
    return target if owner == "latent" else f"{owner}/{find_param(patch, target).name}"


def _taken_apart(target: str) -> tuple[str, str]:
    param, part = moved_by(target), target[target.rindex(_MARK) + len(_MARK) + 1 :]
    if part and part not in _PARTS:
        raise PatchError(f"{target}: lfo has no '{part}'{did_you_mean(part, _PARTS)}")
    return param, part


def _index(patch: "Patch", param: str) -> int | None:
    known = canonical(patch, param)
    return next((i for i, one in enumerate(patch.modulation) if canonical(patch, one.target) == known), None)


def _movement(patch: "Patch", target: str, param: Param) -> Modulation:
    """Return the first movement of a parameter; one that is off where there is none."""
    index = _index(patch, target)
    if index is not None:
        return patch.modulation[index]
    return Modulation(canonical(patch, target), OFF, depth=min(1.0, param.high - param.low))


def _with(patch: "Patch", param: str, movement: Modulation) -> "Patch":
    index, entries = _index(patch, param), list(patch.modulation)
    if index is not None:
        entries[index] = movement
        return patch.replace(modulation=tuple(entries))
    if movement == _movement(patch, param, find_param(patch, param)):
        return patch    # it is off as it was
    if param.startswith("latent/"):
        _, axis, op = param.split("/")
        if find_latent(patch, int(axis), op) is None:    # a movement along an axis needs an entry to move
            patch = set_value(patch, param, find_param(patch, param).default)
    return patch.replace(modulation=(*entries, movement))


def _words(value: Any, target: str) -> Sequence[Any]:
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, Sequence) or not 1 <= len(words) <= 1 + len(_PARTS):
        raise PatchError(f"{target} must be a shape, and maybe rate, depth and phase, got {shown(value)}")
    return words
