"""Recordings by OSC while ``audiobend live`` plays: bit for bit what ``--record`` holds over the same stretch."""

import signal

import numpy as np
import pytest
import soundfile as sf

from audiobend.osc.client import OscClient
from tests.e2e.test_live_command import cut, events, start
from tests.realtime.rig import wait_for

__all__ = ["start"]
pytestmark = pytest.mark.slow
PATCH = "audiobend: 1\ntransforms: [{id: fog, layer: 3, transform: invert}]\noutput: {detail: 1}\n"


def begun(start, tmp_path, *words):
    """A performance of a file in a circle, heard bent; the process, and a hand at its OSC."""
    track = cut(tmp_path / "track.wav", 5.0)
    (tmp_path / "patch.yaml").write_text(PATCH)
    words = ("--no-audio", "--from", track, "--loop", "--patch", "patch.yaml", "--session", "session", *words)
    process = start("--no-page", "--json", *words)
    client = OscClient("127.0.0.1", events(process, "start")[-1]["osc"]["port"])
    sounds_until(process, lambda one: one["is_bent"] and one["out_db"] > -60)
    return process, client


def sounds_until(process, condition) -> None:
    while not condition(events(process, "status")[-1]):
        pass


def sounds(process, seconds: float) -> None:
    """Let so much sound pass."""
    end = events(process, "status")[-1]["seconds"] + seconds
    sounds_until(process, lambda one: one["seconds"] >= end)


def asked(client, path) -> list:
    return [one.args for one in client.request(f"/audiobend/{path}", []) if one.address == f"/audiobend/{path}"]


def told(client, path, *args) -> tuple:
    """What is answered: done or fail, and what came of it."""
    (answer,) = client.request(f"/audiobend/{path}", args)
    return answer.address.rpartition("/")[2], *answer.args[1:]


def as_recorded(path) -> np.ndarray:
    return sf.read(path, dtype="int32", always_2d=True)[0]


def find(part: np.ndarray, whole: np.ndarray) -> int:
    """Where a stretch begins; every one of its samples is there."""
    for at in np.flatnonzero(np.all(whole[: len(whole) - len(part) + 1] == part[0], axis=1)):
        if np.array_equal(whole[at : at + len(part)], part):
            return int(at)
    raise AssertionError("it is nowhere")


def test_recordings_hold_what_the_whole_performance_holds_bit_for_bit(start, tmp_path):
    process, client = begun(start, tmp_path, "--record", "all.wav")
    with client:
        assert told(client, "recording/start", "ebb") == ("done", "ebb")
        assert asked(client, "recording/name") == [("ebb",)]
        assert told(client, "recording/start")[1] == 409
        sounds(process, 1.5)
        assert told(client, "recording/stop") == ("done",)
        assert wait_for(lambda: asked(client, "list/recordings") == [(0, 1, "ebb")])
        assert told(client, "recording/start", "ebb")[1] == 409    # nobody's file is replaced
        sounds(process, 0.5)
        assert told(client, "recording/start") == ("done", "recording-1")
        sounds(process, 1.0)
    process.send_signal(signal.SIGINT)    # in the middle of the second one
    _, error = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in error
    folder = tmp_path / "session" / "recordings"
    assert sorted(path.name for path in folder.iterdir()) == ["ebb.wav", "recording-1.wav"]
    whole = as_recorded(tmp_path / "all.wav")
    first, second = (as_recorded(folder / f"{name}.wav") for name in ("ebb", "recording-1"))
    assert min(len(first), len(second)) > 40000 and np.abs(first).max() > 2**24
    assert find(first, whole) + len(first) < find(second, whole)


def test_a_recording_goes_on_while_another_engine_takes_the_place_of_this_one(start, tmp_path):
    process, client = begun(start, tmp_path, "--record", "all.wav")
    with client:
        told(client, "recording/start", "ebb")
        late = events(process, "status")[-1]["late_blocks"]
        client.request("/audiobend/profile", ["low"])
        sounds_until(process, lambda one: one["late_blocks"] > late and one["is_bent"])    # it was dry meanwhile
        told(client, "recording/stop")
        assert wait_for(lambda: asked(client, "list/recordings") == [(0, 1, "ebb")])
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    find(as_recorded(tmp_path / "session" / "recordings" / "ebb.wav"), as_recorded(tmp_path / "all.wav"))
