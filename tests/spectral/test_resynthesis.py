import pytest
import torch
from phase_signals import SOUNDS, chirp, chord, convergence, decibels, drums, stereo

from audiobend.errors import AudioError
from audiobend.spectral import Resynthesizer, istft, reconstruct, stft
from audiobend.spectral.rephase import RECIPES, Stretch, rephase

QUALITIES = ["fast", "default", "best"]


def moved_up(spectrum, bins=12):
    return torch.nn.functional.pad(spectrum[..., :-bins, :], (0, 0, bins, 0))


def in_segments(magnitude, input_stft, length, segment=64, chunk=10_000, **options):
    resynthesizer = Resynthesizer(segment=segment, **options)
    parts = []
    for at in range(0, magnitude.shape[-1], chunk):
        columns = slice(at, at + chunk)
        given = None if input_stft is None else input_stft[..., columns]
        parts.append(resynthesizer.feed(magnitude[..., columns], given))
    return torch.cat([*parts, resynthesizer.flush(length)], -1)


def correlation(waveform):
    return float(torch.corrcoef(waveform)[0, 1])


def follows_input(magnitude, given):
    end = 256 * (magnitude.shape[-1] + 3) - 512
    stretch = Stretch(magnitude[None], given[None], given[None, :, :0], begin=512, end=end)
    return rephase(stretch, RECIPES["default"], "auto", seed=0)[1]


# ---- the input's phase


@pytest.mark.parametrize("phase", ["input", "auto"])
@pytest.mark.parametrize("quality", QUALITIES)
def test_true_magnitudes_with_the_input_are_the_input(quality, phase):
    waveform = stereo()
    spectrum = stft(waveform)
    found = reconstruct(
        spectrum.abs(), quality=quality, input_stft=spectrum, phase=phase, length=waveform.shape[-1]
    )
    assert decibels(found - waveform, waveform) < -120


@pytest.mark.parametrize("sound", SOUNDS)
def test_auto_follows_the_input_where_a_bend_keeps_the_layout(sound):
    spectrum = stft(SOUNDS[sound]())
    fade = torch.linspace(1.5, 0.3, spectrum.shape[-1])
    tilt = torch.linspace(1, 0.1, 513)[:, None]
    gated = spectrum.abs() * (spectrum.abs() > 0.02 * spectrum.abs().max())
    for magnitude in (spectrum.abs(), fade * spectrum.abs(), tilt * spectrum.abs(), gated):
        assert follows_input(magnitude, spectrum).all()


@pytest.mark.parametrize("sound", SOUNDS)
def test_auto_leaves_the_input_where_a_bend_moves_the_layout(sound):
    spectrum = stft(SOUNDS[sound]())
    magnitude = moved_up(spectrum.abs())
    heard = magnitude.sum(0) > 0.01 * magnitude.sum(0).max()
    assert follows_input(magnitude, spectrum)[heard].float().mean() < 0.2


def test_auto_does_not_flicker():
    spectrum = stft(chord(2.0))
    magnitude = spectrum.abs()
    middle = magnitude.shape[-1] // 2
    magnitude[:, middle:] = moved_up(magnitude)[:, middle:]
    follow = follows_input(magnitude, spectrum)
    assert follow[: middle - 8].all()
    assert (follow[1:] != follow[:-1]).sum() <= 3


def test_auto_comes_nearer_than_the_input_where_the_layout_moved():
    waveform = drums()
    spectrum = stft(waveform)
    magnitude = moved_up(spectrum.abs())
    auto, faithful = (
        convergence(reconstruct(magnitude, input_stft=spectrum, phase=phase, length=len(waveform)), magnitude)
        for phase in ("auto", "input")
    )
    assert auto < faithful - 6


def test_sweeps_over_the_input_obey_the_bend_more_and_the_input_less():
    waveform = chord()
    spectrum = stft(waveform)
    bent = torch.nn.functional.avg_pool2d(spectrum.abs()[None], 3, 1, 1)[0]
    found = [
        reconstruct(bent, input_stft=spectrum, phase="input", n_iter=n, length=len(waveform)) for n in (0, 3, 30)
    ]
    errors = [convergence(waveform_, bent) for waveform_ in found]
    losses = [decibels(waveform_ - waveform, waveform) for waveform_ in found]
    assert errors == sorted(errors, reverse=True)
    assert losses == sorted(losses)


# ---- without the input's phase


@pytest.mark.parametrize("sound", SOUNDS)
def test_more_quality_comes_nearer(sound):
    waveform = SOUNDS[sound]()
    magnitude = stft(waveform).abs()
    errors = [convergence(reconstruct(magnitude, quality=q, length=len(waveform)), magnitude) for q in QUALITIES]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("sound", SOUNDS)
