"""``audiobend render`` as a musician meets it."""

import hashlib
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

SOUND = Path(__file__).parents[2] / "examples" / "sounds" / "pressure.flac"
PATCH = """
audiobend: 1
name: test
seed: 5
transforms:
  - {id: fog, layer: 3, transform: erode, params: {radius: 1}, features: cluster, feature-param: 1}
  - {id: dust, layer: 2, transform: scalar-multiply, params: [2.0], features: random, feature-param: 0.25}
"""


@pytest.fixture
def patch(tmp_path) -> Path:
    path = tmp_path / "patch.yaml"
    path.write_text(PATCH)
    return path


@pytest.fixture
def short(tmp_path) -> Path:
    return cut(tmp_path / "short.wav", 0.5)


def cut(path: Path, seconds: float = 1.0, rate: int = 44100, channels: int = 1, subtype: str = "PCM_16") -> Path:
    samples, _ = sf.read(SOUND, frames=int(seconds * rate), dtype="float32", always_2d=True)
    sf.write(path, samples[:, :channels], rate, subtype=subtype)
    return path


@pytest.mark.parametrize(
    ("suffix", "rate", "channels", "subtype"),
    [
        ("wav", 44100, 1, "PCM_16"), ("wav", 48000, 2, "PCM_24"), ("flac", 22050, 2, "PCM_16"),
        ("wav", 96000, 1, "FLOAT"), ("ogg", 44100, 2, "VORBIS"), ("aiff", 8000, 1, "PCM_16"), ("mp3", 44100, 2, None),
    ],
)
def test_output_keeps_rate_channels_and_length(
    audiobend, tiny_bundle, patch, tmp_path, suffix, rate, channels, subtype
):
    source = cut(tmp_path / f"in.{suffix}", 0.6, rate, channels, subtype)
    status, _, error = audiobend("render", source, "--patch", patch, "--model", tiny_bundle)
    assert (status, error) == (0, "")
    before, after = sf.info(source), sf.info("in.bent.wav")
    assert (after.samplerate, after.channels, after.frames) == (before.samplerate, before.channels, before.frames)
    if suffix == "wav":
        assert after.subtype == before.subtype


def test_patch_changes_the_sound_and_the_same_command_gives_the_same_file(audiobend, tiny_bundle, patch, short):
    audiobend("render", short, "unbent.wav", "--model", tiny_bundle)
    audiobend("render", short, "one.wav", "--model", tiny_bundle, "--patch", patch)
    audiobend("render", short, "two.wav", "--model", tiny_bundle, "--patch", patch)
    unbent, one = sf.read("unbent.wav")[0], sf.read("one.wav")[0]
    assert np.abs(unbent - one).max() > 0.002
    assert Path("one.wav").read_bytes() == Path("two.wav").read_bytes()


def test_set_changes_one_value(audiobend, tiny_bundle, patch, short):
    audiobend("render", short, "one.wav", "--model", tiny_bundle, "--patch", patch)
    audiobend("render", short, "same.wav", "--model", tiny_bundle, "--patch", patch, "--set", "fog/radius=1")
    audiobend("render", short, "more.wav", "--model", tiny_bundle, "--patch", patch, "--set", "fog/radius=3")
    assert Path("one.wav").read_bytes() == Path("same.wav").read_bytes()
    assert Path("one.wav").read_bytes() != Path("more.wav").read_bytes()


def test_switching_every_bend_off_is_the_unbent_sound(audiobend, tiny_bundle, patch, short):
    audiobend("render", short, "unbent.wav", "--model", tiny_bundle)
    off = ["--set", "fog/on=off", "--set", "dust/mix=0"]
    audiobend("render", short, "off.wav", "--model", tiny_bundle, "--patch", patch, "--seed", "0", *off)
    assert Path("unbent.wav").read_bytes() == Path("off.wav").read_bytes()


def test_dry_mix_is_the_input(audiobend, tiny_bundle, patch, short):
    audiobend("render", short, "dry.wav", "--model", tiny_bundle, "--patch", patch, "--mix", "0")
    assert np.array_equal(sf.read("dry.wav", dtype="int16")[0], sf.read(short, dtype="int16")[0])


@pytest.mark.parametrize("phase", ["auto", "input", "pghi", "griffinlim"])
@pytest.mark.parametrize("quality", ["fast", "default", "best"])
def test_every_phase_and_quality_renders(audiobend, tiny_bundle, patch, tmp_path, phase, quality):
    source = cut(tmp_path / "in.wav", 0.4, channels=2)
    few = ["--iterations", "5"] if phase == "griffinlim" else []
    status, _, error = audiobend(
        "render", source, "--model", tiny_bundle, "--patch", patch, "--phase", phase, "--quality", quality, *few
    )
    assert (status, error) == (0, "")
    assert 0 < np.abs(sf.read("in.bent.wav")[0]).max() < 1


def test_json_is_one_document_and_nothing_else(audiobend, tiny_bundle, patch, short):
    status, output, error = audiobend("render", short, "--model", tiny_bundle, "--patch", patch, "--json")
    document = json.loads(output)
    assert (status, error) == (0, "")
    assert document["files"][0]["output"] == "short.bent.wav"
    assert document["seed"] == 5
    assert document["times_real_time"] > 0


