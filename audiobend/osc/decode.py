"""What a message asks for: changes of the state, values, or one of the services. Pure; nothing happens here."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from audiobend.bending.values import shown
from audiobend.control import (
    AddBend,
    Command,
    DeleteScene,
    HaltTake,
    LoadScene,
    Morph,
    MorphFour,
    Panic,
    PlayTake,
    Redo,
    RemoveBend,
    RenameScene,
    RequestModel,
    SaveScene,
    Set,
    StartRecording,
    StartTake,
    State,
    StopRecording,
    StopTake,
    Undo,
)
from audiobend.errors import AudiobendError, ControlError, did_you_mean
from audiobend.osc.addresses import Table
from audiobend.osc.limits import Budget
from audiobend.osc.macros import BIND, UNBIND, macro_command
from audiobend.osc.match import is_pattern
from audiobend.osc.parse import Argument, Message
from audiobend.osc.row import Row, from_norm
from audiobend.osc.tree import Leaf

WRONG_ARGUMENTS, NO_ADDRESS, NO_ACCESS, REFUSED, TOO_MANY = 400, 404, 405, 409, 429


@dataclass(frozen=True, slots=True)
class Change:
    """A command; ``confirm`` where ``/audiobend/done`` tells that it was carried out."""

    address: str
    command: Command
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """The value of an address is wanted."""

    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Ask:
    """A service: ``name`` is its row's path, such as ``ping`` or ``list/layers``."""

    name: str
    args: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """What ``/audiobend/fail`` tells the sender."""

    address: str
    code: int
    text: str


Request = Change | Query | Ask | Failure

_CHANGES: dict[str, Callable[..., Command]] = {
    "scene/load": LoadScene,
    "scene/save": SaveScene,
    "scene/delete": DeleteScene,
    "scene/morph": Morph,
    "scene/pad": MorphFour,
    "scene/rename": RenameScene,
    "chain/add": AddBend,
    "chain/remove": RemoveBend,
    "take/start": StartTake,
    "take/play": PlayTake,
    "recording/start": StartRecording,
    "model/load": RequestModel,
}
_BUTTONS: dict[str, Callable[[], Command]] = {
    "panic": Panic, "undo": Undo, "redo": Redo, "take/stop": StopTake, "take/halt": HaltTake,
    "recording/stop": StopRecording,
}
_SILENT = ("scene/morph", "scene/pad", "model/load")
"""What is not confirmed at once."""
_QUERIES = ("scene/load", "scene/morph", "scene/pad", "model/load", "notify")
T = TypeVar("T")


def decode(message: Message, table: Table, state: State, budget: Budget) -> list[Request]:
    """Return what a message asks for: one request, or one for each address that a pattern means.

    Parameters
    ----------
    message : Message
    table : Table
    state : State
        Its patch says which bends there are.
    budget : Budget
        What the packet's patterns may still cost.
    """
    address = message.address
    try:
        if is_pattern(address):
            leaves = table.match(address, state.patch, budget)
        else:
            leaves = [table.lookup(address, state.patch)]
    except AudiobendError as error:
        code = TOO_MANY if min(budget.matches, budget.steps) < 0 else NO_ADDRESS
        return [Failure(address, code, str(error))]
    if message.problem:
        return [Failure(address, WRONG_ARGUMENTS, message.problem)]
    return [_request(leaf, message.args, table, state) for leaf in leaves]


def _request(leaf: Leaf, args: tuple[Argument, ...], table: Table, state: State) -> Request:
    row = leaf.row
    try:
        if row.path == UNBIND or (row.path == BIND and args):
            return Change(leaf.address, macro_command(leaf, checked(row, args), table, state.patch), confirm=True)
        if row.kind == "action" and row.path != BIND:
            return _action(leaf.address, row, args)
        if not args:
            return Query(leaf)
        if row.access == "r":
            raise NoAccessError("can be asked for, and takes no value")
        if row.kind == "lfo":
            return Change(leaf.address, Set(leaf.target, checked(row, args), leaf.place))
        if len(args) != 1:
            raise ControlError(f"takes one value, got {len(args)}")
        return Change(leaf.address, Set(leaf.target, value_of(row, args[0], _owner(leaf)), leaf.place))
    except AudiobendError as error:
        code = NO_ACCESS if isinstance(error, NoAccessError) else WRONG_ARGUMENTS
        return Failure(leaf.address, code, str(error))


