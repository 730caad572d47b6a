"""Macros: sixteen numbers from 0 to 1 of which each moves any number of others over ranges of their own. Pure.

A patch holds what they are bound to, never where they stand: that belongs to whoever plays.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING

from audiobend.bending.bend import OUTPUT_PARAMS
from audiobend.bending.movement import canonical, find_part, is_movement, moved_by
from audiobend.bending.targets import find_param
from audiobend.bending.transform import Number, Param
from audiobend.bending.values import number as as_number
from audiobend.bending.values import shown, told
from audiobend.errors import PatchError, did_you_mean

if TYPE_CHECKING:
    from audiobend.bending.patch import Patch

N_MACROS = 16
SHARE = Param("value", 0, 1, default=0, help="where a macro stands")
_ON = Param("on", 0, 1, default=1, integer=True)
_PREFIX = "macro/"


@dataclass(frozen=True)
class Binding:
    """What one macro does to one number.

    Attributes
    ----------
    number : int in 1..16
    target : str
        ``"<bend id>/<parameter>"``, ``"<bend id>/mix"``, ``"<bend id>/on"``, ``"output/"`` with mix, detail or gain_db
        (or these words alone), ``"latent/<axis>/<op>"``, or ``/lfo/rate``, ``/lfo/depth``, ``/lfo/phase`` behind one
        of them.
    low, high : float or None
        The target's values where the macro is 0 and where it is 1, the second may be the smaller one; None, for both,
        is the whole range of the target.
    """

    number: int
    target: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        check_number(self.number)
        if not isinstance(self.target, str) or not self.target:
            raise PatchError(f"a target such as fog/radius is needed, got {shown(self.target)}")
        if self.target in OUTPUT_PARAMS:
            object.__setattr__(self, "target", f"output/{self.target}")
        if (self.low is None) != (self.high is None):
            raise PatchError(f"{self.target}: a range has two ends, 'from' and 'to'; one is given")
        for end in (self.low, self.high):
            if end is not None and (isinstance(end, bool) or not isinstance(end, Real)):
                rule = "'from' and 'to' must be numbers"
                raise PatchError(f"{self.target}: {rule}, got {shown(end)}")


def check_number(number: object) -> int:
    """Return the number of a macro; `PatchError` where there is none of it."""
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= N_MACROS:
        raise PatchError(f"a macro is one of 1..{N_MACROS}, got {shown(number)}{_near(number)}")
    return number


def _near(number: object) -> str:
    if isinstance(number, bool) or not isinstance(number, int):
        return ""
    return f"; the nearest is {min(max(number, 1), N_MACROS)}"


def macro_number(target: str) -> int | None:
    """Return which macro a target means; None where it means something else.

    >>> macro_number("macro/3"), macro_number("fog/radius")
    (3, None)
    """
    number = target.removeprefix(_PREFIX)
    is_number = target.startswith(_PREFIX) and number.isascii() and number.isdigit()
    return int(number[:9]) if is_number else None


def in_order(bindings: Iterable[Binding]) -> tuple[Binding, ...]:
    """Return bindings by the numbers of their macros; `PatchError` where a macro has a target twice."""
    sorted_ = tuple(sorted(bindings, key=lambda one: one.number))
    seen = set[tuple[int, str]]()
    for one in sorted_:
        if (one.number, one.target) in seen:
            raise PatchError(f"macro {one.number}: '{one.target}' is there twice")
        seen.add((one.number, one.target))
    return sorted_


def find_number(patch: "Patch", target: str) -> Param:
    """Return the range of what a macro may be bound to; `PatchError` with the nearest name."""
    if is_movement(target):
        return find_part(patch, target)
    owner, _, name = target.partition("/")
    if not name:
        raise PatchError(f"there is no target '{target[:64]}'{did_you_mean(target[:64], OUTPUT_PARAMS)}")
    if name == "on" and owner not in ("output", "latent"):
        patch.bend(owner)
        return _ON
    return find_param(patch, target)


def own_name(patch: "Patch", target: str) -> str:
    """Return a target with its parameter's own name, where a patch may have another of its names."""
    find_number(patch, target)
    if target.endswith("/on"):
        return target
    if not is_movement(target):
        return canonical(patch, target)
    parameter = moved_by(target)
    return f"{canonical(patch, parameter)}{target[len(parameter) :]}"


def ends_of(patch: "Patch", binding: Binding) -> tuple[Number, Number]:
    """Return a target's values at 0 and at 1; `AudiobendError` where there is no such target, or they lie outside."""
    param = find_number(patch, binding.target)
    if binding.low is None or binding.high is None:
        return param.check(param.low, binding.target), param.check(param.high, binding.target)
    return param.check(binding.low, binding.target), param.check(binding.high, binding.target)


def check_bindings(patch: "Patch", n_axes: int | None = None) -> None:
    """Refuse what a macro cannot be bound to in this patch, and in a model with so many axes of the latent code."""
    for one in patch.macros:
        told(f"macros: {one.number}", partial(ends_of, patch, one))
        axis = one.target.split("/")[1] if one.target.startswith("latent/") else "0"
        if n_axes is not None and int(axis) >= n_axes:
            rule = f"axis must be in 0..{n_axes - 1} for this model"
            raise PatchError(f"macros: {one.number}: {one.target}: {rule}, got {axis}")


def value_at(ends: tuple[Number, Number], share: float, integer: bool) -> Number:
    """Return the value at a share of the way; the nearest whole number where only those are allowed.

    >>> value_at((0, 8), 0.5, integer=True), value_at((1.0, 0.0), 0.25, integer=False)
    (4, 0.75)
    """
    start, end = ends
    value = end if share >= 1 else min(max(start + share * (end - start), min(ends)), max(ends))
    return math.floor(value + 0.5) if integer else float(value)


def bindings_of(patch: "Patch", number: int) -> tuple[Binding, ...]:
    """Return what a macro is bound to."""
    return tuple(one for one in patch.macros if one.number == number)


def turned(patch: "Patch", number: int, share: object) -> "Patch":
    """Return the patch with all targets of a macro where it puts them; ``share`` in 0..1."""
    at = float(SHARE.check(as_number(share, f"macro {number}"), f"macro {check_number(number)}"))
    for one in bindings_of(patch, number):
        param = find_number(patch, one.target)
        patch = patch.set(one.target, value_at(ends_of(patch, one), at, param.integer))
    return patch


def without_owner(bindings: Iterable[Binding], owner: str) -> tuple[Binding, ...]:
    """Return bindings without those of a bend."""
    return tuple(one for one in bindings if not one.target.startswith(f"{owner}/"))
