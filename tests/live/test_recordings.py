"""Recordings begin and end while sound runs: each holds exactly what was played then, whole, and replaces nothing."""

import resource
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile as sf

from audiobend.bending import Patch
from audiobend.control import Context, StartRecording, State, StopRecording
from audiobend.io.session import Session
from audiobend.io.soundwriter import AudioWriter
from audiobend.live.audio import Streaming
from audiobend.live.callback import Callback
from audiobend.live.recorder import Recorders
from audiobend.live.recordings import Recordings
from audiobend.live.rings import Count, Shared
from audiobend.osc.desk import Desk
from tests.realtime.rig import wait_for

RATE, BLOCK, DELAY = 44100, 256, 1024


class Card:
    """What passes a card, block by block: dry sound, late by `DELAY`; and what its speaker got."""

    def __init__(self) -> None:
        self.shared = Shared()
        self.shared[Count.DELAY], self.shared[Count.BLOCK] = DELAY, BLOCK
        self.use(2)
        self.played: list[np.ndarray] = []
        self._noise = np.random.default_rng(5)

    def use(self, channels: int) -> None:
        """Open a card of so many outputs."""
        self.channels, self._callback = channels, Callback(self.shared, 2)

    def play(self, blocks: int) -> None:
        for _ in range(blocks):
            out = np.empty((BLOCK, self.channels), np.float32)
            self._callback(self._noise.uniform(-0.9, 0.9, (BLOCK, 2)).astype(np.float32), out)
            self.played.append(np.repeat(out, 2 // self.channels, axis=1))

    def heard(self, start: int, end: int) -> np.ndarray:
        return np.concatenate(self.played)[start:end]


@pytest.fixture
def card():
    card = Card()
    yield card
    card.shared.close()


def as_24_bits(samples: np.ndarray) -> np.ndarray:
    return np.rint(samples.astype(np.float64) * 2**23).astype(np.int64)


def read(path) -> np.ndarray:
    samples, rate = sf.read(path, dtype="int32", always_2d=True)
    assert rate == RATE
    return samples.astype(np.int64) >> 8


# --- recorders ---


def test_each_recorder_holds_what_was_played_while_it_ran_bit_for_bit(card, tmp_path):
    recorders = Recorders(card.shared)
    wrong = []

    def begin(name):
        return recorders.begin(lambda: AudioWriter(tmp_path / name, RATE, 2), lambda _, error: wrong.append(error))

    card.play(10)
    assert not card.shared[Count.KEEPS]
    one = begin("one.wav")
    card.play(40)
    two = begin("two.wav")
    card.play(30)
    one.close()
    assert card.shared[Count.KEEPS]    # for the other one
    card.play(20)
    assert two.samples == 49 * BLOCK
    two.close()
    assert wrong == [None, None] and not card.shared[Count.KEEPS]
    assert np.array_equal(read(tmp_path / "one.wav"), as_24_bits(card.heard(11 * BLOCK, 80 * BLOCK)))
    assert np.array_equal(read(tmp_path / "two.wav"), as_24_bits(card.heard(51 * BLOCK, 100 * BLOCK)))
    assert np.abs(read(tmp_path / "one.wav")).max() > 2**22


@pytest.mark.parametrize("channels", [2, 1])
def test_a_recording_goes_on_where_another_card_has_other_channels(card, tmp_path, channels):
    recorders = Recorders(card.shared)
    card.use(channels)
    card.play(10)
    path = tmp_path / "out.wav"
    recorder = recorders.begin(lambda: AudioWriter(path, RATE, channels), lambda writer, error: None)
    card.play(20)
    card.use(3 - channels)
    card.play(20)
    recorder.close()
    heard = card.heard(11 * BLOCK, 50 * BLOCK)
    assert np.array_equal(read(path), as_24_bits(heard if channels == 2 else heard.mean(axis=1, keepdims=True)))


# --- recordings of a desk ---


class Booth:
    """A desk whose recordings go into a session; its sound runs."""

    def __init__(self, card: Card, folder) -> None:
        self.card, self.told = card, []
        self.session = Session(folder)
        state = State(Patch(), can_record=True, recordings=self.session.recordings())
        self.desk = Desk(state, Context(()), lambda before, after: self.recordings.follow(before, after))
        self.recordings = Recordings(self.desk, self.session, self.told.append)
        self.recorders = Recorders(card.shared)

    def begin(self) -> None:
        self.recordings.ready(self.recorders, lambda: Streaming("", "", "", RATE, 2, 2))

    def do(self, *commands) -> None:
        assert self.desk.apply(commands) == [None] * len(commands)

    def ended(self) -> State:
        assert wait_for(lambda: not (self.desk.state.recording or self.desk.state.finishing))
        assert wait_for(lambda: not self.card.shared[Count.KEEPS])
        return self.desk.state

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.session.folder / "recordings").iterdir())


