"""Decibels there and back."""

import pytest
import torch

from audiobend.spectral.codec import CEILING_DB, FLOOR_DB, SpectrogramCodec
from audiobend.spectral.level import LevelMatch, LoudestBin, on_loud_bins
from audiobend.spectral.stft import stft

CODEC = SpectrogramCodec(torch.linspace(-20, -70, 513))


def test_magnitudes_come_back():
    magnitude = 10 ** (torch.rand(1, 513, 50) * 3.9 - 3.9) * 7
    back = CODEC.to_magnitude(CODEC.to_db(magnitude, 7.0), 7.0)
    torch.testing.assert_close(back, magnitude, rtol=1e-4, atol=0)


def test_normalising_is_undone():
    db = torch.rand(2, 513, 20) * 80 - 80
    torch.testing.assert_close(CODEC.denormalise(CODEC.normalise(db)), db, rtol=0, atol=1e-4)


@pytest.mark.parametrize("magnitude", [0.0, 1e-30, 0.99e-4])
def test_silence_comes_back_as_exact_zero(magnitude):
    db = CODEC.to_db(torch.full((1, 513, 3), magnitude), 1.0)
    assert CODEC.to_magnitude(db, 1.0).eq(0).all()


def test_a_silent_file_has_no_loudest_bin_and_stays_silent():
    db = CODEC.to_db(torch.zeros(1, 513, 3), 0.0)
    assert db.eq(FLOOR_DB).all()
    assert CODEC.to_magnitude(db + 40, 0.0).eq(0).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e9])
def test_bad_numbers_stay_finite(bad):
    assert CODEC.to_db(torch.tensor([[[bad]]]).expand(1, 513, 1), 1.0).isfinite().all()
    magnitude = CODEC.to_magnitude(torch.full((1, 513, 1), bad), 1.0)
    assert magnitude.isfinite().all()
    assert float(magnitude.max()) <= 10 ** (CEILING_DB / 20) * 1.0001


@pytest.mark.parametrize("size", [1, 700, 50_000])
def test_loudest_bin_is_that_of_the_whole(size):
    waveform = torch.randn(2, 20_000, generator=torch.Generator().manual_seed(0))
    meter = LoudestBin(2)
    for part in waveform.split(size, dim=-1):
        meter.feed(part)
    assert meter.flush() == pytest.approx(float(stft(waveform).abs().max()), rel=1e-6)


def test_level_match_gives_back_what_a_quiet_network_lost():
    level = LevelMatch()
    input_db = torch.rand(2, 513, 400, generator=torch.Generator().manual_seed(0)) * 25 - 25
    gain = torch.cat([level.feed(part, part - 5.0) for part in input_db.split(60, dim=-1)], dim=-1)
    torch.testing.assert_close(gain, torch.full((1, 1, 400), 5.0), rtol=0, atol=1e-3)


def test_level_match_leaves_the_quiet_bins_where_they_are():
    input_db = torch.full((1, 513, 300), -70.0)
    input_db[:, :50] = -10.0
    unbent_db = input_db - torch.where(input_db > -60, 6.0, 0.0)
    gain = on_loud_bins(LevelMatch().feed(input_db, unbent_db), unbent_db)
    assert gain[:, 50:].eq(0).all()
    torch.testing.assert_close(gain[:, :50], torch.full((1, 50, 300), 6.0), rtol=0, atol=1e-2)


def test_level_stands_still_in_silence():
    level = LevelMatch()
    loud, silent = torch.full((1, 513, 100), -20.0), torch.full((1, 513, 2000), -200.0)
    before = level.feed(loud, loud - 3)
    level.feed(silent, silent)
    after = level.feed(loud[..., :1], loud[..., :1] - 3)
    assert float(before[0, 0, -1]) == pytest.approx(3.0, abs=1e-3)
    assert float(after[0, 0, 0]) == pytest.approx(3.0, abs=1e-3)


def test_level_match_has_bounds():
    level = LevelMatch()
    loud = torch.full((1, 513, 50), -5.0)
    assert float(level.feed(loud, loud - 24).max()) == 12.0
