"""How a command changes the state: one pure function, and how a target's value is read."""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from audiobend.bending import Bend, Patch, get_transform
from audiobend.bending.transform import Param
from audiobend.bending.values import switch
from audiobend.control.chain import added, order_of, ordered, solo_of
from audiobend.control.commands import (
    AddBend,
    Command,
    DeleteScene,
    LoadPatch,
    LoadScene,
    ModelFailed,
    ModelLoaded,
    Morph,
    MorphFour,
    Panic,
    Place,
    Redo,
    RemoveBend,
    RenameScene,
    RequestModel,
    SaveScene,
    Set,
    StartTake,
    StopTake,
    Undo,
)
from audiobend.control.fitting import MAX_BENDS, check_axis, check_fits, fitting
from audiobend.control.history import History, redone, remembered, undone
from audiobend.control.scenes import check_name, morph
from audiobend.control.state import Context, Fade, MorphPosition, PadPosition, State
from audiobend.errors import AudiobendError, ControlError, did_you_mean

MAX_SCENES = 256
POSITION = Param("position", 0, 1, default=0, help="0 is the first scene, 1 the second")
FADE = Param("seconds", 0, 600, default=0, unit="s", help="how long it takes to get there")


def update(state: State, command: Command, context: Context, now: float = 0.0) -> State:
    """Return the state after a command; the very same object where nothing changes.

    Parameters
    ----------
    now : float
        Seconds of a clock that never goes back: gestures that follow each other soon are one step of undo.

    Raises
    ------
    AudiobendError
        With one sentence, where the command cannot be carried out; the state stays as it is.
    """
    after, (error,) = update_all(state, [command], context, now)
    if error is not None:
        raise error
    return after


def update_all(
    state: State, commands: Iterable[Command], context: Context, now: float = 0.0
) -> tuple[State, list[AudiobendError | None]]:
    """Carry out several commands at one seam; one that fails changes nothing and does not stop the others.

    Returns
    -------
    (State, list)
        The state after them, and for each command what was wrong with it, or None. For undo they are one step.
    """
    outcomes: list[AudiobendError | None] = []
    begun, turned = state, set[str]()
    for command in commands:
        if isinstance(command, Undo | Redo):    # back to before it, not into the middle of what came with it
            state = remembered(begun, state, turned, now)
        try:
            before, state = state, _next(state, command, context)
            outcomes.append(None)
        except AudiobendError as error:
            outcomes.append(error)
            continue
        if isinstance(command, Undo | Redo | ModelLoaded):
            begun, turned = state, set()
        elif state is not before:
            turned.add(_turned(command, state))
    return remembered(begun, state, turned, now), outcomes


def _next(state: State, command: Command, context: Context) -> State:
    changed = _carry_out(state, command, context)
    if changed is state or changed == state:
        return state
    return changed.replace(revision=state.revision + 1)


def _turned(command: Command, state: State) -> str:
    """Return what belongs to one gesture with the next command that has the same."""
    match command:
        case Set(target):
            return target
        case Morph(a, b):
            return f"morph {a} {b}"
        case MorphFour():
            return "pad"
    return f"revision {state.revision}"


def read(state: State, target: str, place: Place | None = None) -> Any:
    """Return the value of a target of `Set`; a bend that was never touched is off and has its defaults."""
    if target in ("bypass", "difference", "solo"):
        return getattr(state, target)
    if target == "order":
        return order_of(state.patch)
    if target == "morph":
        return _position_of(state).position
    if target in ("pad/x", "pad/y"):
        return getattr(_pad_of(state), target[-1])
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


def _carry_out(state: State, command: Command, context: Context) -> State:
    match command:
        case Set("image", value):
            return state.replace(image=str(value))
        case Set("bypass", value):
            return state.replace(bypass=switch(value, "bypass"))
        case Set("difference", value):
            return state.replace(difference=switch(value, "difference"))
        case Set("solo", value):
            return state.replace(solo=solo_of(state.patch, value))
        case Set("order", value):
            return state.replace(patch=ordered(state.patch, value))
        case AddBend(layer, transform, features):
            patch = added(state.patch, layer, transform, features)
            check_fits(patch, context)
            return state.replace(patch=patch)
        case RemoveBend(id):
            return state.replace(patch=state.patch.without(id))
        case Set("morph", value):
            at = _position_of(state)
            return _morph(state, Morph(at.a, at.b, value), context)
        case Set("pad/x" | "pad/y" as target, value):
            corners = _pad_of(state)
            x, y = (value, corners.y) if target == "pad/x" else (corners.x, value)
            return _morph_four(state, MorphFour(*corners.corners, x, y), context)
        case MorphFour():
            return _morph_four(state, command, context)
        case RenameScene(name, to):
            return _rename(state, name, check_name(to))
        case Set():
            return _set(state, command, context)
        case Morph():
            return _morph(state, command, context)
        case Panic():
            return state.replace(bypass=True, panics=state.panics + 1)
        case LoadPatch(patch):
            check_fits(patch, context)
            return state.replace(patch=patch, morph=None, pad=None, scene="", fade=None)
        case LoadScene(name, seconds):
            patch = _scene(state, name)
            check_fits(patch, context)
            length = float(FADE.check(seconds, "fade"))
            fade = Fade(state.revision + 1, length) if length else None
            return state.replace(patch=patch, morph=None, pad=None, scene=name, fade=fade)
        case Undo():
            return undone(state)
        case Redo():
            return redone(state)
        case StartTake(name):
            return _start_take(state, name)
        case StopTake():
            if not state.take:
                raise ControlError("no take is being recorded")
            return state.replace(take="")
        case SaveScene(name):
            return _save(state, check_name(name))
        case DeleteScene(name):
            return _delete(state, name)
        case RequestModel() | ModelLoaded() | ModelFailed():
            return _model(state, command, context)


