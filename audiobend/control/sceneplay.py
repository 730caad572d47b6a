"""What commands do with scenes: load and fade, morph between two and four, keep, rename and forget. Pure."""

from typing import Any

from audiobend.bending import Patch
from audiobend.bending.transform import Param
from audiobend.control.commands import Morph, MorphFour
from audiobend.control.fitting import check_fits
from audiobend.control.scenes import check_name, morph
from audiobend.control.state import Context, Fade, MorphPosition, PadPosition, State
from audiobend.errors import ControlError, did_you_mean

MAX_SCENES = 256
POSITION = Param("position", 0, 1, default=0, help="0 is the first scene, 1 the second")
FADE = Param("seconds", 0, 600, default=0, unit="s", help="how long it takes to get there")


def loaded(state: State, name: str, seconds: float, context: Context) -> State:
    """Return the state with a scene in the place of its patch, reached over so many seconds."""
    patch = _scene(state, name)
    check_fits(patch, context)
    length = float(FADE.check(seconds, "fade"))
    fade = Fade(state.revision + 1, length) if length else None
    return state.replace(patch=patch, morph=None, pad=None, scene=name, fade=fade)


def moved(state: State, target: str, value: Any, context: Context) -> State:
    """Return the state at another position, ``"morph"``, ``"pad/x"`` or ``"pad/y"``, between the same scenes."""
    if target == "morph":
        at = position_of(state)
        return morphed(state, Morph(at.a, at.b, value), context)
    corners = pad_of(state)
    x, y = (value, corners.y) if target == "pad/x" else (corners.x, value)
    return morphed_four(state, MorphFour(*corners.corners, x, y), context)


def morphed(state: State, command: Morph, context: Context) -> State:
    """Return the state between two scenes."""
    share = float(POSITION.check(command.position, "morph"))
    between = morph(_scene(state, command.a), _scene(state, command.b), share, context.layers)
    check_fits(between, context)
    at = MorphPosition(command.a, command.b, share)
    return state.replace(patch=between, morph=at, pad=None, scene="", fade=None)


def morphed_four(state: State, command: MorphFour, context: Context) -> State:
    """Return the state between four scenes."""
    x, y = (float(POSITION.check(value, name)) for name, value in (("x", command.x), ("y", command.y)))
    near, far = (
        morph(_scene(state, a), _scene(state, b), x, context.layers)
        for a, b in ((command.a, command.b), (command.c, command.d))
    )
    between = morph(near, far, y, context.layers)
    check_fits(between, context)
    at = PadPosition(command.a, command.b, command.c, command.d, x, y)
    return state.replace(patch=between, morph=None, pad=at, scene="", fade=None)


def renamed(state: State, name: str, to: str) -> State:
    """Return the state with another name for a scene."""
    to = check_name(to)
    _scene(state, name)
    if to != name and to in state.scenes:
        raise ControlError(f"there is a scene '{to}' already; choose another name")
    named = {to if one == name else one: patch for one, patch in state.scenes.items()}
    at = None if state.morph and name in (state.morph.a, state.morph.b) else state.morph
    pad = None if state.pad and name in state.pad.corners else state.pad
    return state.replace(scenes=named, scene=to if state.scene == name else state.scene, morph=at, pad=pad)


def saved(state: State, name: str) -> State:
    """Return the state with its patch as a scene."""
    check_name(name)
    if name not in state.scenes and len(state.scenes) >= MAX_SCENES:
        raise ControlError(f"there are {MAX_SCENES} scenes, the most there can be; delete one first")
    return state.replace(scenes={**state.scenes, name: state.patch}, scene=name)


def deleted(state: State, name: str) -> State:
    """Return the state without a scene."""
    _scene(state, name)
    left = {other: patch for other, patch in state.scenes.items() if other != name}
    at = None if state.morph and name in (state.morph.a, state.morph.b) else state.morph
    pad = None if state.pad and name in state.pad.corners else state.pad
    return state.replace(scenes=left, scene="" if state.scene == name else state.scene, morph=at, pad=pad)


def _scene(state: State, name: str) -> Patch:
    if name not in state.scenes:
        raise ControlError(f"there is no scene '{name[:64]}'{did_you_mean(name[:64], state.scenes)}")
    return state.scenes[name]


def position_of(state: State) -> MorphPosition:
    """Return where the sound is between two scenes; `ControlError` where it is not."""
    if state.morph is None:
        raise ControlError("no scenes are being morphed; send /audiobend/scene/morph with two scenes and a position")
    return state.morph


def pad_of(state: State) -> PadPosition:
    """Return where the sound is between four scenes; `ControlError` where it is not."""
    if state.pad is None:
        raise ControlError("no four scenes are being morphed; send /audiobend/scene/pad with four scenes, x and y")
    return state.pad