def test_many_inputs_go_to_a_folder(audiobend, tiny_bundle, patch, tmp_path):
    sources = [cut(tmp_path / f"{name}.wav", 0.3) for name in "abc"]
    status, _, error = audiobend(
        "render", *sources, "--out-dir", "bent", "--format", "flac", "--model", tiny_bundle, "--patch", patch
    )
    assert (status, error) == (0, "")
    assert sorted(path.name for path in Path("bent").iterdir()) == ["a.bent.flac", "b.bent.flac", "c.bent.flac"]


def test_variations_differ_and_each_can_be_rendered_again_bit_for_bit(audiobend, tiny_bundle, patch, short):
    status, _, error = audiobend(
        "render", short, "--patch", patch, "--variations", "3", "--out-dir", "many", "--seed", "9",
        "--model", tiny_bundle, "--phase", "pghi", "--iterations", "3", "--detail", "0.2",
    )
    assert (status, error) == (0, "")
    manifest = json.loads(Path("many/short.variations.json").read_text())
    assert [entry["seed"] for entry in manifest["variations"]] == [9, 10, 11]
    sounds = {Path("many", entry["file"]).read_bytes() for entry in manifest["variations"]}
    assert len(sounds) == 3
    for entry in manifest["variations"]:
        before = Path("many", entry["file"]).read_bytes()
        Path("many", entry["file"]).unlink()
        assert audiobend(*shlex.split(entry["command"])[1:])[0] == 0
        assert Path("many", entry["file"]).read_bytes() == before
        assert hashlib.sha256(before).hexdigest() == entry["sha256"]


def test_plot_draws_three_spectrograms(audiobend, tiny_bundle, patch, short):
    status, _, error = audiobend("render", short, "--patch", patch, "--plot", "spectra.png", "--model", tiny_bundle)
    assert (status, error) == (0, "")
    from matplotlib.image import imread

    picture = imread("spectra.png")
    assert picture.shape[0] > 600
    assert picture[..., :3].std() > 0.05


def test_a_file_of_another_maker_is_not_replaced_unless_asked(audiobend, tiny_bundle, short, tmp_path):
    other = cut(tmp_path / "precious.wav", 0.3)
    before = other.read_bytes()
    status, _, error = audiobend("render", short, other, "--model", tiny_bundle)
    assert status == 2
    assert "was not written by audiobend; add --overwrite" in error
    assert other.read_bytes() == before
    status, _, _ = audiobend("render", short, other, "--model", tiny_bundle, "--overwrite")
    assert status == 0
    assert audiobend("render", short, other, "--model", tiny_bundle)[0] == 0    # now it is ours


def test_variations_refuse_to_replace_strangers_files(audiobend, tiny_bundle, patch, short, tmp_path):
    stranger = cut(tmp_path / "short.02.wav", 0.2)
    kept = {stranger: stranger.read_bytes(), patch: patch.read_bytes()}
    words = ("render", short, "--patch", patch, "--variations", "2", "--model", tiny_bundle)
    status, _, error = audiobend(*words)
    assert status == 2
    assert "short.02.wav: exists and was not written by audiobend" in error
    patch_in_the_way = tmp_path / "short.01.yaml"
    patch_in_the_way.write_text(patch.read_text())
    stranger.rename(tmp_path / "other.wav")
    assert audiobend(*words)[0] == 2
    assert audiobend("render", short, "--patch", patch_in_the_way, "--variations", "1", "--overwrite")[0] == 2
    assert patch_in_the_way.read_bytes() == kept[patch]
    patch_in_the_way.unlink()
    assert audiobend(*words)[0] == 0
    assert audiobend(*words)[0] == 0    # all of it is ours now


def test_variations_never_replace_another_input(audiobend, tiny_bundle, patch, tmp_path):
    first, second = cut(tmp_path / "a.wav", 0.2), cut(tmp_path / "a.01.wav", 0.2)
    before = second.read_bytes()
    status, _, error = audiobend(
        "render", first, second, first, "--patch", patch, "--variations", "1", "--overwrite", "--model", tiny_bundle
    )
    assert status == 2
    assert "a.01.wav" in error
    assert second.read_bytes() == before


def test_a_picture_of_another_maker_is_not_replaced(audiobend, tiny_bundle, short, tmp_path):
    picture = tmp_path / "holiday.png"
    picture.write_bytes(b"\x89PNG not ours")
    words = ("render", short, "--plot", picture, "--model", tiny_bundle)
    status, _, error = audiobend(*words)
    assert status == 2
    assert "holiday.png: exists and was not written by audiobend" in error
    assert audiobend(*words, "--overwrite")[0] == 0
    assert audiobend(*words)[0] == 0


@pytest.mark.parametrize("name", ["out.oga", "out.wave"])
def test_other_endings_of_the_same_kinds(audiobend, tiny_bundle, short, name):
    assert audiobend("render", short, name, "--model", tiny_bundle)[0] == 0
    assert sf.info(name).frames == sf.info(short).frames


@pytest.mark.parametrize("change", ["fog/features=random 0.5", "fog/layer=2", "fog/on=yes", "fog/mix=0.5"])
def test_set_takes_all_that_a_patch_can_be_told(audiobend, tiny_bundle, patch, short, change):
    assert audiobend("render", short, "--patch", patch, "--set", change, "--model", tiny_bundle)[0] == 0
