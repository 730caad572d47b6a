"""``audiobend image animate`` as one types it."""

import json
from pathlib import Path

import av
import pytest

PATCH = "transforms: [{id: fog, layer: 3, transform: scalar-multiply, params: [2.0], features: random, " \
        "feature-param: 0.5, mix: 0.5}]\nseed: 4\n"    # fmt: skip


@pytest.fixture
def patch(tmp_path) -> Path:
    (tmp_path / "fog.yaml").write_text(PATCH)
    return tmp_path / "fog.yaml"


def test_a_film_driven_by_a_track_is_heard_and_is_the_same_every_time(audiobend, model_file, patch, track):
    words = ("--model", model_file, "--patch", patch, "--seeds", "1,5", "--fps", "10", "--audio", track, "--side", "64",
             "--drive", "level:fog/mix=0:1", "--drive", "onsets:walk=0.2:4",
             "--sweep", "latent/0/offset=0:2")    # fmt: skip
    for name in ("a.mp4", "b.mp4"):
        status, out, error = audiobend("image", "animate", *words, "--out", name, "--json")
        assert (status, error) == (0, "")
        told = json.loads(out)
        assert (told["frames"], told["width"], told["seconds"]) == (20, 64, 2.0)
    assert Path("a.mp4").read_bytes() == Path("b.mp4").read_bytes()
    with av.open("a.mp4") as film:
        assert [len(film.streams.video), len(film.streams.audio)] == [1, 1]
        facts = json.loads(film.metadata["description"])
    assert "features: random" not in facts["patch"] and "feature-param: [" in facts["patch"]
    assert facts["drives"] == ["level:fog/mix=0:1", "onsets:walk=0.2:4"] and facts["walk"]["seeds"] == [1, 5]
    assert {path.name for path in Path().iterdir()} == {"a.mp4", "b.mp4", "fog.yaml", "net.pkl"}


@pytest.mark.parametrize("name", ["film.gif", "film"])
def test_a_loop_becomes_a_gif_or_a_folder(audiobend, model_file, name):
    words = ("--model", model_file, "--seeds", "1,5", "--loop", "--walk", "z", "--seconds", "1", "--fps", "5")
    assert audiobend("image", "animate", *words, "--out", name, "--quiet") == (0, "", "")
    assert audiobend("image", "animate", *words, "--out", name, "--quiet") == (0, "", "")    # our own is replaced
    assert Path(name).exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--out", "f.avi"], "must end in .mp4 or .gif"),
        (["--out", "f.mp4", "--sweep", "fug/mix=0:1"], "there is no bend 'fug'"),
        (["--out", "f.mp4", "--drive", "level:fog/mix=0:1"], "--drive needs a track"),
        (["--out", "f.mp4", "--audio", "no.wav"], "no.wav: cannot be read"),
        (["--out", "f.mp4", "--audio", "net.pkl"], "is not a sound file"),
        (["--out", "f.mp4", "--seconds", "0"], "--seconds must be"),
        (["--out", "f.mp4", "--seeds", "x"], "--seeds must be"),
        (["--out", "theirs.mp4"], "was not written by audiobend"),
        (["--out", "f.mp4", "--patch", "far.yaml"], "far.yaml: transforms[0]: layer 16"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(audiobend, model_file, words, expected):
    Path("theirs.mp4").write_bytes(b"mine")
    Path("far.yaml").write_text("transforms: [{layer: 16, transform: ablate}]")
    before = sorted(Path().rglob("*"))
    status, out, error = audiobend("image", "animate", "--model", model_file, *words)
    assert status == 2 and out == "" and expected in error
    assert error.count("\n") == 1
    assert sorted(Path().rglob("*")) == before
