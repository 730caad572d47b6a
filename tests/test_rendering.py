"""`audiobend.render` on arrays, and files of any length."""

import numpy as np
import pytest
import torch

import audiobend as ab
from audiobend import rendering

FAST = ab.Settings(quality="fast")


@pytest.mark.parametrize("kind", ["tensor", "array"])
@pytest.mark.parametrize("shape", [(30_000,), (1, 30_000), (2, 30_000)])
def test_same_kind_and_shape_come_back(tiny_model, music, kind, shape):
    waveform = music[: shape[0] if len(shape) == 2 else 1, :30_000].reshape(shape)
    given = waveform if kind == "tensor" else waveform.numpy()
    before = waveform.clone()
    result = ab.render(given, 44100, model=tiny_model, patch=ab.Patch().add(2, "ablate"), settings=FAST)
    assert type(result) is type(given)
    assert tuple(result.shape) == shape
    assert torch.equal(waveform, before)


@pytest.mark.parametrize("shape", [(3, 100), (1, 2, 100), ()])
def test_other_shapes_are_refused(tiny_model, shape):
    with pytest.raises(ab.AudiobendError, match=r"must be \(time,\) or \(channel, time\)"):
        ab.render(torch.zeros(shape), 44100, model=tiny_model)


@pytest.mark.parametrize("rate", [8000, 22050, 44101, 48000, 96000])
@pytest.mark.parametrize("n_samples", [1, 1000, 30_001])
def test_length_is_kept_at_any_rate(tiny_model, music, rate, n_samples):
    result = ab.render(music[:, :n_samples], rate, model=tiny_model, settings=FAST)
    assert result.shape == (2, n_samples)


def test_the_engine_sees_the_same_sound_at_another_rate(tiny_model, music):
    from audiobend.io.audiofile import StreamResampler

    resampler = StreamResampler(44100, 48000, 2)
    at_48 = torch.cat([resampler.feed(music), resampler.flush()], dim=-1)
    patch = ab.Patch().set("output/detail", 1.0)
    result = ab.render(at_48, 48000, model=tiny_model, patch=patch, settings=ab.Settings(phase="input"))
    error = (result - at_48)[:, 1000:-1000]
    # There and back through the resampler: everything but the band that 44.1 kHz cannot hold.
    assert float(20 * torch.log10(error.norm() / at_48.norm())) < -60


def test_blocks_do_not_matter(tiny_model, music, monkeypatch):
    patch = ab.Patch().add(3, "blur", {"sigma": 1.0})
    whole = ab.render(music, 44100, model=tiny_model, patch=patch, settings=FAST)
    monkeypatch.setattr(rendering, "BLOCK_SECONDS", 0.1)
    assert torch.equal(ab.render(music, 44100, model=tiny_model, patch=patch, settings=FAST), whole)


def test_samples_that_are_not_numbers_count_as_silence(tiny_model):
    waveform = np.full(5000, np.nan)
    assert np.array_equal(ab.render(waveform, 44100, model=tiny_model, settings=FAST), np.zeros(5000))


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
@pytest.mark.parametrize(
    "bend", [("scalar-multiply", {"factor": 10}), ("offset", {"delta": 10}), ("invert", {}), ("noise", {"sigma": 5})]
)
def test_whatever_a_bend_does_the_output_is_heard_and_below_full_scale(tiny_model, music, bend, rate):
    patch = ab.Patch().add(4, *bend).add(2, *bend)
    result = ab.render(music[:, :88_200] * 20, rate, model=tiny_model, patch=patch, settings=FAST)    # far too loud
    assert result.isfinite().all()
    assert 0.1 < float(result.abs().max()) < 1.0


@pytest.mark.parametrize("rate", [0, -44100, 44100.5, float("nan")])
def test_impossible_rates_are_refused(tiny_model, rate):
    with pytest.raises(ab.AudiobendError, match="sample_rate must be a whole number"):
        ab.render(torch.zeros(100), rate, model=tiny_model)


def test_whole_numbers_are_not_taken_for_full_scale_at_1(tiny_model):
    with pytest.raises(ab.AudiobendError, match="floating-point"):
        ab.render(np.zeros(100, np.int16), 44100, model=tiny_model)


def test_nothing_in_nothing_out(tiny_model):
    assert ab.render(torch.zeros(2, 0), 44100, model=tiny_model, settings=FAST).shape == (2, 0)


def test_progress_rises_from_0_to_1(tiny_model, music, tmp_path):
    source = tmp_path / "in.wav"
    ab.write_audio(source, music, 44100)
    seen: list[float] = []
    plan = tiny_model.resolve(ab.Patch())
    done = ab.render_file(source, tmp_path / "out.wav", tiny_model, plan, FAST, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert (done.seconds, done.channels, done.sample_rate) == (4.0, 2, 44100)
