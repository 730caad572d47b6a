"""The macros of a patch file: ``macros: {3: fog/radius, 5: [output/mix, {target: fog/mix, from: 1, to: 0}]}``."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from audiobend.bending import Binding
from audiobend.bending.macros import check_number
from audiobend.bending.values import shown, told
from audiobend.errors import PatchError
from audiobend.io.fields import check_keys

_KEYS = ("target", "from", "to")


def parse_macros(value: Any) -> tuple[Binding, ...]:
    """Return what the macros of a patch are bound to; `PatchError` with the macro and the rule."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise PatchError(f"macros must be a mapping such as {{3: fog/radius}}, got {shown(value)}")
    found: list[Binding] = []
    for key, targets in value.items():
        number = told("macros", partial(check_number, _whole(key)))
        several = targets if isinstance(targets, list) else [targets]
        found += [told(f"macros: {number}", partial(_binding, number, one)) for one in several]
    return tuple(found)


def macros_entry(bindings: Iterable[Binding]) -> dict[int, Any]:
    """Return bindings as the plain data of a file."""
    entry: dict[int, Any] = {}
    for one in bindings:
        entry.setdefault(one.number, []).append(_target(one))
    return {number: targets[0] if len(targets) == 1 else targets for number, targets in entry.items()}


def _whole(key: Any) -> Any:
    """Return a macro's number, which is text where the patch came as JSON."""
    return int(key) if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 5 else key


def _binding(number: int, given: Any) -> Binding:
    if isinstance(given, str):
        return Binding(number, given)
    if not isinstance(given, Mapping):
        raise PatchError(f"must be a target such as fog/radius, or a list of them, got {shown(given)}")
    check_keys(given, _KEYS)
    return Binding(number, given.get("target", ""), given.get("from"), given.get("to"))


def _target(one: Binding) -> Any:
    return one.target if one.low is None else {"target": one.target, "from": one.low, "to": one.high}