@pytest.fixture
def booth(card, tmp_path):
    booth = Booth(card, tmp_path / "session")
    booth.begin()
    card.play(10)
    yield booth
    booth.recorders.close()


def test_a_recording_appears_whole_once_it_is_stopped(booth, card):
    booth.do(StartRecording("ebb"))
    card.play(30)
    assert wait_for(lambda: booth.recordings.samples == 29 * BLOCK)
    assert booth.session.recordings() == () and not booth.session.recording_path("ebb").exists()
    booth.do(StopRecording())
    card.play(5)
    assert booth.ended().recordings == booth.session.recordings() == ("ebb",)
    assert (booth.files(), booth.recordings.samples) == (["ebb.wav"], 0)
    assert np.array_equal(read(booth.session.recording_path("ebb")), as_24_bits(card.heard(11 * BLOCK, 40 * BLOCK)))


def test_one_recording_follows_another_at_once(booth, card):
    booth.do(StartRecording())
    card.play(20)
    booth.do(StopRecording(), StartRecording())
    card.play(20)
    booth.do(StopRecording())
    assert sorted(booth.ended().recordings) == ["recording-1", "recording-2"]
    second = read(booth.session.recording_path("recording-2"))
    assert np.array_equal(second, as_24_bits(card.heard(31 * BLOCK, 50 * BLOCK)))


def test_what_ends_with_the_performance_is_whole(booth, card):
    booth.do(StartRecording("last"))
    card.play(25)
    booth.recorders.close()
    assert booth.desk.state.recordings == ("last",) and booth.desk.state.recording == ""
    assert len(read(booth.session.recording_path("last"))) == 24 * BLOCK


def test_a_file_that_is_there_is_never_replaced(booth, card):
    path = booth.session.recording_path("ebb")
    path.parent.mkdir(parents=True)
    path.write_text("somebody's")
    booth.do(StartRecording("ebb"))
    assert booth.ended().recordings == ()
    assert path.read_text() == "somebody's" and "such a file already" in booth.told[0]


def test_a_file_that_has_come_meanwhile_keeps_its_name(booth, card):
    booth.do(StartRecording("ebb"))
    card.play(20)
    path = booth.session.recording_path("ebb")
    assert wait_for(lambda: list(path.parent.glob(".*")))    # it has begun
    path.write_text("somebody's")
    booth.do(StopRecording())
    assert booth.ended().recordings == ("ebb 2",)
    assert path.read_text() == "somebody's" and "'ebb 2'" in booth.told[0]
    assert len(read(booth.session.recording_path("ebb 2"))) == 19 * BLOCK


def test_a_folder_that_cannot_be_written_is_told_and_the_state_says_so(booth, card):
    booth.session.folder.mkdir()
    (booth.session.folder / "recordings").write_text("a file where a folder should be")
    booth.do(StartRecording())
    assert booth.ended().recordings == ()
    assert len(booth.told) == 1 and "cannot be made" in booth.told[0]


@contextmanager
def largest_file(n_bytes: int):
    """Let the system refuse longer files, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_keeps_what_was_recorded_until_then(booth, card):
    with largest_file(1_000_000):
        booth.do(StartRecording("ebb"))
        card.play(1000)
        state = booth.ended()
    assert (state.recording, state.recordings) == ("", ("ebb",))
    assert len(booth.told) == 1 and "the disk is full" in booth.told[0] and booth.told[0].endswith("it ends here")
    samples = read(booth.session.recording_path("ebb"))
    assert len(samples) > 150_000
    assert np.array_equal(samples, as_24_bits(card.heard(11 * BLOCK, 11 * BLOCK + len(samples))))


def test_nothing_is_left_where_nothing_was_played(booth, card):
    booth.do(StartRecording())
    booth.do(StopRecording())
    assert booth.ended().recordings == () and booth.files() == []
    assert "nothing was played" in booth.told[0]


def test_a_recording_that_is_asked_for_before_there_is_sound_begins_with_it(card, tmp_path):
    booth = Booth(card, tmp_path / "session")
    booth.do(StartRecording("first"))
    assert not card.shared[Count.KEEPS]
    card.play(10)
    booth.begin()
    card.play(10)
    booth.do(StopRecording())
    booth.ended()
    assert len(read(booth.session.recording_path("first"))) == 9 * BLOCK
