"""How the value of a target is read from the state. Pure."""

from collections.abc import Callable
from typing import Any

from audiobend.bending import Bend, Patch, get_transform
from audiobend.bending.macros import macro_number
from audiobend.control.chain import order_of
from audiobend.control.commands import Place
from audiobend.control.macros import bindings_told
from audiobend.control.sceneplay import pad_of, position_of
from audiobend.control.state import State

_COUNTED: dict[str, Callable[[State], int | str]] = {
    "scenes": lambda state: len(state.scenes),
    "undos": lambda state: len(state.history.past),
    "redos": lambda state: len(state.history.future),
    "take": lambda state: state.take,
    "recording": lambda state: state.recording,
    "playing": lambda state: state.playing,
    "image": lambda state: state.image,
}
BOUND = "/bind"
"""Behind the target of a macro: what it is bound to."""


def read(state: State, target: str, place: Place | None = None) -> Any:
    """Return the value of a target of `Set`; a bend that was never touched is off and has its defaults."""
    if target in ("bypass", "difference", "solo", "profile", "input", "output"):
        return getattr(state, target)
    if target == "order":
        return order_of(state.patch)
    if target == "morph":
        return position_of(state).position
    if target in ("pad/x", "pad/y"):
        return getattr(pad_of(state), target[-1])
    number = macro_number(target.removesuffix(BOUND))
    if number is not None:
        return bindings_told(state.patch, number) if target.endswith(BOUND) else state.macros[number - 1]
    if target in _COUNTED:
        return _COUNTED[target](state)
    if place is not None and not has_bend(state.patch, place.id):
        return Patch(bends=(new_bend(place),)).get(target)
    return state.patch.get(target)


def has_bend(patch: Patch, id: str) -> bool:
    """Return whether the patch has a bend of that id."""
    return any(bend.id == id for bend in patch.bends)


def new_bend(place: Place) -> Bend:
    """Return the bend that an address makes at its first touch: switched off, with its transform's defaults."""
    values = get_transform(place.transform).defaults()
    return Bend(place.id, place.layer, place.transform, values, place.features, on=False, profile="default")
