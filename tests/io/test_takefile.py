"""Takes are read with suspicion, written line by line, and survive being cut off."""

import json

import pytest

from audiobend.bending import Patch
from audiobend.errors import TakeError
from audiobend.io.takefile import Began, Gesture, SceneIs, Skipped, TakeHead, Track, head_text, line_text
from audiobend.io.takereading import MAX_LINE, load_take
from audiobend.spectral.live_settings import LiveSettings

PATCH = Patch(seed=4).add(3, "erode", {"radius": 2}, id="fog").set("fog/radius/lfo", "sine 0.3 1.5")
TRACK = Track("ebb & flöt.wav", 44100, 48000, 2, "ab" * 32)
SETTINGS = LiveSettings(4, 4, n_channels=2)
HEAD = TakeHead("tiny", "0" * 16, PATCH, SETTINGS, 48000, 2, "openvino", "low", True, TRACK, True)
LINES = (
    Began(-500),
    Gesture(100, 1.25, "/audiobend/bend/fog/radius", (3,), number=1),
    SceneIs("low tide", PATCH),
    Gesture(100, 1.5, "/audiobend/scene/load", ("low tide", 0.1 + 0.2), number=2),
    Skipped(900, 700),
    Gesture(901, 2.0, "/audiobend/undo", (), PATCH, 3),
)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "take.jsonl").write_text(head_text(HEAD) + "".join(map(line_text, LINES)), encoding="utf-8")
    return tmp_path / "take.jsonl"


def test_what_is_written_is_read_back_the_same(path):
    take = load_take(path)
    assert take.head == HEAD
    assert take.lines == LINES


def test_a_last_line_that_was_cut_off_is_left_out(path):
    whole = path.read_bytes()
    for cut in (1, 10, 60):
        path.write_bytes(whole[:-cut])
        assert load_take(path).lines == LINES[:-1]


def head(**changes):
    return json.dumps(json.loads(head_text(HEAD)) | changes)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["nonsense"], "line 1: is not JSON"),
        (["[" * 100_000], "line 1: is not JSON"),
        (["[]"], "line 1: must be a mapping"),
        (["{}"], "line 1: is not a take of audiobend"),
        ([head(audiobend_take=2)], "line 1: audiobend_take must be 1, the version of takes, got 2"),
        ([head(sample_rate="fast")], "line 1: sample_rate must be a whole number in 1000..1000000, got 'fast'"),
        ([head(channels=3)], "line 1: channels must be a whole number in 1..2, got 3"),
        ([head(bypass=1)], "line 1: bypass must be true or false, got 1"),
        ([head(model=None)], "line 1: model must be a text, got None"),
        ([head(patch={"transforms": [{"layer": 3, "transform": "erodd"}]})], "did you mean 'erode'"),
        ([head(settings={"stride": 1000})], "line 1: stride must be a whole number in 1..64; got 1000"),
        ([head(track=[])], "line 1: track must be a mapping"),
        ([head(), "{}"], "line 2: sample must be a whole number"),
        ([head(), '{"sample": 1e400}'], "line 2: sample must be"),
        ([head(), '{"sample": NaN}'], "line 2: is not JSON"),
        ([head(), '{"event": "exploded", "sample": 1}'], "line 2: event must be began, skipped, scene, started or"),
        ([head(), '{"sample": 1, "n": 1, "t": "now"}'], "line 2: t must be a number of seconds"),
        ([head(), '{"sample": 1, "n": 1, "t": 0, "address": "mix", "args": []}'], "line 2: address must begin"),
        ([head(), '{"sample": 1, "n": 1, "t": 0, "address": "/mix", "args": [[]]}'], "line 2: args must be"),
        ([head(), '{"sample": 1, "n": 1, "t": 0, "address": "/mix", "args": [true]}'], "line 2: args must be"),
        ([head(), '{"event": "began", "sample": 9}', '{"event": "began", "sample": 8}'], "line 3: samples must not"),
        ([head(), "x" * (MAX_LINE + 1)], "line 2: may hold 2048 KiB at most"),
    ],
)
def test_a_wrong_take_is_one_sentence_with_its_line(tmp_path, lines, sentence):
    path = tmp_path / "take.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(TakeError) as refusal:
        load_take(path)
    assert str(refusal.value).startswith(f"{path}: line ") and sentence in str(refusal.value)


@pytest.mark.parametrize(("content", "sentence"), [(b"", "is empty"), (b"{", "cut off"), (b"\xff\xfe\n", "not text")])
def test_a_file_that_is_no_take_is_one_sentence(tmp_path, content, sentence):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(TakeError, match=sentence):
        load_take(tmp_path / "x")
    with pytest.raises(TakeError, match="no such file"):
        load_take(tmp_path / "none")
