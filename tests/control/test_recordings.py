"""Recordings: names are never used twice, and what fails is not listed."""

import pytest

from audiobend.bending import Patch
from audiobend.control import Context, EndedRecording, StartRecording, State, StopRecording, Undo, update, update_all
from audiobend.errors import ControlError

NOTHING = Context(())


def after(*commands, **begun):
    state, outcomes = update_all(State(Patch(), can_record=True, **begun), commands, NOTHING)
    assert outcomes == [None] * len(commands)
    return state


def test_a_name_is_taken_while_its_file_is_being_finished():
    state = after(StartRecording(), StopRecording(), StartRecording(), StopRecording(), recordings=("recording-2",))
    assert state.finishing == ("recording-1", "recording-3")
    with pytest.raises(ControlError, match="already; choose another name, such as recording-4"):
        update(state, StartRecording("recording-3"), NOTHING)


def test_only_files_that_are_whole_are_listed_under_the_names_that_they_have():
    state = after(StartRecording("a"), StopRecording(), StartRecording("b"), EndedRecording("a", "a 2"))
    assert (state.recording, state.finishing, state.recordings) == ("b", (), ("a 2",))
    state = update(state, EndedRecording("b"), NOTHING)    # the disk was full
    assert (state.recording, state.recordings) == ("", ("a 2",))


@pytest.mark.parametrize("name", ["../x", ".hidden", "a/b", "a\\b", " ", "x" * 65, "a\nb"])
def test_a_name_is_words_and_never_a_path(name):
    with pytest.raises(ControlError, match="a recording's name must be"):
        update(after(), StartRecording(name), NOTHING)


def test_without_a_session_nothing_is_recorded():
    with pytest.raises(ControlError, match="there is none here"):
        update(State(Patch()), StartRecording(), NOTHING)


def test_a_recording_is_no_gesture_that_could_be_undone():
    with pytest.raises(ControlError, match="nothing to undo"):
        update(after(StartRecording()), Undo(), NOTHING)
