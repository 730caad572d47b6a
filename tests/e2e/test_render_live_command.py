"""`audiobend render --quality live`: a file through the live engine, aligned, as long, at its own rate."""

import numpy as np
import pytest
import soundfile as sf


@pytest.fixture
def rendered(audiobend, tiny_bundle, tmp_path, music):
    def render(rate, channels, *words):
        sound = music.numpy().T[:40001, :channels]
        sf.write(tmp_path / "in.wav", sound, rate, subtype="FLOAT")
        fixed = ("--quality", "live", "--backend", "torch", "--model", tiny_bundle, "--overwrite")
        status, _, error = audiobend("render", tmp_path / "in.wav", tmp_path / "out.wav", *fixed, *words)
        assert status == 0, error
        out, out_rate = sf.read(tmp_path / "out.wav", dtype="float32", always_2d=True)
        assert out_rate == rate and out.shape == (len(sound), channels)
        return sound, out

    return render


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (44100, 1), (22050, 1), (48000, 2)])
def test_an_unbent_sound_with_its_detail_comes_back_where_it_was(rendered, rate, channels):
    sound, out = rendered(rate, channels, "--detail", 1)
    inside = slice(4096, -4096)
    wrong = np.sqrt(np.mean((out - sound)[inside] ** 2) / np.mean(sound[inside] ** 2))
    assert wrong < 0.03


def test_the_same_twice_and_another_profile_is_another_sound(rendered):
    one, again = rendered(44100, 1)[1], rendered(44100, 1)[1]
    assert np.array_equal(one, again)
    assert not np.array_equal(one, rendered(44100, 1, "--latency", "studio")[1])
    assert not np.array_equal(one, rendered(44100, 1, "--stride", 4)[1])


@pytest.mark.parametrize("words", [["--iterations", 4], ["--variations", 2], ["--phase", "griffinlim"]])
def test_what_belongs_to_the_other_engine_is_refused(audiobend, tiny_bundle, tmp_path, words):
    sf.write(tmp_path / "in.wav", np.zeros(100, np.float32), 44100)
    status, _, error = audiobend("render", tmp_path / "in.wav", "--quality", "live", *words)
    assert status == 2
    assert words[0] in error and "--quality live" in error
