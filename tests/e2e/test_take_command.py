"""A performance is recorded by one command and rendered again by another."""

import json
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
import soundfile as sf

from audiobend.bending import Patch
from audiobend.io.takefile import Began, Gesture, TakeHead, head_text, line_text, track_of
from audiobend.io.takereading import load_take
from audiobend.osc.client import OscClient
from audiobend.spectral.live_settings import LiveSettings
from tests.e2e.test_live_command import SOUND, cut, events, start

__all__ = ["start"]

RATE = 44100
PLAYED = [
    ("/audiobend/layer/3/all/erode", 1),
    ("/audiobend/layer/3/all/erode/radius", 2),
    ("/audiobend/layer/3/all/erode/mix/lfo", "sine", 2.0, 0.4),
    ("/audiobend/scene/save", "low"),
    ("/audiobend/layer/2/cluster/1/negate", 1),
    ("/audiobend/gain", -3.0),
    ("/audiobend/scene/load", "low", 0.5),
    ("/audiobend/undo",),
]


@pytest.fixture
def take(tmp_path, tiny_bundle):
    """A take of a short sound, by hand."""
    from audiobend.io.modelbundle import load_model

    track = cut(tmp_path / "track.wav", 0.8, channels=1)
    patch = Patch(seed=2).add(3, "erode", {"radius": 1}, id="fog")
    fingerprint = load_model(tiny_bundle).fingerprint
    head = TakeHead(str(tiny_bundle), fingerprint, patch, LiveSettings(4, 4), RATE, 1, track=track_of(track))
    lines = (
        Began(-3000),
        Gesture(9000, 0.5, "/audiobend/bend/fog/radius", (4,), number=1),
        Gesture(20_000, 0.9, "/audiobend/mix", (0.3,), number=2),
    )
    path = tmp_path / "take.jsonl"
    path.write_text(head_text(head) + "".join(map(line_text, lines)), encoding="utf-8")
    return path


def wait_for_sound(take: Path, seconds: float = 300) -> None:
    """Return once the engine has taken its first block: what is played from there on lies behind it."""
    end = monotonic() + seconds
    while '"began"' not in (take.read_text(encoding="utf-8") if take.exists() else ""):
        assert monotonic() < end, "the engine took no sound"
        sleep(0.005)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_recorded_performance_is_rendered_again_bit_for_bit(start, audiobend, tmp_path):
    piece, _ = sf.read(SOUND, frames=4 * RATE, dtype="float32")
    sf.write(tmp_path / "track.wav", np.tile(piece, (5, 1)), RATE, subtype="PCM_16")
    words = ("--from", "track.wav", "--record", "out.wav", "--take", "tonight.jsonl", "--session", "s", "--json")
    process = start("--no-audio", "--fast", *words)
    facts = events(process, "start")[-1]
    assert (facts["take"], facts["session"]) == ("tonight", "s")
    with OscClient("127.0.0.1", facts["osc"]["port"]) as client:
        for address, *args in PLAYED[:4]:
            client.request(address, args)
        wait_for_sound(tmp_path / "tonight.jsonl")
        for address, *args in PLAYED[4:]:
            client.request(address, args)
    output, error = process.communicate(timeout=500)
    assert process.returncode == 0, error
    take = load_take(tmp_path / "tonight.jsonl")
    played = [line for line in take.lines if isinstance(line, Gesture) and line.sample < 20 * RATE]
    assert len(played) == len(PLAYED), (played, output)
    first = next(line.sample for line in take.lines if isinstance(line, Began))
    assert sum(line.sample > first for line in played) >= len(PLAYED[4:])
    assert (tmp_path / "s" / "scenes" / "low.yaml").exists()
    for name in ("a.wav", "b.wav"):
        status, _, error = audiobend(
            "render", "track.wav", name, "--take", "tonight.jsonl", "--quality", "live", "--json"
        )
        assert (status, error) == (0, "")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    live, again = (sf.read(tmp_path / name, dtype="int32")[0] for name in ("out.wav", "a.wav"))
    np.testing.assert_array_equal(live, again)


@pytest.mark.parametrize("quality", ["live", "fast", "best"])
def test_a_take_is_rendered_the_same_twice_and_as_long_as_its_sound(audiobend, take, tmp_path, quality):
    for name in ("a.wav", "b.wav"):
        status, output, error = audiobend(
            "render", "track.wav", name, "--take", take, "--quality", quality, "--json"
        )
        assert (status, error) == (0, "")
        assert json.loads(output)["gestures"] == 2
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert sf.info("a.wav").frames == sf.info("track.wav").frames
    audiobend("render", "track.wav", "plain.wav", "--model", json.loads(take.read_text().splitlines()[0])["model"])
    assert np.abs(sf.read("a.wav")[0] - sf.read("plain.wav")[0]).max() > 0.001


def test_another_sound_is_told_and_played_all_the_same(audiobend, take, tmp_path):
    cut(tmp_path / "other.wav", 0.5, channels=2)
    status, output, error = audiobend("render", "other.wav", "out.wav", "--take", take, "--quality", "live")
    assert (status, error) == (0, "")
    assert "other.wav: is not the sound of this take, which is track.wav" in output
    assert sf.info("out.wav").frames == sf.info("other.wav").frames


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--quality", "live", "--phase", "pghi"], "--phase must be auto or input with --quality live, got pghi"),
        (["--stride", "4"], "--stride needs --quality live; the other qualities run another engine"),
        (["--take", "none.jsonl"], "none.jsonl: cannot be read: there is no such file"),
        (["--take", "take.jsonl", "--mix", "0.5"], "--mix cannot stand beside --take"),
        (["--take", "take.jsonl", "--patch", "p.yaml"], "--patch cannot stand beside --take"),
        (["--take", "track.wav"], "track.wav: line 1: is not text (UTF-8)"),
        (["--take", "wrong.jsonl"], "wrong.jsonl: sample 5: /audiobend/bend/fgo/mix: "),
        (["--take", "stranger.jsonl"], "stranger.jsonl: was played with another model of the name"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(audiobend, take, tmp_path, words, sentence):
    text = take.read_text()
    (tmp_path / "wrong.jsonl").write_text(
        text.splitlines(keepends=True)[0] + line_text(Gesture(5, 1.0, "/audiobend/bend/fgo/mix", (0.5,)))
    )
    first, _, rest = text.partition("\n")
    (tmp_path / "stranger.jsonl").write_text(f"{json.dumps(json.loads(first) | {'fingerprint': 'f' * 16})}\n{rest}")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    status, _, error = audiobend("render", "track.wav", "out.wav", *words)
    assert (status, error.count("\n")) == (2, 1), error
    assert sentence in error
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--take", "take.jsonl"], "take.jsonl: there is such a take; choose another name, or add --overwrite"),
        (["--take", "track.wav.jsonl/x.jsonl"], "the folder track.wav.jsonl does not exist"),
        (["--take", "a,b"], "a take's name must be"),
        (["--session", "track.wav"], "track.wav: is a file; a session is a folder"),
    ],
)
def test_a_mistake_of_a_performance_is_one_sentence(audiobend, take, words, sentence):
    status, _, error = audiobend("live", "--osc-port", 0, "--no-audio", "--from", "track.wav", *words)
    told = [line for line in error.splitlines() if "loading the model" not in line]
    assert (status, len(told)) == (2, 1), error
    assert sentence in told[0]
