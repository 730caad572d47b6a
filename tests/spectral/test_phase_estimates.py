import heapq
import math

import numpy as np
import pytest
import torch
from phase_signals import SOUNDS, chord, convergence, drums

from audiobend.spectral.estimates import direction
from audiobend.spectral.phase import griffin_lim, pghi, random_phase, spsi
from audiobend.spectral.stft import istft, stft

TURN = 2 * math.pi


def wrapped(phase):
    return (phase + math.pi) % TURN - math.pi


def slow_pghi(magnitude, tol):
    """The rules of Prusa, Balazs & Sondergaard 2017 in float64, without any care for speed. `(bin, frame)`."""
    level = np.log(magnitude.astype(np.float64) + 1e-30)
    n_bins, n_frames = level.shape
    gamma = 0.25645 * 1024**2
    frequency = np.arange(n_bins)[:, None] * np.ones(n_frames)
    along_time = TURN * 256 * frequency / 1024
    along_time[1:-1] += 256 * 1024 / (2 * gamma) * (level[2:] - level[:-2])
    along_frequency = -gamma / (256 * 1024) * np.gradient(level, axis=1)
    phase = np.full(level.shape, np.nan)
    todo = {(int(m), int(n)) for m, n in np.argwhere(magnitude > tol * magnitude.max())}
    while todo:
        seed = max(todo, key=lambda at: (magnitude[at], -at[1] * n_bins - at[0]))
        phase[seed] = 0
        todo.remove(seed)
        heap = [(-magnitude[seed], seed)]
        while heap:
            _, (m, n) = heapq.heappop(heap)
            for to, slope, sign in (
                ((m, n + 1), along_time, 1),
                ((m, n - 1), along_time, -1),
                ((m + 1, n), along_frequency, 1),
                ((m - 1, n), along_frequency, -1),
            ):
                if to in todo:
                    phase[to] = phase[m, n] + sign * (slope[m, n] + slope[to]) / 2
                    todo.remove(to)
                    heapq.heappush(heap, (-magnitude[to], to))
    phase[1::2] += math.pi    # from relative to the frame's centre to relative to its start
    return phase


@pytest.mark.parametrize("sound", SOUNDS)
def test_pghi_follows_its_rules(sound):
    magnitude = stft(SOUNDS[sound](0.4)).abs()[:, 14:44]
    slow = slow_pghi(magnitude.numpy(), 1e-3)
    fast = pghi(magnitude, tol=1e-3).numpy()
    solved = ~np.isnan(slow)
    difference = np.abs(wrapped(fast - slow)[solved])
    assert solved.sum() > 200
    assert np.mean(difference < 1e-2) > 0.99    # rounding may change the order of two equally loud bins


def test_pghi_is_near_without_any_sweep():
    for sound, limit in (("chord", -15), ("chirp", -25), ("drums", -14)):
        magnitude = stft(SOUNDS[sound]()).abs()
        phase = pghi(magnitude, tol=1e-6)
        assert convergence(istft(torch.polar(magnitude, phase)), magnitude) < limit


def test_pghi_goes_on_from_known_bins():
    spectrum = stft(chord(0.5))
    magnitude, known = spectrum.abs(), spectrum.angle()
    known[:, 60:] = torch.nan
    phase = pghi(magnitude, known=known)
    torch.testing.assert_close(torch.polar(magnitude, phase)[:, :60], spectrum[:, :60], atol=1e-3, rtol=0)
    # Unlike an estimate of its own, it meets the known part without a jump.
    alone = torch.where(known.isnan(), pghi(magnitude), known)
    joint = slice(57, 64)
    errors = [
        (stft(istft(torch.polar(magnitude, p))).abs() - magnitude)[:, joint].norm() for p in (phase, alone)
    ]
    assert errors[0] < 0.5 * errors[1]


def test_spsi_of_a_steady_sine_is_nearly_exact():
    """Physics: one peak that does not move turns at one frequency, which the parabola finds."""
    time = torch.arange(44100) / 44100
    for hertz in (440.0, 1000.0, 5123.4):
        magnitude = stft(torch.sin(TURN * hertz * time)).abs()
        found = stft(istft(torch.polar(magnitude, spsi(magnitude)))).abs()
        inner = slice(8, -8)
        assert 20 * math.log10((found - magnitude)[:, inner].norm() / magnitude[:, inner].norm()) < -25


def test_spsi_goes_on_from_known_columns():
    spectrum = stft(chord(0.5))
    known = spectrum.angle()
    known[:, 60:] = torch.nan
    phase = spsi(spectrum.abs(), known=known)
    torch.testing.assert_close(
        torch.polar(spectrum.abs(), phase)[:, :60], spectrum[:, :60], atol=1e-3, rtol=0
    )


@pytest.mark.parametrize("estimate", [pghi, spsi])
def test_an_estimate_is_a_better_start_than_chance(estimate):
    magnitude = stft(chord()).abs()
    informed = griffin_lim(magnitude, init=estimate(magnitude), n_iter=8)
    assert convergence(informed, magnitude) < convergence(griffin_lim(magnitude, n_iter=8), magnitude) - 1


@pytest.mark.parametrize("estimate", [pghi, random_phase])
def test_the_seed_decides(estimate):
    magnitude = stft(drums(0.3)).abs()
    assert torch.equal(estimate(magnitude, seed=3), estimate(magnitude, seed=3))
    assert not torch.equal(estimate(magnitude, seed=3), estimate(magnitude, seed=4))


def test_randomness_leaves_torch_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    pghi(stft(drums(0.2)).abs(), seed=9)
    assert torch.equal(torch.rand(3), expected)


def test_direction_has_magnitude_one_everywhere():
    spectrum = torch.zeros(513, 5, dtype=torch.complex64)
    spectrum[3, 2], spectrum[4, 2] = 2j, complex(math.nan, 1)
    turned = direction(spectrum, seed=1)
    torch.testing.assert_close(turned.abs(), torch.ones(513, 5))
    assert turned[3, 2] == 1j
    assert torch.equal(turned, direction(spectrum, seed=1))


def test_a_quiet_passage_is_not_left_to_chance_for_the_sake_of_a_loud_one():
    loud, quiet = stft(chord(0.5)).abs(), 1e-4 * stft(chord(0.5)).abs()
    together = pghi(torch.cat([quiet, torch.zeros(513, 50), loud], -1))[:, : quiet.shape[-1]]
    found = istft(torch.polar(quiet, together))
    assert convergence(found, quiet) < convergence(istft(torch.polar(quiet, random_phase(quiet))), quiet) - 8
