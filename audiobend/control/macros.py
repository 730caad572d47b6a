"""What commands do with macros: turn one, bind it to a number, take it off again. Pure."""

from dataclasses import replace

from audiobend.bending import Binding, Patch
from audiobend.bending.macros import (
    SHARE,
    bindings_of,
    check_bindings,
    check_number,
    ends_of,
    own_name,
    turned,
)
from audiobend.bending.transform import Number
from audiobend.control.commands import BindMacro, UnbindMacro
from audiobend.control.state import Context, State
from audiobend.errors import ControlError, did_you_mean

MAX_BINDINGS = 256


def moved_macro(state: State, number: int, value: object) -> State:
    """Return the state with a macro at a value 0..1, and with all that it is bound to where it puts them."""
    share = float(SHARE.check(value, f"macro {check_number(number)}"))
    values = (*state.macros[: number - 1], share, *state.macros[number:])
    return state.replace(macros=values, patch=turned(state.patch, number, share))


def bound(patch: Patch, command: BindMacro, context: Context) -> Patch:
    """Return the patch with a macro bound to one more number; one that it has already gets the new range."""
    given = Binding(command.number, command.target, command.low, command.high)
    target = own_name(patch, given.target)
    if given.low is not None:
        low, high = ends_of(patch, given)
        given = replace(given, low=low, high=high)
    one = replace(given, target=target)
    check_bindings(Patch(profile=patch.profile, bends=patch.bends, macros=(one,)), context.n_axes or None)
    kept = [one if _is_of(patch, before, one) else before for before in patch.macros]
    found = kept if one in kept else [*kept, one]
    if len(found) > MAX_BINDINGS:
        raise ControlError(f"macros may be bound to {MAX_BINDINGS} numbers in all; unbind one first")
    return patch if tuple(found) == patch.macros else patch.replace(macros=tuple(found))


def unbound(patch: Patch, command: UnbindMacro) -> Patch:
    """Return the patch with a macro bound to one number less, or to none where the command names no target."""
    check_number(command.number)
    there = bindings_of(patch, command.number)
    if command.target:
        there = tuple(one for one in there if command.target in (one.target, own_name(patch, one.target), _short(one)))
        if not there:
            names = [one.target for one in bindings_of(patch, command.number)]
            hint = did_you_mean(command.target[:64], names) or "; it is bound to nothing"
            raise ControlError(f"macro {command.number} is not bound to '{command.target[:64]}'{hint}")
    left = tuple(one for one in patch.macros if one not in there)
    return patch.replace(macros=left) if there else patch


def _short(one: Binding) -> str:
    return one.target.removeprefix("output/")


def _is_of(patch: Patch, before: Binding, one: Binding) -> bool:
    return before.number == one.number and own_name(patch, before.target) == one.target


def bindings_told(patch: Patch, number: int) -> tuple[str | Number, ...]:
    """Return what a macro is bound to, flat: target, value at 0, value at 1, and so on."""
    return tuple(value for one in bindings_of(patch, number) for value in (one.target, *ends_of(patch, one)))
