import math

import librosa
import pytest
import torch
from phase_signals import SOUNDS, chord, convergence, decibels, drums, stereo

from audiobend.errors import AudioError
from audiobend.spectral.phase import griffin_lim, pghi, raar, random_phase, spsi
from audiobend.spectral.stft import istft, stft
from audiobend.spectral.sweeps import Sweeps

ITERATIVE = [griffin_lim, raar]
ESTIMATES = [pghi, spsi, random_phase]


LIBROSA = {"hop_length": 256, "n_fft": 1024, "pad_mode": "constant", "momentum": 0.99}


@pytest.mark.parametrize("n_iter", [8, 32])
@pytest.mark.parametrize("sound", SOUNDS)
def test_griffin_lim_comes_as_near_as_librosa(sound, n_iter):
    """Random starts differ by a decibel among themselves, so both start from phase 0."""
    waveform = SOUNDS[sound]()
    magnitude = stft(waveform).abs()
    options = {"n_iter": n_iter, "length": len(waveform)}
    found = librosa.griffinlim(magnitude.numpy(), init=None, **LIBROSA, **options)
    ours = griffin_lim(magnitude, init=torch.zeros_like(magnitude), **options)
    assert abs(convergence(ours, magnitude) - convergence(torch.from_numpy(found), magnitude)) < 0.5


@pytest.mark.parametrize("length", [256 * 70, 256 * 70 + 100])
def test_griffin_lim_takes_the_same_steps_as_librosa(length):
    """From the same start it gives the same samples, not only as good ones."""
    magnitude = stft(chord(0.3)[:length]).abs()
    found = librosa.griffinlim(magnitude.numpy(), n_iter=6, init=None, length=length, **LIBROSA)
    ours = griffin_lim(magnitude, n_iter=6, init=torch.zeros_like(magnitude), length=length)
    assert decibels(ours - torch.from_numpy(found), ours) < -60


@pytest.mark.parametrize("sound", SOUNDS)
def test_plain_sweeps_never_get_worse(sound):
    magnitude = stft(SOUNDS[sound](0.5)).abs()
    errors = [convergence(griffin_lim(magnitude, n_iter=n, momentum=0), magnitude) for n in range(0, 12, 2)]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("sound", SOUNDS)
def test_each_step_of_the_recipe_comes_nearer(sound):
    magnitude = stft(SOUNDS[sound]()).abs()
    start = pghi(magnitude)
    at_once = convergence(istft(torch.polar(magnitude, start)), magnitude)
    fast = convergence(griffin_lim(magnitude, init=start, n_iter=8), magnitude)
    better = convergence(raar(magnitude, init=start, n_iter=32), magnitude)
    assert better < fast < at_once < -12


@pytest.mark.parametrize("solve", ITERATIVE)
def test_the_true_phase_is_a_fixed_point(solve):
    waveform = drums()
    spectrum = stft(waveform)
    for init in (spectrum, spectrum.angle()):
        found = solve(spectrum.abs(), init=init, n_iter=12, length=len(waveform))
        assert decibels(found - waveform, waveform) < -110


@pytest.mark.parametrize("solve", ITERATIVE)
def test_silence_stays_exactly_silent(solve):
    assert not solve(torch.zeros(513, 20), n_iter=4).any()
    magnitude = stft(chord(0.3)).abs()
    magnitude[:, 20:40] = 0
    assert not solve(magnitude, n_iter=4)[22 * 256 : 37 * 256].any()


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf, -1.0])
@pytest.mark.parametrize("solve", ITERATIVE)
def test_a_broken_bin_counts_as_silence(solve, broken):
    magnitude = stft(chord(0.3)).abs()
    whole, damaged = magnitude.clone(), magnitude.clone()
    whole[40, 30], damaged[40, 30] = 0, broken
    assert torch.equal(solve(damaged, n_iter=3), solve(whole, n_iter=3))


@pytest.mark.parametrize("level", [1e-30, 1e6, 1e30])
def test_any_level_stays_finite(level):
    magnitude = level * stft(chord(0.3)).abs()
    assert griffin_lim(magnitude, init=pghi(magnitude), n_iter=3).isfinite().all()
    assert raar(magnitude, init=spsi(magnitude), n_iter=9).isfinite().all()


@pytest.mark.parametrize("solve", ITERATIVE)
def test_the_seed_decides(solve):
    magnitude = stft(drums(0.3)).abs()
    first, again = solve(magnitude, n_iter=2, seed=5), solve(magnitude, n_iter=2, seed=5)
    assert torch.equal(first, again)
    assert not torch.equal(first, solve(magnitude, n_iter=2, seed=6))


@pytest.mark.parametrize("solve", ITERATIVE)
def test_a_batch_gives_what_its_members_give(solve):
    magnitude = stft(stereo(0.3)).abs().repeat(2, 1, 1, 1)
    together = solve(magnitude, n_iter=3)
    assert together.shape[:2] == (2, 2)
    for member in range(2):
        assert torch.equal(together[1, member], solve(magnitude[1, member], n_iter=3))


def test_held_frames_are_not_touched():
    spectrum = stft(chord(0.3)).mT.contiguous()
    magnitude = spectrum.abs()
    free = torch.arange(len(spectrum)) > 30
    start = torch.where(free[:, None], magnitude.to(torch.complex64), spectrum)
    found = Sweeps(magnitude, start, free=free).raar(4).fast(4).spectrum()
    assert torch.equal(found[~free], spectrum[~free])
    assert not torch.equal(found[free], start[free])


def test_first_and_last_bin_are_real():
    magnitude = stft(drums(0.3)).abs().mT.contiguous()
    start = torch.polar(magnitude, random_phase(magnitude.mT).mT)
    for sweeps in (Sweeps(magnitude, start), Sweeps(magnitude, start).raar(2), Sweeps(magnitude, start).fast(2)):
        assert not sweeps.spectrum()[:, [0, -1]].imag.any()


def test_momentum_beyond_one_is_refused_in_a_sentence():
    for momentum in (-0.1, 1.2):
        message = rf"griffin_lim: momentum must be in 0\.\.1, got {momentum:g}"
        with pytest.raises(AudioError, match=message):
            griffin_lim(torch.zeros(513, 4), momentum=momentum)
    assert griffin_lim(torch.zeros(513, 4), momentum=1).shape == (768,)


def test_numbers_outside_their_range_are_refused():
    with pytest.raises(AudioError, match=r"raar: beta must be in 0\.5\.\.1, got 0"):
        raar(torch.zeros(513, 4), beta=0)
    with pytest.raises(AudioError, match="griffin_lim: n_iter must be 0 or more, got -1"):
        griffin_lim(torch.zeros(513, 4), n_iter=-1)
    with pytest.raises(AudioError, match=r"magnitudes must be \(\.\.\., 513, time\).* got 4 x 513"):
        pghi(torch.zeros(4, 513))


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("n_columns", [0, 1, 2])
def test_the_shortest_sounds(estimate, n_columns):
    magnitude = torch.ones(2, 513, n_columns)
    phase = estimate(magnitude)
    assert phase.shape == magnitude.shape
    assert phase.isfinite().all()
    assert griffin_lim(magnitude, n_iter=2, length=300).shape == (2, 300)
