"""Filters that go on from block to block."""

import numpy as np
import pytest
import scipy.signal

from audiobend.spectral._guard_kernels import lowest_ahead
from audiobend.spectral.filters import Filter, lowpass3, one_pole


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
@pytest.mark.parametrize("hz", [2.0, 200.0, 1500.0])
def test_the_lowpass_has_the_response_of_scipys_butterworth(rate, hz):
    b0, b1, b2, a1, a2 = lowpass3(hz, rate).T
    ones = np.ones_like(a1)
    ours = np.stack([b0, b1, b2, ones, a1, a2], axis=1)
    frequencies = hz * np.array([0.1, 0.5, 1.0, 2.0])
    _, expected = scipy.signal.sosfreqz(scipy.signal.butter(3, hz, fs=rate, output="sos"), frequencies, fs=rate)
    _, found = scipy.signal.sosfreqz(ours, frequencies, fs=rate)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=1e-5)


def test_blocks_of_any_length_come_out_as_scipys_filter_has_them_in_one():
    sections = lowpass3(300.0, 44100)
    samples = np.random.default_rng(0).standard_normal((3, 2000))
    ours = Filter(sections, n_signals=3)
    found = np.concatenate([ours.feed(block) for block in np.split(samples, [1, 64, 700], axis=1)], axis=1)
    full = np.insert(sections, 3, 1.0, axis=1)
    np.testing.assert_allclose(found, scipy.signal.sosfilt(full, samples), rtol=0, atol=1e-13)


def test_a_running_mean_reaches_half_when_half_is_forgotten():
    mean = Filter(one_pole(0.5 ** (1 / 10)), n_signals=1)
    assert mean.feed(np.ones((1, 10)))[0, -1] == pytest.approx(0.5)


def test_silence_leaves_no_denormal_numbers_behind():
    ours = Filter(lowpass3(2.0, 44100), n_signals=1)
    ours.feed(np.full((1, 100), 1e-25))
    ours.feed(np.zeros((1, 50)))
    assert np.all((ours.state == 0) | (np.abs(ours.state) >= 1e-30))


@pytest.mark.parametrize("n_ahead", [1, 2, 221, 500])
def test_lowest_ahead_is_the_lowest_of_every_stretch(n_ahead):
    values = np.random.default_rng(1).integers(0, 50, 500).astype(np.float64)    # many are equal
    expected = np.lib.stride_tricks.sliding_window_view(values, n_ahead).min(axis=1)
    np.testing.assert_array_equal(lowest_ahead(values, n_ahead), expected)