class NoAccessError(ControlError):
    """A query of what can only be sent, or a value for what can only be asked."""


def value_of(row: Row, given: Argument, owner: str = "") -> Any:
    """Return the value that an argument means for a row; `AudiobendError` with the rule, beginning with ``owner``.

    >>> from audiobend.osc.rows import output_rows
    >>> mix = next(output_rows())
    >>> value_of(mix, 1), value_of(mix, 0.25)
    (1.0, 0.25)
    """
    if row.kind in ("text", "name"):
        if isinstance(given, str) or (row.kind == "name" and type(given) is int):
            return given
        raise ControlError(f"must be text, got {shown(given)}")
    if isinstance(given, str):
        raise ControlError(f"must be a number, got {shown(given)}")
    number = float(given) if isinstance(given, bool) else given
    if isinstance(number, float) and not math.isfinite(number):
        raise ControlError(f"must be a number, got {number}")
    if row.kind == "switch":
        return number >= 0.5
    param = row.param
    assert param is not None
    if row.kind == "norm":
        if not 0 <= number <= 1:
            raise ControlError(f"must be in 0..1, got {number:g}")
        return from_norm(param, number)
    # Faders send fractions where whole numbers are meant, so that the nearest is taken.
    return param.check(math.floor(number + 0.5) if param.integer else number, owner)


def _owner(leaf: Leaf) -> str:
    """Return what a sentence about an address begins with: the transform, the bend or the operation."""
    *_, before, last = leaf.address.split("/")
    named_twice = leaf.row.param is not None and leaf.row.param.name == last and "/" in leaf.row.path
    return before if named_twice else last


def _action(address: str, row: Row, args: tuple[Argument, ...]) -> Request:
    name = row.path
    if name in _BUTTONS:
        pressed = not checked(row, args) or value_of(_BUTTON, args[0])
        return Change(address, _BUTTONS[name](), confirm=True) if pressed else Ask("nothing", ())
    if not args and name in _QUERIES:
        return Ask(name, ())
    if row.access == "r" or name in ("notify", "sync"):
        return Ask(name, checked(row, args))
    if not args and row.optional < len(row.types):
        raise NoAccessError(f"takes {_forms(row)}, and has no value to ask for")
    return Change(address, _CHANGES[name](*checked(row, args)), confirm=name not in _SILENT)


_BUTTON = Row("panic", "switch", "i", "")


def checked(row: Row, args: tuple[Argument, ...]) -> tuple[Argument, ...]:
    """Return the arguments of an action as its row's types have them; `ControlError` with the rule."""
    if row.types == "*":
        return args
    if not len(row.types) - row.optional <= len(args) <= len(row.types):
        raise ControlError(f"takes {_forms(row)}, got {len(args)} arguments")
    values = [_typed(one, kind) for one, kind in zip(args, row.types, strict=False)]
    if row.choices and values[0] not in row.choices:
        raise ControlError(f"there is no '{str(values[0])[:32]}'{did_you_mean(str(values[0])[:32], row.choices)}")
    first = len(row.types) - len(row.params)
    for index, param in enumerate(row.params[: max(0, len(values) - first)], first):
        values[index] = param.check(values[index], row.path.rpartition("/")[2])
    return tuple(values)


def _typed(given: Argument, kind: str) -> Argument:
    if kind == "s":
        if isinstance(given, str) or type(given) is int:    # a scene called 1 can be meant by a number
            return str(given)
        raise ControlError(f"must be a name, got {shown(given)}")
    if isinstance(given, str) or not math.isfinite(given):
        raise ControlError(f"must be a number, got {shown(given)}")
    return float(given) if kind == "f" else math.floor(given + 0.5)


def _forms(row: Row) -> str:
    words = {"i": "a whole number", "f": "a number", "s": "a name"}
    needed = [words[kind] for kind in row.types]
    optional = " (the last may be left out)" if row.optional == 1 else f" (the last {row.optional} may be left out)"
    return f"{' and '.join(needed)}{optional if row.optional else ''}" if needed else "nothing"


__all__ = ["Ask", "Change", "Failure", "Query", "Request", "decode", "value_of"]
