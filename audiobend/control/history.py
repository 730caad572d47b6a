"""Steps back and forth: what sounded before each gesture. Bounded, and pure: it is told the time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiobend.bending import Patch
from audiobend.errors import ControlError

if TYPE_CHECKING:
    from audiobend.control.state import MorphPosition, PadPosition, State

MAX_STEPS = 64
TOGETHER = 1.0
"""Seconds: changes of the same targets that follow each other sooner are one gesture, and one step."""


@dataclass(frozen=True)
class Step:
    """What sounded."""

    patch: Patch
    scene: str
    morph: "MorphPosition | None"
    pad: "PadPosition | None"
    macros: tuple[float, ...]


@dataclass(frozen=True)
class History:
    """Where undo and redo lead.

    Attributes
    ----------
    past, future : tuples of Step
        The nearest one is the last of each.
    targets : frozenset of str
        What the last gesture turned.
    at : float
        Seconds when it was turned last.
    """

    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()
    targets: frozenset[str] = frozenset()
    at: float = float("-inf")


def remembered(before: "State", after: "State", targets: Iterable[str], now: float) -> "State":
    """Return ``after`` with a step back to ``before``, unless the gesture that turned ``targets`` still goes on."""
    if after.patch == before.patch:
        return after
    history, turned = after.history, frozenset(targets)
    goes_on = turned <= history.targets and now - history.at <= TOGETHER and not history.future
    past = history.past if goes_on else (*history.past, _step(before))[-MAX_STEPS:]
    kept = history.targets if goes_on else turned
    return after.replace(history=History(past, (), kept, now))


def undone(state: "State") -> "State":
    """Return the state with what sounded before the last gesture; `ControlError` where there was none."""
    history = state.history
    if not history.past:
        raise ControlError("there is nothing to undo")
    return _at(state, history.past[-1], History(history.past[:-1], (*history.future, _step(state))))


def redone(state: "State") -> "State":
    """Return the state with what sounded before the last undo; `ControlError` where there was none."""
    history = state.history
    if not history.future:
        raise ControlError("there is nothing to do again")
    return _at(state, history.future[-1], History((*history.past, _step(state)), history.future[:-1]))


def _step(state: "State") -> Step:
    return Step(state.patch, state.scene, state.morph, state.pad, state.macros)


def _macros(state: "State", step: Step) -> tuple[float, ...]:
    """Return where macros stand after a step: as they did then, but for those that moved nothing then."""
    bound = {one.number for one in step.patch.macros}
    pairs = zip(step.macros, state.macros, strict=True)
    return tuple(then if number in bound else now for number, (then, now) in enumerate(pairs, 1))


def _at(state: "State", step: Step, history: History) -> "State":
    morph = step.morph
    if morph is not None and not {morph.a, morph.b} <= set(state.scenes):
        morph = None    # one of them was deleted meanwhile
    pad = step.pad if step.pad is None or set(step.pad.corners) <= set(state.scenes) else None
    return state.replace(
        patch=step.patch, scene=step.scene, morph=morph, pad=pad, macros=_macros(state, step), fade=None,
        history=history,
    )
