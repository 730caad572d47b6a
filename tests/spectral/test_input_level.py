"""The loudness that parameters follow."""

import numpy as np
import pytest
import torch

from audiobend.spectral.follow import REMEMBERED, InputLevel

RATE = 44100


def level_of(sound, times, rate_hz, portion=2048):
    level = InputLevel(RATE)
    for first in range(0, sound.shape[1], portion):
        level.feed(sound[:, first : first + portion])
    return level(torch.tensor(times, dtype=torch.float64), rate_hz)


def steady(db, seconds=2.0):
    return np.full((2, round(seconds * RATE) // 2048 * 2048), 10 ** (db / 20), dtype=np.float32)


@pytest.mark.parametrize(("db", "expected"), [(0, 1.0), (-30, 0.5), (-60, 0.0), (-90, 0.0)])
def test_a_steady_sound_has_the_level_of_its_decibels(db, expected):
    assert level_of(steady(db), [1.5], 10.0).item() == pytest.approx(expected, abs=1e-3)


def test_silence_is_0_and_nothing_follows_at_rate_0():
    assert level_of(steady(-200), [1.0], 10.0).item() == 0
    assert level_of(steady(0), [1.0], 0.0).item() == 0


def test_only_what_came_before_counts_and_portions_do_not():
    sound = np.random.default_rng(0).normal(0, 0.1, (1, 40 * 2048)).astype(np.float32)
    later = sound.copy()
    later[:, 44_032:] = 1.0
    times = [0.1, 0.5, 0.99]
    expected = level_of(sound, times, 5.0)
    assert torch.equal(level_of(later, times, 5.0), expected)
    assert torch.equal(level_of(sound, times, 5.0, portion=256), expected)


def test_a_quicker_rate_falls_sooner():
    sound = np.concatenate([steady(0), steady(-60)], axis=1)
    end = steady(0).shape[1] / RATE
    slow, quick = (level_of(sound, [end + 0.2], rate).item() for rate in (1.0, 20.0))
    assert quick < slow < 1


def test_memory_does_not_grow():
    level = InputLevel(RATE)
    for _ in range(3):
        level.feed(np.zeros((1, 256 * REMEMBERED), np.float32))
    assert len(level._power) == REMEMBERED
