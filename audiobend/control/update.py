"""How a command changes the state: one pure function."""

from collections.abc import Iterable

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
from audiobend.control.fitting import check_fits
from audiobend.control.history import redone, remembered, undone
from audiobend.control.macros import moved_macro, unbound
from audiobend.control.models import changed_model
from audiobend.control.recordings import recorded
from audiobend.control.sceneplay import deleted, loaded, morphed, morphed_four, moved, renamed, saved
from audiobend.control.setting import bind_macro, set_value
from audiobend.control.state import Context, State
from audiobend.control.takes import taken
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
            return bind_macro(state, command, context)
        case UnbindMacro():
            return state.replace(patch=unbound(state.patch, command))
        case Set("morph" | "pad/x" | "pad/y" as target, value):
            return moved(state, target, value, context)
        case Set():
            return set_value(state, command, context)
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
        case StartTake() | StopTake() | PlayTake() | HaltTake():
            return taken(state, command)
        case StartRecording() | StopRecording() | EndedRecording():
            return recorded(state, command)
        case SaveScene(name):
            return saved(state, name)
        case RenameScene(name, to):
            return renamed(state, name, to)
        case DeleteScene(name):
            return deleted(state, name)
        case RequestModel() | ModelLoaded() | ModelFailed():
            return changed_model(state, command, context)


def _choose(state: State, name: str, value: str) -> State:
    if name == "profile" and value not in PROFILES:
        raise ControlError(f"unknown profile '{value[:64]}'{did_you_mean(value[:64], PROFILES)}")
    return state.replace(**{name: value})