def _set(state: State, command: Set, context: Context) -> State:
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
        check_fits(changed.replace(bends=(changed.bend(owner),), latent=(), modulation=(), weights=()), context)
    return state.replace(patch=changed)


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


def _morph(state: State, command: Morph, context: Context) -> State:
    share = float(POSITION.check(command.position, "morph"))
    between = morph(_scene(state, command.a), _scene(state, command.b), share, context.layers)
    check_fits(between, context)
    at = MorphPosition(command.a, command.b, share)
    return state.replace(patch=between, morph=at, pad=None, scene="", fade=None)


def _morph_four(state: State, command: MorphFour, context: Context) -> State:
    x, y = (float(POSITION.check(value, name)) for name, value in (("x", command.x), ("y", command.y)))
    near, far = (
        morph(_scene(state, a), _scene(state, b), x, context.layers)
        for a, b in ((command.a, command.b), (command.c, command.d))
    )
    between = morph(near, far, y, context.layers)
    check_fits(between, context)
    at = PadPosition(command.a, command.b, command.c, command.d, x, y)
    return state.replace(patch=between, morph=None, pad=at, scene="", fade=None)


def _rename(state: State, name: str, to: str) -> State:
    _scene(state, name)
    if to != name and to in state.scenes:
        raise ControlError(f"there is a scene '{to}' already; choose another name")
    named = {to if one == name else one: patch for one, patch in state.scenes.items()}
    at = None if state.morph and name in (state.morph.a, state.morph.b) else state.morph
    pad = None if state.pad and name in state.pad.corners else state.pad
    return state.replace(scenes=named, scene=to if state.scene == name else state.scene, morph=at, pad=pad)


def _save(state: State, name: str) -> State:
    if name not in state.scenes and len(state.scenes) >= MAX_SCENES:
        raise ControlError(f"there are {MAX_SCENES} scenes, the most there can be; delete one first")
    return state.replace(scenes={**state.scenes, name: state.patch}, scene=name)


def _delete(state: State, name: str) -> State:
    _scene(state, name)
    left = {other: patch for other, patch in state.scenes.items() if other != name}
    at = None if state.morph and name in (state.morph.a, state.morph.b) else state.morph
    pad = None if state.pad and name in state.pad.corners else state.pad
    return state.replace(scenes=left, scene="" if state.scene == name else state.scene, morph=at, pad=pad)


def _start_take(state: State, name: str) -> State:
    if state.take:
        raise ControlError(f"the take '{state.take}' is being recorded; stop it first")
    free = next(one for n in count(1) if (one := f"take-{n}") not in state.takes)
    if check_name(name or free, "take") in state.takes:
        raise ControlError(f"there is a take '{name}' already; choose another name, such as {free}")
    return state.replace(take=name or free, takes=(*state.takes, name or free))


def _model(state: State, command: RequestModel | ModelLoaded | ModelFailed, context: Context) -> State:
    name = command.name
    match command:
        case RequestModel():
            if name not in context.models:
                raise ControlError(f"unknown model '{name[:64]}'{did_you_mean(name[:64], context.models)}")
            return state.replace(wanted_model=name, model_error="")
        case ModelLoaded():
            wanted = "" if state.wanted_model == name else state.wanted_model
            patch = fitting(state.patch, context)
            return state.replace(
                model=name, wanted_model=wanted, model_error="", patch=patch, morph=None, pad=None, fade=None,
                history=History(),
            )
        case ModelFailed():
            wrong = state.wanted_model == name
            return state.replace(wanted_model="", model_error=command.reason) if wrong else state


def _scene(state: State, name: str) -> Patch:
    if name not in state.scenes:
        raise ControlError(f"there is no scene '{name[:64]}'{did_you_mean(name[:64], state.scenes)}")
    return state.scenes[name]


def _position_of(state: State) -> MorphPosition:
    if state.morph is None:
        raise ControlError("no scenes are being morphed; send /audiobend/scene/morph with two scenes and a position")
    return state.morph


def _pad_of(state: State) -> PadPosition:
    if state.pad is None:
        raise ControlError("no four scenes are being morphed; send /audiobend/scene/pad with four scenes, x and y")
    return state.pad


_COUNTED: dict[str, Callable[[State], int | str]] = {
    "scenes": lambda state: len(state.scenes),
    "undos": lambda state: len(state.history.past),
    "redos": lambda state: len(state.history.future),
    "take": lambda state: state.take,
    "image": lambda state: state.image,
}
