"""What dies or stalls is noticed and replaced; what is heard meanwhile is the dry sound, in time."""

import os
import signal
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest

from audiobend.bending import Patch
from audiobend.live.dsp import Wanted
from audiobend.live.rings import FADE
from tests.realtime.rig import PERIOD, Playing, lag_of, noise, setup
from tests.realtime.standin import SLOW

pytestmark = pytest.mark.slow

RATE = 44100


def stretches(recorded: np.ndarray, sound: np.ndarray, lag: int, gains: dict[str, float]) -> list[tuple[str, int, int]]:
    """What was heard, in order: (name of a gain, first sample, length), as far as the sound is exactly that."""
    aligned = np.zeros_like(recorded)
    aligned[lag:] = sound[: len(recorded) - lag]
    audible = np.abs(aligned[:, 0]) > 1e-6
    found = []
    for name, gain in gains.items():
        is_it = np.all(recorded == np.float32(gain) * aligned, axis=1) | ~audible
        is_it[:lag] = False    # silence is everything
        edges = np.flatnonzero(np.diff(np.concatenate([[0], is_it.astype(np.int8), [0]])))
        found += [(name, int(a), int(b - a)) for a, b in edges.reshape(-1, 2) if b - a > FADE]
    return sorted(found, key=lambda one: one[1])


def heard(found: list[tuple[str, int, int]]) -> list[str]:
    return [name for name, _, _ in found]


def unexplained(found: list[tuple[str, int, int]]) -> int:
    """The longest stretch between two others that is none of them."""
    return max(b[1] - a[1] - a[2] for a, b in pairwise(found))


def test_a_killed_engine_is_replaced_with_the_same_state_and_dry_sound_fills_the_gap(soft_card):
    sound = noise(110)
    card = soft_card(sound)
    with Playing(setup()) as playing:
        playing.until_bent()
        playing.supervisor.change(Wanted(None, Patch(seed=1)))
        playing.play(1.0)
        audio, engine = playing.supervisor.pids["audio"], playing.supervisor.pids["engine"]
        at = card.position
        os.kill(engine, signal.SIGKILL)
        playing.until(lambda: not playing.supervisor.status().is_bent)
        playing.until_bent()
        playing.play(1.0)
        assert playing.supervisor.pids["audio"] == audio
        assert playing.supervisor.pids["engine"] != engine
        recorded, lag = card.recorded(), playing.supervisor.latency.delay + PERIOD
    found = stretches(recorded, sound, lag, {"first": -1.0, "changed": -0.5, "dry": 1.0})
    assert heard(found)[-3:] == ["changed", "dry", "changed"]
    assert unexplained(found[-3:]) <= FADE
    assert found[-2][1] - at < 0.3 * RATE


def test_an_engine_that_is_too_slow_is_dry_in_time_and_comes_back(soft_card, tmp_path, monkeypatch):
    slow = tmp_path / "slow"
    monkeypatch.setenv(SLOW, str(slow))
    sound = noise(110)
    card = soft_card(sound)
    with Playing(setup()) as playing:
        playing.until_bent()
        playing.play(0.5)
        slow.touch()
        playing.until(lambda: playing.supervisor.status().late_seconds > 1)
        slow.unlink()
        playing.until_bent()
        playing.play(1.0)
        status = playing.supervisor.status()
        recorded, lag = card.recorded(), playing.supervisor.latency.delay + PERIOD
    assert status.late_blocks * PERIOD == round(status.late_seconds * RATE)
    assert status.skipped_seconds > 0
    found = stretches(recorded, sound, lag, {"bent": -1.0, "dry": 1.0})
    begun = heard(found).index("bent")
    assert set(heard(found)[begun:]) == {"bent", "dry"}
    assert heard(found)[-1] == "bent"
    assert unexplained(found[begun:]) <= FADE
    dry = sum(length for name, _, length in found[begun:] if name == "dry")
    assert abs(dry - status.late_seconds * RATE) < 0.1 * RATE


def test_a_killed_sound_server_is_waited_for_and_the_engine_lives_on(soft_card, server):
    sound = noise(60)
    soft_card(sound)
    with Playing(setup()) as playing:
        playing.until_bent()
        playing.supervisor.change(Wanted(None, Patch(seed=1)))
        engine = playing.supervisor.pids["engine"]
        server.kill()
        playing.until(lambda: playing.supervisor.status().card == "gone")
        playing.until(lambda: playing.supervisor.pids["audio"] != 0)    # the next one is looking for the card
        playing.supervisor.watch(1.0)
        server.start()
        card = soft_card(sound)
        playing.until_bent()
        playing.play(1.0)
        assert playing.supervisor.pids["engine"] == engine
        assert playing.told == ["the sound card has gone; waiting for it", "the sound card is back"]
        recorded, lag = card.recorded(), playing.supervisor.latency.delay + PERIOD
    at = len(recorded) - RATE // 2
    assert lag_of(recorded, sound, at) == lag
    assert np.array_equal(recorded[at:], -0.5 * sound[at - lag : len(recorded) - lag])


def test_lost_time_is_counted_right_when_the_input_is_frozen(soft_card):
    card = soft_card(noise(110))
    with Playing(setup()) as playing:
        playing.until_bent()
        playing.play(1.5)
        before = playing.supervisor.status().lost_seconds
        pids = playing.supervisor.pids
        with stopped(card.pid):
            playing.supervisor.watch(1.5)
        playing.play(1.5)
        playing.until_bent()
        lost = playing.supervisor.status().lost_seconds - before
        assert playing.supervisor.pids == pids
    assert 1.2 < lost < 1.8


@contextmanager
def stopped(pid: int):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


