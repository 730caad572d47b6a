"""No packet raises, none takes long, and none keeps the next one from being carried out."""

import random

import pytest

from audiobend.control.fitting import check_fits
from audiobend.osc.encode import encode
from audiobend.osc.limits import MAX_STEPS
from tests.osc.conftest import HERE
from tests.osc.packets import WALL, killers, mutated, sound_packets


def survived(talk, packets):
    """Hand in packets; check after each what it cost, and at the end that the state is sound and can be changed."""
    responder, now = talk.responder, 1e6
    for n, packet in enumerate(packets):
        now += 0.001
        work = responder.counters.work
        responder.receive(packet, ("127.0.0.1", 40000 + n % 50), now, WALL)
        assert responder.counters.work - work <= 2 * len(packet) + 2 * MAX_STEPS
        assert len(responder.pending) < 5000 and len(responder.schedule) <= responder.schedule.capacity
        if n % 20 == 0:
            responder.turn(now)
            responder.take()
    check_fits(talk.desk.state.patch, talk.desk.context)
    for value in (0.25, 0.75):
        responder.receive(encode("/audiobend/mix", [value]), HERE, now + 100, WALL)
        responder.turn(now + 100)
        assert talk.desk.state.mix == value


@pytest.mark.parametrize("name", killers())
def test_known_killers_do_nothing(talk, name):
    survived(talk, [killers()[name]])


def test_patterns_that_stall_others_are_refused_within_their_budget(talk):
    for name in ("64 stars", "256 patterns of stars", "every address there is"):
        before = talk.responder.counters.work
        talk.packet(killers()[name])
        assert talk.responder.counters.work - before <= 2 * 16384 + 2 * MAX_STEPS, name


@pytest.mark.parametrize("n_packets", [3000, pytest.param(40_000, marks=pytest.mark.slow)])
def test_mutated_packets_are_survived(talk, n_packets):
    rng = random.Random(20261122 + n_packets)
    seeds = [*sound_packets(), *(one for one in killers().values() if one)]
    survived(talk, [mutated(rng.choice(seeds), rng) for _ in range(n_packets)])
    counters = talk.responder.counters
    assert counters.rejected > n_packets // 20 and counters.failed > n_packets // 20    # both layers were reached


def test_noise_is_survived(talk):
    rng = random.Random(4)
    survived(talk, [rng.randbytes(rng.randrange(0, 200) & ~3) for _ in range(2000)])