def test_default_comes_nearer_than_a_hundred_sweeps_from_chance(sound):
    waveform = SOUNDS[sound]()
    magnitude = stft(waveform).abs()
    default, plain = (
        convergence(reconstruct(magnitude, phase=phase, length=len(waveform)), magnitude)
        for phase in ("pghi", "griffinlim")
    )
    assert default < plain


def test_the_sweep_count_overrides():
    magnitude = stft(drums()).abs()
    errors = [convergence(reconstruct(magnitude, n_iter=n), magnitude) for n in (0, 4, 40)]
    assert errors == sorted(errors, reverse=True)
    assert torch.equal(reconstruct(magnitude, n_iter=42), reconstruct(magnitude))
    first, more = (reconstruct(magnitude, phase="griffinlim", n_iter=n) for n in (100, 120))
    assert torch.equal(first, reconstruct(magnitude, phase="griffinlim"))
    assert convergence(more, magnitude) < convergence(first, magnitude) + 0.2


@pytest.mark.parametrize("phase", ["pghi", "griffinlim"])
def test_the_seed_decides(phase):
    magnitude = stft(drums(0.5)).abs()
    first, again, other = (reconstruct(magnitude, phase=phase, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_silence_stays_exactly_silent():
    magnitude = torch.zeros(2, 513, 30)
    given = stft(stereo(0.1))[..., :30]
    assert not reconstruct(magnitude).any()
    assert not reconstruct(magnitude, input_stft=given).any()


def test_sound_from_a_silent_input_is_heard():
    magnitude = stft(drums(0.5)).abs()
    for phase in ("input", "auto"):
        found = reconstruct(magnitude, input_stft=torch.zeros(magnitude.shape, dtype=torch.complex64), phase=phase)
        assert abs(decibels(stft(found).abs(), magnitude)) < 4


def test_broken_bins_count_as_silence():
    spectrum = stft(stereo(0.3))
    magnitude, given = spectrum.abs(), spectrum.clone()
    magnitude[0, 30, 20], magnitude[1, 40, 30] = torch.nan, torch.inf
    given[1, 50, 30] = complex(torch.nan, torch.inf)
    for phase in ("auto", "input", "pghi", "griffinlim"):
        assert reconstruct(magnitude, input_stft=given, phase=phase, n_iter=4).isfinite().all()


# ---- channels


@pytest.mark.parametrize("quality", QUALITIES)
def test_stereo_keeps_its_width_and_its_mono_sum(quality):
    waveform = stereo(2.0)
    spectrum = stft(waveform)
    found = reconstruct(
        spectrum.abs(), quality=quality, input_stft=spectrum, phase="pghi", length=waveform.shape[-1]
    )
    assert abs(correlation(found) - correlation(waveform)) < 0.1
    assert abs(decibels(found.mean(0), waveform.mean(0))) < 0.5
    for channel in range(2):
        assert convergence(found[channel], spectrum[channel].abs()) < -15


def test_channels_without_an_input_share_their_phase():
    spectrum = stft(stereo())
    found = reconstruct(spectrum.abs())
    assert correlation(found) > 0.6    # shares all phases; magnitudes differ
    loud = reconstruct(spectrum[:1].abs() * torch.tensor([1.0, 0.25])[:, None, None])
    torch.testing.assert_close(loud[0] * 0.25, loud[1], atol=1e-4, rtol=0)


def test_mono_may_leave_the_channel_out():
    spectrum = stft(chord(0.5))
    for given in (None, spectrum):
        several = reconstruct(spectrum.abs()[None], input_stft=None if given is None else given[None])
        alone = reconstruct(spectrum.abs(), input_stft=given)
        assert alone.ndim == 1
        assert torch.equal(several[0], alone)


# ---- tracks


@pytest.mark.parametrize("phase", ["auto", "input", "pghi", "griffinlim"])
def test_any_chunking_gives_the_same_samples(phase):
    spectrum = stft(stereo())
    magnitude = spectrum.abs()
    magnitude[..., 100:] = moved_up(magnitude)[..., 100:]
    whole, *chunked = (
        in_segments(magnitude, spectrum, 50_000, chunk=chunk, phase=phase, n_iter=3) for chunk in (10_000, 1, 7, 64)
    )
    assert whole.shape == (2, 50_000)
    assert all(torch.equal(whole, other) for other in chunked)


def test_a_short_track_is_what_reconstruct_gives():
    spectrum = stft(stereo())
    length = 51_000
    for given in (None, spectrum):
        found = in_segments(spectrum.abs(), given, length, segment=2048, chunk=13)
        assert torch.equal(found, reconstruct(spectrum.abs(), input_stft=given, length=length))


@pytest.mark.parametrize("phase", ["auto", "input"])
def test_the_input_is_identical_across_seams(phase):
    waveform = stereo(2.0)
    spectrum = stft(waveform)
    found = in_segments(spectrum.abs(), spectrum, waveform.shape[-1], phase=phase)
    assert decibels(found - waveform, waveform) < -120
    for seam in range(64, spectrum.shape[-1] - 64, 64):
        around = slice(256 * seam - 1024, 256 * seam + 1024)
        assert decibels((found - waveform)[:, around], waveform) < -120


@pytest.mark.parametrize("make", [chord, drums, chirp])
def test_segments_come_as_near_as_the_whole(make):
    waveform = make(6.0)
    magnitude = stft(waveform).abs()[None]
    parts, whole = (
        convergence(in_segments(magnitude, None, len(waveform), segment=segment), magnitude)
        for segment in (256, 5000)
    )
    assert parts < whole + 0.3


@pytest.mark.parametrize("make", [chord, chirp])
def test_seams_do_not_click(make):
    waveform = make(4.0)
    magnitude = stft(waveform).abs()[None]
    bent = moved_up(magnitude)
    for target in (magnitude, bent):
        found = in_segments(target, None, len(waveform))[0]
        bend = found.diff(n=2).abs()
        for column in range(64, target.shape[-1] - 64, 64):
            # Where the first new frame sets in, and where the last settled one ends.
            for seam in (256 * column - 512, 256 * column + 256):
                near, around = bend[seam - 16 : seam + 16].max(), bend[seam - 512 : seam + 512]
                own = torch.cat([around[:480], around[-480:]]).max()
                assert near <= 1.2 * own


def test_memory_stays_bounded():
    resynthesizer = Resynthesizer(segment=64, n_iter=0)
    columns = stft(chord(0.3)).abs()[None, :, :50]
    held = []
    for _ in range(20):
        resynthesizer.feed(columns)
        held.append(sum(part.shape[-1] for part, _ in resynthesizer._fed))
    assert max(held) <= 64 + 64 + 16 + 50


def test_flush_returns_exactly_what_was_asked_for_and_starts_anew():
    magnitude = stft(chord(1.0)).abs()[None]
    resynthesizer = Resynthesizer(segment=64, n_iter=0)
    for length in (None, 50_000, 53_100, 60_000):
        ready = resynthesizer.feed(magnitude)
        rest = resynthesizer.flush(length)
        assert ready.shape[-1] + rest.shape[-1] == (256 * (magnitude.shape[-1] - 1) if length is None else length)
    assert Resynthesizer().flush(100).tolist() == [[0.0] * 100]


@pytest.mark.parametrize("length", [256 * 100, 256 * 100 + 1, 256 * 100 + 255])
def test_the_last_samples_are_the_inputs(length):
    waveform = torch.randn(1, length, generator=torch.Generator().manual_seed(0))
    spectrum = stft(waveform)
    found = in_segments(spectrum.abs(), spectrum, length, segment=32, phase="input")
    assert decibels((found - waveform)[..., -600:], waveform) < -100


# ---- mistakes


def test_mistakes_are_told_in_a_sentence():
    magnitude = torch.zeros(2, 513, 4)
    with pytest.raises(AudioError, match="unknown quality 'defualt'; did you mean 'default'"):
        reconstruct(magnitude, quality="defualt")
    with pytest.raises(AudioError, match="unknown phase 'grifinlim'; did you mean 'griffinlim'"):
        reconstruct(magnitude, phase="grifinlim")
    with pytest.raises(AudioError, match="phase 'input' needs the spectrum of the input"):
        reconstruct(magnitude, phase="input")
    with pytest.raises(AudioError, match=r"input_stft must have the shape of the magnitudes, got .*4\) against"):
        reconstruct(magnitude, input_stft=torch.zeros(513, 4, dtype=torch.complex64))
    with pytest.raises(AudioError, match=r"magnitudes must be \(\.\.\., 513, time\)"):
        reconstruct(magnitude.mT)
    with pytest.raises(AudioError, match="n_iter must be 0 or more, got -2"):
        reconstruct(magnitude, n_iter=-2)
    resynthesizer = Resynthesizer(segment=16, n_iter=0)
    resynthesizer.feed(torch.zeros(2, 513, 100))
    with pytest.raises(AudioError, match="channels must stay 2 from first to last, got 1"):
        resynthesizer.feed(torch.zeros(1, 513, 4))
    with pytest.raises(AudioError, match=r"length must be .* or more, as many are out already; got 5"):
        resynthesizer.flush(5)


def test_magnitudes_are_left_as_they_were():
    spectrum = stft(stereo(0.2))
    magnitude = spectrum.abs()
    before, given = magnitude.clone(), spectrum.clone()
    reconstruct(magnitude, input_stft=spectrum)
    assert torch.equal(magnitude, before)
    assert torch.equal(spectrum, given)


def test_istft_and_reconstruct_agree():
    waveform = chord(0.5)
    spectrum = stft(waveform)
    found = reconstruct(spectrum.abs(), input_stft=spectrum, phase="input", n_iter=0, length=len(waveform))
    torch.testing.assert_close(found, istft(spectrum, len(waveform)), atol=1e-6, rtol=0)
