"""Recordings of what is played: which are there, which one is being made, and which are being finished. Pure."""

from itertools import count

from audiobend.control.commands import EndedRecording, StartRecording, StopRecording
from audiobend.control.scenes import check_name
from audiobend.control.state import State
from audiobend.errors import ControlError


def recorded(state: State, command: StartRecording | StopRecording | EndedRecording) -> State:
    """Return the state after a command about recordings; `ControlError` where it cannot be carried out."""
    match command:
        case StartRecording(name):
            return _started(state, name)
        case StopRecording():
            if not state.recording:
                raise ControlError("nothing is being recorded")
            return state.replace(recording="", finishing=(*state.finishing, state.recording))
        case EndedRecording():
            return _ended(state, command)


def _started(state: State, name: str) -> State:
    if not state.can_record:
        raise ControlError("sound is recorded into a session's folder, and there is none here")
    if state.recording:
        raise ControlError(f"'{state.recording}' is being recorded; stop it first")
    taken = {*state.recordings, *state.finishing}
    free = next(one for n in count(1) if (one := f"recording-{n}") not in taken)
    if check_name(name or free, "recording") in taken:
        raise ControlError(f"there is a recording '{name}' already; choose another name, such as {free}")
    return state.replace(recording=name or free)


def _ended(state: State, ended: EndedRecording) -> State:
    recording = "" if state.recording == ended.name else state.recording
    finishing = tuple(one for one in state.finishing if one != ended.name)
    kept = (ended.kept_as,) if ended.kept_as and ended.kept_as not in state.recordings else ()
    return state.replace(recording=recording, finishing=finishing, recordings=(*state.recordings, *kept))
