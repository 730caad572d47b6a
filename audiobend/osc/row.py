"""A row of the table of addresses, and the rows that follow from one: a number's share of its range, its movement."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from audiobend.bending.modulation import MODULATION_PARAMS, SHAPES
from audiobend.bending.movement import depth_of
from audiobend.bending.transform import Number, Param

LAST_INT = 2**31 - 1

Kind = Literal["switch", "number", "norm", "text", "name", "lfo", "action"]


@dataclass(frozen=True)
class Row:
    """One line of the table of addresses.

    Attributes
    ----------
    path : str
        Below ``/audiobend/``, with ``{layer}``, ``{features}`` (``all`` or ``cluster/{cluster}``), ``{id}``,
        ``{axis}`` and ``{macro}`` where there are several.
    kind : str
        ``switch`` (0 or 1), ``number`` (in its range), ``norm`` (0..1 over the range of the number above it), ``text``,
        ``name`` (a whole number or text), ``lfo`` (one of ``choices``, then its rate, depth and phase), or ``action``.
    types : str
        OSC types of the arguments: ``i``, ``f``, ``s``; ``*`` for any.
    description : str
    access : str
        ``"rw"``, ``"r"`` (send no arguments) or ``"w"``. What is no action and ``"r"`` is a value that others change.
    param : Param or None
        Range, unit and default of a number.
    target : str
        What `audiobend.control.Set` changes, with ``{bend}``, ``{axis}`` and ``{macro}`` filled in;
        empty for actions, but those of macros.
    optional : int
        How many of the last arguments may be left out.
    params : tuple of Param
        Ranges of the last arguments, where they are numbers among several arguments.
    choices : tuple of str
        The words that the first argument may be; empty where it is none of a few.
    """

    path: str
    kind: Kind
    types: str
    description: str
    access: str = "rw"
    param: Param | None = None
    target: str = ""
    optional: int = 0
    params: tuple[Param, ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def default(self) -> Any:
        """The value that an untouched address has; None where there is no such thing."""
        if self.kind == "switch":
            return int(self.path in ("limiter", "match_level"))
        if self.param is None:
            return None
        value: Number = int(self.param.default) if self.param.integer else float(self.param.default)
        return to_norm(self.param, value) if self.kind == "norm" else value


def to_norm(param: Param, value: Number) -> float:
    """Return where a value stands in its range, 0..1."""
    return (value - param.low) / (param.high - param.low)


def from_norm(param: Param, share: float) -> Number:
    """Return the value at a share of the range; the nearest whole number where only those are allowed.

    >>> from_norm(Param("radius", 0, 32, default=1, integer=True), 0.5)
    16
    """
    value = param.low + share * (param.high - param.low)
    return round(value) if param.integer else min(max(value, param.low), param.high)


def number(path: str, param: Param, description: str, target: str) -> Row:
    """Return the row of a number."""
    return Row(path, "number", "i" if param.integer else "f", description, param=param, target=target)


def told(path: str, types: str, description: str, target: str) -> Row:
    """Return the row of a value that can only be asked for."""
    param = Param(path.rpartition("/")[2], 0, LAST_INT, default=0, integer=True)
    if types == "s":
        return Row(path, "text", types, description, "r", target=target)
    return Row(path, "number", types, description, "r", param, target)


def with_norm(row: Row) -> tuple[Row, Row]:
    """Return a row and its twin for faders that know 0..1 only."""
    assert row.param is not None
    description = f"{row.path.rpartition('/')[2]} as a share 0..1 of {row.param.span}"
    return row, replace(row, path=f"{row.path}/norm", kind="norm", types="f", description=description)


def with_lfo(row: Row) -> Iterator[Row]:
    """Return a number, with what moves it: an oscillator, or the level of the input."""
    assert row.param is not None
    yield row
    path, target = f"{row.path}/lfo", f"{row.target}/lfo"
    name = row.path.rpartition("/")[2]
    rate, phase = MODULATION_PARAMS["rate_hz"], MODULATION_PARAMS["phase"]
    depth = depth_of(row.param)
    words = f"what moves {name}: {', '.join(SHAPES)}; then rate, depth, phase"
    parts = (replace(rate, name="rate"), depth, phase)
    yield Row(path, "lfo", "sfff", words, target=target, optional=3, params=parts, choices=SHAPES)
    yield number(f"{path}/rate", parts[0], f"how fast {name} moves", f"{target}/rate")
    yield number(f"{path}/depth", depth, f"how far {name} moves", f"{target}/depth")
    yield number(f"{path}/phase", phase, f"where in its period the movement of {name} begins", f"{target}/phase")
