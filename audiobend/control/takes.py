"""Takes: which one is being recorded, and which is played again. Pure."""

from itertools import count

from audiobend.control.commands import HaltTake, PlayTake, StartTake, StopTake
from audiobend.control.scenes import check_name
from audiobend.control.state import State
from audiobend.errors import ControlError, did_you_mean


def taken(state: State, command: StartTake | StopTake | PlayTake | HaltTake) -> State:
    """Return the state after a command about takes; `ControlError` where it cannot be carried out."""
    match command:
        case StartTake(name):
            return _started(state, name)
        case StopTake():
            if not state.take:
                raise ControlError("no take is being recorded")
            return state.replace(take="")
        case PlayTake(name):
            return _played(state, name)
        case HaltTake():
            return state.replace(playing="")


def _started(state: State, name: str) -> State:
    if not state.can_record:
        raise ControlError("takes are recorded into a session's folder, and there is none here")
    if state.take:
        raise ControlError(f"the take '{state.take}' is being recorded; stop it first")
    free = next(one for n in count(1) if (one := f"take-{n}") not in state.takes)
    if check_name(name or free, "take") in state.takes:
        raise ControlError(f"there is a take '{name}' already; choose another name, such as {free}")
    return state.replace(take=name or free, takes=(*state.takes, name or free))


def _played(state: State, name: str) -> State:
    if name not in state.takes:
        raise ControlError(f"there is no take '{name[:64]}'{did_you_mean(name[:64], state.takes)}")
    if name == state.take:
        raise ControlError(f"the take '{name}' is being recorded; stop it first")
    return state.replace(playing=name, plays=state.plays + 1)
