"""Scenes and takes outlive a performance."""

import pytest

from audiobend.bending import Patch
from audiobend.control import DeleteScene, LoadScene, SaveScene, Set, StartRecording, StartTake
from audiobend.io.modelbundle import load_model
from audiobend.io.session import Session
from audiobend.live.archive import Keeping
from audiobend.live.audio import Clock
from audiobend.live.dsp import Wanted
from audiobend.live.performance import Performance
from audiobend.live.setup import Setup
from audiobend.spectral.live_settings import LiveSettings

PATCH = Patch(seed=3).add(3, "erode", {"radius": 2}, id="fog")


@pytest.fixture
def perform(tiny_bundle, tmp_path):
    """Make a performance that is never started: its desk, OSC and session are there."""
    model = load_model(tiny_bundle)
    told = []

    def perform():
        setup = Setup(Wanted(str(tiny_bundle), PATCH), LiveSettings(4, 4), Clock(44100))
        return Performance(setup, model, told.append, keeping=Keeping(Session(tmp_path / "session")))

    perform.told = told
    return perform


def test_scenes_are_there_the_next_time_as_they_were_left(perform):
    with perform() as one:
        commands = [SaveScene("low"), Set("fog/radius", 9), SaveScene("high"), SaveScene("gone")]
        assert one.desk.apply(commands) == [None] * 4
        assert one.desk.apply([DeleteScene("gone")]) == [None]
    with perform() as two:
        assert sorted(two.desk.state.scenes) == ["high", "low"]
        assert two.desk.apply([LoadScene("high")]) == [None]
        assert two.desk.state.patch == PATCH.set("fog/radius", 9)
    assert perform.told == []


def test_a_disk_that_fails_is_told_and_the_performance_goes_on(perform, tmp_path):
    (tmp_path / "session").mkdir()
    (tmp_path / "session" / "scenes").write_text("a file where a folder should be")
    with perform() as one:
        assert one.desk.apply([SaveScene("low"), Set("fog/radius", 9)]) == [None, None]
        assert "low" in one.desk.state.scenes
    assert len(perform.told) == 1 and "cannot be made" in perform.told[0]


def test_takes_of_the_session_keep_their_names(perform, tmp_path):
    Session(tmp_path / "session").take_path("take-1").write_text("")
    with perform() as one:
        assert one.desk.apply([StartTake()]) == [None]
        assert one.desk.state.take == "take-2"


def test_recordings_of_the_session_keep_their_names_and_what_is_unfinished_is_none(perform, tmp_path):
    folder = tmp_path / "session" / "recordings"
    folder.mkdir(parents=True)
    (folder / "recording-1.wav").write_text("")
    (folder / ".1234.wav").write_text("")
    with perform() as one:
        assert one.desk.state.recordings == ("recording-1",)
        assert one.desk.apply([StartRecording()]) == [None]
        assert one.desk.state.recording == "recording-2"


def test_without_a_session_nothing_is_recorded(tiny_bundle):
    """As in an instance of the server, whose host records."""
    setup = Setup(Wanted(str(tiny_bundle), PATCH), LiveSettings(4, 4), Clock(44100))
    with Performance(setup, load_model(tiny_bundle), lambda sentence: None) as one:
        (error,) = one.desk.apply([StartRecording()])
        assert "there is none here" in str(error) and one.desk.state.recording == ""
