"""The quick resampler: exact in time, transparent, the same for any blocks, and never holds back more than it says."""

import numpy as np
import pytest

from audiobend.live.latency import held_samples
from audiobend.live.resampling import QuickResampler

PAIRS = [(48000, 44100), (44100, 48000), (96000, 44100), (44100, 192000), (22050, 44100), (44100, 44100)]


@pytest.mark.parametrize(("in_rate", "out_rate"), PAIRS)
@pytest.mark.parametrize("frequency", [100, 1000, 9000])
def test_a_tone_stays_the_same_tone_at_the_same_time(in_rate, out_rate, frequency):
    tone = np.sin(2 * np.pi * frequency * np.arange(in_rate) / in_rate).astype(np.float32)[None]
    out = QuickResampler(in_rate, out_rate, 1).feed(tone)[0]
    expected = np.sin(2 * np.pi * frequency * np.arange(len(out)) / out_rate)
    assert np.abs(out - expected)[2000:].max() < 1e-3


def test_what_the_lower_rate_cannot_hold_is_gone():
    tone = np.sin(2 * np.pi * 30000 * np.arange(96000) / 96000).astype(np.float32)[None]
    assert np.abs(QuickResampler(96000, 44100, 1).feed(tone)[0, 1000:]).max() < 1e-4


@pytest.mark.parametrize(("in_rate", "out_rate"), PAIRS)
def test_blocks_of_any_size_give_the_same_samples(in_rate, out_rate):
    rng = np.random.default_rng(0)
    sound = rng.standard_normal((2, 20000)).astype(np.float32)
    whole = QuickResampler(in_rate, out_rate, 2).feed(sound)
    resampler = QuickResampler(in_rate, out_rate, 2)
    cuts = np.sort(rng.integers(0, 20000, 60))
    parts = [resampler.feed(part) for part in np.split(sound, cuts, axis=1)]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


@pytest.mark.parametrize(("card", "model"), [(48000, 44100), (96000, 44100), (22050, 44100), (192000, 44100)])
def test_there_and_back_never_holds_more_than_is_computed(card, model):
    there, back = QuickResampler(card, model, 1), QuickResampler(model, card, 1)
    rng, under_way, most = np.random.default_rng(0), 0, 0
    for n in rng.integers(1, 300, 2000):
        under_way += n - back.feed(there.feed(np.zeros((1, n), dtype=np.float32))).shape[1]
        most = max(most, under_way)
    assert 0 <= held_samples(card, model) - most <= 12
