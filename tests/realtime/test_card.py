"""Sound through a real PortAudio stream on a real JACK server."""

import numpy as np
import psutil
import pytest

from audiobend.bending import Patch
from audiobend.live.audio import Card
from audiobend.live.dsp import Wanted
from audiobend.live.player import make_player
from audiobend.spectral.live_settings import LiveSettings
from tests.realtime.rig import PERIOD, Playing, lag_of, noise, setup

pytestmark = pytest.mark.slow

SECOND = 44100


@pytest.mark.parametrize("block", [0, 480])
def test_bypass_is_bit_exact_and_as_late_as_computed(soft_card, tiny_bundle, block):
    sound = noise(60)
    wanted = Wanted(str(tiny_bundle), Patch(), bypass=True, backend="torch")
    settings = LiveSettings(4, 4, n_channels=2)
    card = soft_card(sound)
    way = Card("softcard", "softcard", block=block)
    with Playing(setup(wanted=wanted, settings=settings, card=way, make=make_player)) as playing:
        playing.until_bent()
        playing.play(1.5)
        recorded, latency = card.recorded(), playing.supervisor.latency
    at = len(recorded) - SECOND - 2 * PERIOD
    lag = lag_of(recorded, sound, at)
    assert np.array_equal(recorded[at : at + SECOND], sound[at - lag : at - lag + SECOND])
    # What JACK adds: what a client hands over is heard one period later; and a block of its own is gathered first.
    assert lag == latency.delay + PERIOD + block
    if block == 0:
        assert round(latency.total_ms * 44.1) == lag


def test_mono_is_heard_on_both_sides(soft_card):
    sound = noise(60)
    card = soft_card(sound)
    with Playing(setup(settings=LiveSettings(n_channels=1))) as playing:
        playing.until_bent()
        playing.play(0.5)
        recorded = card.recorded()[-SECOND // 4 :]
    assert np.abs(recorded).max() > 0.1
    assert np.array_equal(recorded[:, 0], recorded[:, 1])


def test_an_hour_goes_by_without_drift_or_growth(soft_card):
    """A minute here, faster than real time; `benchmarks/live.py` plays the hour."""
    seconds = 60
    sound = noise(seconds + 60)
    card = soft_card(sound, seconds=seconds + 60)
    with Playing(setup(waits=True)) as playing:
        playing.until_bent()
        card.freewheel()
        sizes = []
        for _ in range(6):
            playing.play(seconds / 6)
            sizes.append(memory_of(playing))
        recorded, latency = card.recorded(), playing.supervisor.latency
    assert max(sizes[3:]) - sizes[2] < 2 * 2**20
    at = len(recorded) - 2 * SECOND
    lag = lag_of(recorded, sound, at)
    begun = lag + SECOND
    assert lag == latency.delay + PERIOD
    heard = recorded[begun:at]
    first = int(np.argmax(np.all(heard == -sound[begun - lag : at - lag], axis=1) & (np.abs(heard[:, 0]) > 0.01)))
    assert np.array_equal(heard[first + SECOND :], -sound[begun - lag + first + SECOND : at - lag])


def memory_of(playing: Playing) -> int:
    """Bytes that only the children have to themselves: what all share does not grow with time."""
    return sum(psutil.Process(pid).memory_full_info().uss for pid in playing.supervisor.pids.values())
