"""What the audio call does with an engine beside it that is there, late, gone, replaced, or waited for."""

import threading
from time import sleep

import numpy as np
import pytest

from audiobend.live.rings import FADE, Count, Parameter
from tests.plugin.peer import Bridge, Engine, Status, Waits
from tests.realtime.rig import noise, wait_for

BLOCKS = (32, 64, 257, 512, 1024, 4096)
SECOND = 44100


@pytest.fixture
def bridge(native):
    """Blocks of at most 512 samples, in real time."""
    with Bridge(native) as bridge:
        bridge.waits(Waits.NEVER)
        yield bridge


def later(sound: np.ndarray, delay: int) -> np.ndarray:
    return np.concatenate([np.zeros((delay, 2), np.float32), sound])[: len(sound)]


def is_faded(out: np.ndarray, before: np.ndarray, after: np.ndarray) -> bool:
    """Whether a stretch of `FADE` samples goes from one sound to another, and never leaves the room between them."""
    low, high = np.minimum(before, after) - 1e-6, np.maximum(before, after) + 1e-6
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(FADE) + 0.5) / FADE)[:, None]
    is_between = np.all((out >= low) & (out <= high))
    return bool(is_between and np.allclose(out, before + rise * (after - before), atol=1e-6))


@pytest.mark.parametrize("n", [1, *BLOCKS, 10000])
def test_without_a_server_the_input_comes_out_the_delay_later_bit_for_bit(bridge, n):
    sound = noise(0.5)
    out = bridge.play(sound, n)
    assert bridge.status == Status.NO_SERVER
    assert np.array_equal(out, later(sound, bridge.delay))


@pytest.mark.parametrize("n", BLOCKS)
def test_bent_sound_comes_out_the_delay_later(native, n):
    sound = noise(1)
    with Bridge(native, block=n) as bridge, Engine(block=n).ready() as engine:
        bridge.waits(Waits.NEVER)
        bridge.offer(engine.name)
        out = bridge.play(sound, n, engine.step)
        assert bridge.delay == engine.latency.delay
        assert bridge.status == Status.BENT
        assert engine.shared[Count.LATE] == 0
        assert np.array_equal(out, -later(sound, bridge.delay))


@pytest.mark.parametrize("n", BLOCKS)
@pytest.mark.parametrize("rate", [44100, 48000])
def test_dry_and_bent_sound_are_aligned_through_lateness_bypass_and_replacement(native, n, rate):
    """The engine changes nothing here, so whatever happens the output is the input, the delay later."""
    sound, engines = noise(3, rate), (Engine(rate, n, sign=1).ready(), Engine(rate, n, sign=1))
    with Bridge(native, rate, n) as bridge, engines[0] as engine, engines[1] as second:
        bridge.waits(Waits.NEVER)
        bridge.offer(engine.name)
        blocks, out, bent = iter(range(0, len(sound), n)), [], 0
        for start in blocks:
            part = start * 12 // len(sound)
            if part == 6 and not second.shared[Count.READY]:
                bridge.offer(second.ready().name)
            if part == 9:
                bridge.offer(None)
            bridge.set(Parameter.BYPASS, part in (3, 4, 8))
            out.append(bridge.run(sound[start : start + n]))
            bent += bridge.status == Status.BENT
            if part not in (1, 2):    # late then
                (engine if part < 6 else second).step()
        assert bent * n > len(sound) // 3
        # Resampling there and back leaves the sound as it is only at the model's own rate.
        out, wanted = np.concatenate(out), later(sound, bridge.delay)
        assert np.array_equal(out, wanted) if rate == 44100 else np.all(np.isfinite(out))
        assert engine.shared[Count.LATE] > 0


