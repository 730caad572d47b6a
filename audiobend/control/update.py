"""How a command changes the state: one pure function."""

from collections.abc import Iterable
from itertools import count

from audiobend.bending import Patch
from audiobend.bending.macros import macro_number
from audiobend.bending.values import switch
from audiobend.control.chain import added, ordered, solo_of
from audiobend.control.commands import (
    AddBend,
    BindMacro,
    Command,
    DeleteScene,
    EndedRecording,
    HaltTake,
    LoadPatch,
    LoadScene,
    ModelFailed,
    ModelLoaded,
    Morph,
    MorphFour,
    Panic,
    Place,
    PlayTake,
    Redo,
    RemoveBend,
    RenameScene,
    RequestModel,
    SaveScene,
    Set,
    StartRecording,
    StartTake,
    StopRecording,
    StopTake,
    UnbindMacro,
    Undo,
)
from audiobend.control.fitting import MAX_BENDS, check_axis, check_fits, fitting
from audiobend.control.history import History, redone, remembered, undone
from audiobend.control.macros import bound, moved_macro, unbound
from audiobend.control.reading import has_bend, new_bend
from audiobend.control.recordings import recorded
from audiobend.control.sceneplay import deleted, loaded, morphed, morphed_four, moved, renamed, saved
from audiobend.control.scenes import check_name
from audiobend.control.state import Context, State
from audiobend.errors import AudiobendError, ControlError, did_you_mean

PROFILES = ("low", "balanced", "studio")


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


def _carry_out(state: State, command: Command, context: Context) -> State:
    match command:
        case Set("image", value):
            return state.replace(image=str(value))
        case Set("profile" | "input" | "output" as name, value):
            return _choose(state, name, str(value))
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
        case Set(target, value) if (number := macro_number(target)) is not None:
            return moved_macro(state, number, value)
        case BindMacro():
            return _bind(state, command, context)
        case UnbindMacro():
            return state.replace(patch=unbound(state.patch, command))
        case Set("morph" | "pad/x" | "pad/y" as target, value):
            return moved(state, target, value, context)
        case Set():
            return _set(state, command, context)
        case Morph():
            return morphed(state, command, context)
        case MorphFour():
            return morphed_four(state, command, context)
        case Panic():
            return state.replace(bypass=True, playing="", panics=state.panics + 1)
        case LoadPatch(patch):
            check_fits(patch, context)
            return state.replace(patch=patch, morph=None, pad=None, scene="", fade=None)
        case LoadScene(name, seconds):
            return loaded(state, name, seconds, context)
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
        case PlayTake(name):
            return _play_take(state, name)
        case HaltTake():
            return state.replace(playing="")
        case StartRecording() | StopRecording() | EndedRecording():
            return recorded(state, command)
        case SaveScene(name):
            return saved(state, name)
        case RenameScene(name, to):
            return renamed(state, name, to)
        case DeleteScene(name):
            return deleted(state, name)
        case RequestModel() | ModelLoaded() | ModelFailed():
            return _model(state, command, context)


def _bind(state: State, command: BindMacro, context: Context) -> State:
    patch = state.patch if command.place is None else _touched(state.patch, command.place, context)
    return state.replace(patch=bound(patch, command, context))


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
        check_fits(Patch(seed=patch.seed, profile=patch.profile, bends=(changed.bend(owner),)), context)
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


def _start_take(state: State, name: str) -> State:
    if state.take:
        raise ControlError(f"the take '{state.take}' is being recorded; stop it first")
    free = next(one for n in count(1) if (one := f"take-{n}") not in state.takes)
    if check_name(name or free, "take") in state.takes:
        raise ControlError(f"there is a take '{name}' already; choose another name, such as {free}")
    return state.replace(take=name or free, takes=(*state.takes, name or free))


def _choose(state: State, name: str, value: str) -> State:
    if name == "profile" and value not in PROFILES:
        raise ControlError(f"unknown profile '{value[:64]}'{did_you_mean(value[:64], PROFILES)}")
    return state.replace(**{name: value})


def _play_take(state: State, name: str) -> State:
    if name not in state.takes:
        raise ControlError(f"there is no take '{name[:64]}'{did_you_mean(name[:64], state.takes)}")
    if name == state.take:
        raise ControlError(f"the take '{name}' is being recorded; stop it first")
    return state.replace(playing=name, plays=state.plays + 1)


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
