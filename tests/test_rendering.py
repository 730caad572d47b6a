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


@pytest.mark.parametrize("rate", [8000, 22050, 48000, 96000, 192_000])
@pytest.mark.parametrize("output", [{"mix": 0.0}, {"detail": 1.0}])
def test_dry_sound_and_full_detail_are_the_input_at_any_rate(tiny_model, music, rate, output):
    waveform = music[:, :100_000] + 0.05 * torch.randn(2, 100_000, generator=torch.Generator().manual_seed(0))
    patch = ab.Patch()
    for name, value in output.items():
        patch = patch.set(f"output/{name}", value)
    result = ab.render(waveform, rate, model=tiny_model, patch=patch, settings=ab.Settings(phase="input"))
    assert float(20 * torch.log10((result - waveform).norm() / waveform.norm())) < -80


def test_what_the_model_cannot_hold_stays_out_of_the_bent_sound(tiny_model):
    time = torch.arange(96_000) / 96_000
    waveform = torch.sin(2 * torch.pi * 440 * time) * 0.3 + torch.sin(2 * torch.pi * 35_000 * time) * 0.3
    result = ab.render(waveform, 96_000, model=tiny_model, settings=FAST)
    above = torch.fft.rfft(result).abs()[30_000:].max() / torch.fft.rfft(waveform).abs().max()
    assert float(above) < 1e-3


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


@pytest.mark.parametrize(
    "change", [lambda x: x[..., ::-1], lambda x: x.astype(">f4"), lambda x: x.astype(np.float64), np.asfortranarray]
)
def test_arrays_of_any_layout_are_read(tiny_model, music, change):
    given = change(music[:, :5000].numpy())
    expected = np.array(given, dtype=np.float32)
    dry = ab.Patch().set("output/mix", 0.0)
    assert np.array_equal(ab.render(given, 44100, model=tiny_model, patch=dry, settings=FAST), expected)


def test_a_patch_may_be_a_file_and_arrays_are_written(tiny_model, music, tmp_path):
    ab.save_patch(ab.Patch().set("output/mix", 0.0), tmp_path / "dry.yaml")
    mono = music[0, :5000].numpy()
    result = ab.render(mono, 44100, model=tiny_model, patch=tmp_path / "dry.yaml", settings=FAST)
    ab.write_audio(tmp_path / "dry.wav", result, 44100, subtype="FLOAT")
    assert np.array_equal(ab.read_audio(tmp_path / "dry.wav")[0][0].numpy(), mono)


@pytest.mark.parametrize("waveform", ["file.wav", None, [0.0, 1.0]])
def test_what_is_no_waveform_is_refused(tiny_model, waveform):
    with pytest.raises(ab.AudiobendError, match="a waveform must be a tensor or an array"):
        ab.render(waveform, 44100, model=tiny_model)


@pytest.mark.parametrize(
    "wrong", [{"quality": "super"}, {"phase": "none"}, {"stride": 5}, {"iterations": 1.5}, {"seed": -1}, {"seed": "a"}]
)
def test_wrong_settings_are_refused_at_once(wrong):
    with pytest.raises(ab.AudiobendError, match=f"{next(iter(wrong))} must be"):
        ab.Settings(**wrong)