@pytest.mark.parametrize("n", BLOCKS)
def test_an_engine_that_comes_while_music_plays_is_faded_in_when_its_sound_is_there(native, n):
    sound = noise(2)
    with Bridge(native, block=n) as bridge, Engine(block=n).ready() as engine:
        bridge.waits(Waits.NEVER)
        first = -(-SECOND // n) * n
        out = [bridge.play(sound[:first], n)]
        bridge.offer(engine.name)
        out.append(bridge.play(sound[first:], n, engine.step))
        delay, out = engine.latency.delay, np.concatenate(out)
        dry = later(sound, delay)
        turn = first + delay    # the first sample that the engine has heard
        assert np.array_equal(out[delay + first : turn], dry[delay + first : turn])
        assert is_faded(out[turn : turn + FADE], dry[turn : turn + FADE], -dry[turn : turn + FADE])
        assert np.array_equal(out[turn + FADE :], -dry[turn + FADE :])


@pytest.mark.parametrize("n", BLOCKS)
def test_bypass_is_bit_exact_and_faded_both_ways(native, n):
    sound = noise(2)
    with Bridge(native, block=n) as bridge, Engine(block=n).ready() as engine:
        bridge.waits(Waits.NEVER)
        bridge.offer(engine.name)
        on, off = (-(-round(seconds * SECOND) // n) * n for seconds in (0.6, 1.2))
        out = [bridge.play(sound[:on], n, engine.step)]
        bridge.set(Parameter.BYPASS, 1)
        out.append(bridge.play(sound[on:off], n, engine.step))
        assert bridge.status == Status.BENT
        bridge.set(Parameter.BYPASS, 0)
        out.append(bridge.play(sound[off:], n, engine.step))
        out, dry = np.concatenate(out), later(sound, bridge.delay)
        assert np.array_equal(out[:on], -dry[:on])
        assert is_faded(out[on : on + FADE], -dry[on : on + FADE], dry[on : on + FADE])
        assert np.array_equal(out[on + FADE : off], dry[on + FADE : off])
        assert is_faded(out[off : off + FADE], dry[off : off + FADE], -dry[off : off + FADE])
        assert np.array_equal(out[off + FADE :], -dry[off + FADE :])
        assert engine.shared[Count.LATE] == 0


def test_late_blocks_are_dry_and_counted(bridge):
    sound, n = noise(2), 512
    with Engine().ready() as engine:
        bridge.offer(engine.name)
        bridge.play(sound[:SECOND], n, engine.step)
        late = 0
        for start in range(0, 30 * n, n):    # the engine stands still
            block = bridge.run(sound[start : start + n])
            late += bridge.status == Status.LATE
        assert late > 20 and engine.shared[Count.LATE] == late
        assert engine.shared[Count.LATE_SAMPLES] == late * n
        assert np.array_equal(block, sound[start - bridge.delay : start - bridge.delay + n])
        bridge.play(sound, n, engine.step)
        assert bridge.status == Status.BENT


@pytest.mark.parametrize("n", [32, 512])
def test_a_server_that_goes_leaves_no_click(native, n):
    time = np.arange(2 * SECOND) / SECOND
    sound = np.stack([np.sin(440 * 2 * np.pi * time)] * 2, axis=1).astype(np.float32)
    with Bridge(native, block=n) as bridge, Engine(block=n).ready() as engine:
        bridge.waits(Waits.NEVER)
        bridge.offer(engine.name)
        out = [bridge.play(sound[:SECOND], n, engine.step)]
        bridge.offer(None)
        out.append(bridge.play(sound[SECOND : SECOND + 4 * FADE], n))
        jumps = np.abs(np.diff(np.concatenate(out)[bridge.delay :], axis=0))
        # From one sign to the other in 64 samples is steeper than the tone, but no jump.
        assert jumps.max() < 2 * np.pi * 440 / SECOND + 2 * np.pi / 2 / FADE
        assert np.array_equal(out[1][FADE:], later(sound, bridge.delay)[SECOND + FADE : SECOND + 4 * FADE])


def test_another_delay_is_taken_over(bridge):
    sound, n = noise(2), 512
    with Engine().ready() as engine:
        bridge.offer(engine.name)
        bridge.play(sound, n, engine.step)
        engine.shared[Count.DELAY] += 1000
        engine.step()
        out = bridge.play(sound, n, engine.step)
        assert bridge.delay == engine.latency.delay + 1000
        assert np.array_equal(out[SECOND:], -later(sound, bridge.delay)[SECOND:])


def bounce(bridge: Bridge, sound: np.ndarray, n: int) -> np.ndarray:
    """Play with a macro that changes at every twentieth block."""
    out = []
    for i, start in enumerate(range(0, len(sound), n)):
        if i % 20 == 0:
            bridge.set(Parameter.MACRO, 1 / (1 + i // 20))
        out.append(bridge.run(sound[start : start + n]))
    return np.concatenate(out)


@pytest.mark.parametrize("n", BLOCKS)
def test_a_bounce_waits_for_every_sample_and_puts_changes_exactly_where_they_were(native, n):
    sound = noise(2)
    with Bridge(native, block=n) as bridge, Engine(block=n).ready().start() as engine:
        bridge.waits(Waits.ALWAYS)
        bridge.offer(engine.name)
        out = bounce(bridge, sound, n)
        assert engine.shared[Count.LATE] == 0 and engine.shared[Count.WAITS] == 1
        gains = np.repeat([[1 / (1 + i // 20)] * 2 for i in range(-(-len(sound) // n))], n, axis=0)[: len(sound)]
        assert np.array_equal([position for position, _ in engine.applied], np.arange(0, len(sound), 20 * n))
        # The engine turns the sound down on its way out.
        lag = engine.latency.delay - sum(engine.latency.engine.values())
        assert np.allclose(out, -later(sound, bridge.delay) * later(np.float32(gains), lag), atol=1e-6)


def test_the_same_song_bounced_twice_is_the_same(native):
    sound = noise(2)
    with Bridge(native) as bridge, Engine().ready().start() as engine:
        bridge.waits(Waits.ALWAYS)
        bridge.offer(engine.name)
        first = bounce(bridge, sound, 512)
        bridge.activate()
        assert np.array_equal(bounce(bridge, sound, 512), first)
        bridge.activate()
        bridge.waits(Waits.NEVER)
        silence = bridge.play(np.zeros((SECOND, 2), np.float32), 512)
        assert not silence.any()    # nothing of the song before


def test_a_bounce_waits_for_a_server_that_starts_and_for_its_engine(bridge):
    sound = noise(1)
    bridge.waits(Waits.ALWAYS)
    bridge.prospect(Status.STARTING)
    with Engine() as engine:
        done = []
        host = threading.Thread(target=lambda: done.append(bridge.play(sound, 512)))
        host.start()
        sleep(0.05)
        engine.start()
        bridge.offer(engine.name)
        sleep(0.05)
        assert not done and engine.shared[Count.PLAYED] == 0
        engine.ready()
        host.join()
        assert np.array_equal(done[0], -later(sound, bridge.delay))


@pytest.mark.parametrize("ends", ["stops", "goes"])
def test_a_bounce_does_not_wait_for_what_has_ended(bridge, ends):
    sound = noise(4)
    bridge.waits(Waits.ALWAYS)
    with Engine().ready().start() as engine:
        bridge.offer(engine.name)
        done = []
        host = threading.Thread(target=lambda: done.append(bridge.play(sound, 512)))
        host.start()
        assert wait_for(lambda: engine.shared[Count.PLAYED] > SECOND // 2)
        engine._stop.set()
        if ends == "stops":
            engine.shared[Count.STOP] = 1
        else:
            bridge.prospect(Status.NO_SERVER)
            bridge.offer(None)
        host.join(60)
        assert np.array_equal(done[0][-SECOND:], later(sound, bridge.delay)[-SECOND:])


def test_a_host_that_is_faster_than_real_time_is_found_out_before_its_first_sample_is_due(native):
    """With the latency of the profile balanced."""
    sound = noise(2)
    for n in BLOCKS:
        with Bridge(native, block=n) as bridge, Engine(block=n, delay=bridge.delay) as engine:
            bridge.offer(engine.name)
            engine.start()
            done = []
            host = threading.Thread(target=lambda bridge=bridge, n=n, done=done: done.append(bridge.play(sound, n)))
            host.start()
            assert wait_for(lambda engine=engine: engine.shared[Count.WAITS] == 1)
            engine.ready()    # not before the host has come some way
            host.join()
            assert np.array_equal(done[0], -later(sound, bridge.delay)), n


def test_a_host_in_real_time_is_never_made_to_wait(native):
    """It calls when it is time for it; an engine that stands still is not waited for."""
    sound = noise(0.6)
    with Bridge(native) as bridge, Engine().ready() as engine:
        bridge.offer(engine.name)
        waits = []
        for start in range(0, len(sound) - 512, 512):
            bridge.run(sound[start : start + 512])
            waits.append(engine.shared[Count.WAITS])
            sleep(512 / SECOND)
        assert not any(waits)


def test_parameters_that_the_host_has_not_touched_are_marked_so(bridge):
    with Engine().ready() as engine:
        bridge.set(Parameter.MIX, 0.25)
        bridge.offer(engine.name)
        bridge.run(noise(0.01))
        found = engine.shared.parameters.tolist()
        assert engine.shared[Count.CHANGED] == 1
        assert found[Parameter.MIX] == 0.25 and np.isnan(found[Parameter.GAIN])
        assert all(found[i] == -1 for i in range(len(found)) if i not in (Parameter.MIX, Parameter.GAIN))
        bridge.set(Parameter.GAIN, -6)
        bridge.run(noise(0.01))
        assert engine.shared[Count.CHANGED] == 2 and engine.shared.parameters[Parameter.GAIN] == -6
