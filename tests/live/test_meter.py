"""Lost time is what the clock says and the card does not; neither drift nor bunches of blocks are lost."""

import numpy as np
import pytest

from audiobend.live.meter import LostTime

RATE, BLOCK = 48000, 1024


def lost(passed, seconds=60.0) -> float:
    """Feed 20 times a second what ``passed(clock)`` samples give, in whole blocks."""
    meter = LostTime(RATE, BLOCK)
    for clock in np.arange(0, seconds, 0.05):
        meter.feed(1000 + clock, int(passed(clock)) // BLOCK * BLOCK)
    return meter.seconds


def test_a_steady_card_loses_nothing():
    assert lost(lambda clock: RATE * clock) == 0


@pytest.mark.parametrize("drift", [-3e-4, 3e-4])
def test_a_card_with_another_clock_loses_nothing_in_an_hour(drift):
    assert lost(lambda clock: RATE * clock * (1 + drift), seconds=3600) == 0


def test_callbacks_in_bunches_lose_nothing():
    assert lost(lambda clock: RATE * (clock // 0.1 * 0.1)) == 0


@pytest.mark.parametrize("gap", [0.1, 1.5, 20.0])
def test_a_gap_is_counted_with_its_length(gap):
    assert lost(lambda clock: RATE * (clock - min(max(clock - 10, 0), gap))) == pytest.approx(gap, abs=2 * BLOCK / RATE)


def test_small_losses_add_up():
    counted = lost(lambda clock: RATE * (clock - 0.01 * (clock // 1)))
    assert counted == pytest.approx(0.6, abs=0.1)


def test_gaps_add_up():
    stops = [10, 20, 30]
    counted = lost(lambda clock: RATE * (clock - sum(min(max(clock - stop, 0), 0.5) for stop in stops)))
    assert counted == pytest.approx(1.5, abs=6 * BLOCK / RATE)
