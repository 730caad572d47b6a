"""Values of the patch that are set, and bends that are made where somebody touches a place."""

from audiobend.bending import Patch
from audiobend.bending.values import switch
from audiobend.control.commands import BindMacro, Place, Set
from audiobend.control.fitting import MAX_BENDS, check_axis, check_fits
from audiobend.control.macros import bound
from audiobend.control.reading import has_bend, new_bend
from audiobend.control.state import Context, State
from audiobend.errors import ControlError


def set_value(state: State, command: Set, context: Context) -> State:
    """Return the state with a value of the patch set; a bend that belongs to a place is made at the first touch."""
    target, place = command.target, command.place
    patch = state.patch
    if place is not None:
        if not has_bend(patch, place.id) and target == f"{place.id}/on" and not switch(command.value, "on"):
            return state    # what was never touched is off already
        patch = _touched(patch, place, context)
    if target.startswith("latent/"):
        check_axis(target, context)
    changed = patch.set(target, command.value)
    owner, _, name = target.partition("/")
    if name in ("layer", "features"):
        check_fits(Patch(seed=patch.seed, profile=patch.profile, bends=(changed.bend(owner),)), context)
    return state.replace(patch=changed)


def bind_macro(state: State, command: BindMacro, context: Context) -> State:
    """Return the state with a number that a macro moves; a bend that belongs to a place is made at the first touch."""
    patch = state.patch if command.place is None else _touched(state.patch, command.place, context)
    return state.replace(patch=bound(patch, command, context))


def _touched(patch: Patch, place: Place, context: Context) -> Patch:
    """Return the patch with the bend that belongs to a place."""
    for bend in patch.bends:
        if bend.id == place.id:
            if (bend.layer, bend.transform, bend.features) != (place.layer, place.transform, place.features):
                raise ControlError(f"{place.id}: this bend now works elsewhere; use /audiobend/bend/{place.id}/...")
            return patch
    if len(patch.bends) >= MAX_BENDS:
        raise ControlError(f"{place.id}: there are {MAX_BENDS} bends, the most that can be played")
    bend = new_bend(place)
    check_fits(Patch(bends=(bend,)), context)
    return patch.with_bend(bend)
