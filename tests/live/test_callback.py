"""The two sides of the rings, without a sound card: what is heard is bent or dry, always in time, without a jump."""

import numpy as np
import pytest

from audiobend.errors import DeviceError
from audiobend.live.callback import Callback
from audiobend.live.chain import Chain
from audiobend.live.latency import Latency
from audiobend.live.pump import Pump
from audiobend.live.rings import CAPACITY, FADE, Count, Ring, Shared
from tests.realtime.standin import Delay

RATE, BLOCK = 44100, 256
DELAY_PARTS = {"window": 2304}


@pytest.fixture
def shared():
    shared = Shared()
    yield shared
    shared.close()


def sound(n: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(1).uniform(-0.5, 0.5, (n, channels)).astype(np.float32)


class Machine:
    """Callback and pump in one thread: the test says when the engine works."""

    def __init__(self, shared, rate=RATE, channels=2, in_channels=2, block=BLOCK) -> None:
        self.shared, self.block, self.channels = shared, block, channels
        self.latency = Latency(rate, DELAY_PARTS, 44100, cushion=512, block=block)
        shared[Count.DELAY] = self.latency.delay
        shared[Count.READY] = 1
        self.callback = Callback(shared, in_channels)
        self.rate, self.in_channels = rate, in_channels
        self.pump = self.new_pump()

    def new_pump(self) -> Pump:
        chain = Chain(Delay(self.channels), self.channels, self.rate, 44100)
        return Pump(self.shared, chain, self.in_channels, self.rate, 1024 / 44100)

    def play(self, block: np.ndarray, works: bool = True, out_channels: int = 2) -> np.ndarray:
        played = np.full((len(block), out_channels), np.nan, dtype=np.float32)
        self.callback(block, played)
        while works and self.pump.step():
            pass
        return played

    def run(self, samples: np.ndarray, works=lambda index: True, out_channels: int = 2) -> np.ndarray:
        blocks = (samples[i : i + self.block] for i in range(0, len(samples), self.block))
        return np.concatenate([self.play(block, works(i), out_channels) for i, block in enumerate(blocks)])


def delayed(samples: np.ndarray, delay: int) -> np.ndarray:
    return np.concatenate([np.zeros((delay, samples.shape[1]), np.float32), samples])[: len(samples)]


@pytest.mark.parametrize("start", [0, 5, CAPACITY - 3, 3 * CAPACITY + 7])
def test_a_ring_gives_back_what_was_put_anywhere(start):
    ring = Ring(np.zeros((CAPACITY, 2), dtype=np.float32))
    block, out = sound(10), np.zeros((10, 2), dtype=np.float32)
    ring.put(start, block)
    ring.get(start, out)
    assert np.array_equal(out, block)


def test_shared_memory_is_seen_by_name_and_goes_with_its_maker():
    ours = Shared()
    theirs = Shared(ours.name)
    ours[Count.PLAYED] = 2**40
    assert theirs[Count.PLAYED] == 2**40
    name = ours.name
    theirs.close()
    ours.close()
    with pytest.raises(FileNotFoundError):
        Shared(name)


def test_memory_of_another_version_is_refused(shared):
    shared._memory.buf[8] = 2
    with pytest.raises(DeviceError, match="is no shared memory of this version"):
        Shared(shared.name)


@pytest.mark.parametrize("block", [64, 1000])
def test_a_new_beginning_is_as_the_first_one_and_changes_that_wait_are_made_at_it(shared, block):
    samples, made = sound(30000), []
    machine = Machine(shared, block=block)
    machine.pump = Pump(shared, machine.pump._chain, 2, RATE, 1024 / 44100, lambda position, n: made.append(position))
    first = machine.run(samples)
    at = shared[Count.PLAYED]
    assert shared[Count.TAKEN] == at == len(samples)
    shared[Count.RESET] = at + 1
    assert machine.pump.is_due
    machine.pump.step()
    assert shared[Count.WAS_RESET] == at + 1 and shared[Count.VALID] == at
    machine.pump.turn()
    assert made[-1] == at
    assert np.array_equal(machine.run(samples), first)


def test_before_a_new_beginning_is_made_sound_is_dry(shared):
    machine = Machine(shared)
    machine.run(sound(20000))
    shared[Count.RESET] = shared[Count.PLAYED] + 1
    machine.play(sound(BLOCK), works=False)
    assert not shared[Count.IS_BENT]


def test_bent_sound_is_exact_and_as_late_as_the_delay_says(shared):
    samples = sound(40000)
    machine = Machine(shared)
    played = machine.run(samples)
    bent = -delayed(samples, machine.latency.delay)
    assert np.array_equal(played[10000:], bent[10000:])


def test_nothing_is_heard_before_the_latency_is_known(shared):
    callback = Callback(shared, 2)
    played = np.full((256, 2), np.nan, dtype=np.float32)
    callback(sound(256), played)
    assert not played.any()


def test_blocks_without_the_engine_are_dry_in_time_and_counted_and_the_way_there_and_back_is_a_fade(shared):
    samples = sound(60000)
    machine = Machine(shared)
    pause = range(80, 100)
    played = machine.run(samples, works=lambda index: index not in pause)
    dry = delayed(samples, machine.latency.delay)
    late = shared[Count.LATE]
    assert 0 < late < len(pause)
    assert shared[Count.LATE_SAMPLES] == late * BLOCK
    is_dry, is_bent = (np.all(played == sign * dry, axis=1) for sign in (1, -1))
    first = int(np.argmax(is_dry[20000:])) + 20000
    assert int(np.argmin(is_bent[20000:])) + 20000 + FADE == first
    assert is_dry[first : first + late * BLOCK - FADE].all()
    back = first - FADE + late * BLOCK
    assert is_bent[back + FADE :].all()
    assert not shared[Count.SKIPPED]
    for fade, towards in ((first - FADE, 1), (back, -1)):
        rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(FADE) + 0.5) / FADE)
        mixed = towards * dry[fade : fade + FADE] * (2 * rise - 1)[:, None]
        assert np.allclose(played[fade : fade + FADE], mixed, atol=1e-6)


def test_an_engine_far_behind_skips_and_is_right_again(shared):
    samples = sound(120000)
    machine = Machine(shared)
    played = machine.run(samples, works=lambda index: not 100 <= index < 250)
    dry = delayed(samples, machine.latency.delay)
    assert shared[Count.SKIPPED] > 0
    heard = np.all((played == dry) | (played == -dry), axis=1)[20000:]
    assert np.count_nonzero(~heard) <= 2 * FADE
    assert np.array_equal(played[-40000:], -dry[-40000:])


def test_a_new_engine_goes_on_where_the_old_one_died(shared):
    samples = sound(120000)
    machine = Machine(shared)
    first = machine.run(samples[:51200])
    second = machine.run(samples[51200:76800], works=lambda index: False)
    machine.pump = machine.new_pump()
    third = machine.run(samples[76800:])
    played, dry = np.concatenate([first, second, third]), delayed(samples, machine.latency.delay)
    heard = np.all((played == dry) | (played == -dry), axis=1)[20000:]
    assert np.count_nonzero(~heard) <= 2 * FADE
    assert np.array_equal(played[-30000:], -dry[-30000:])


@pytest.mark.parametrize("rate", [48000, 96000, 22050])
@pytest.mark.parametrize("block", [64, 441, 1024])
def test_at_another_rate_the_engine_is_never_late_and_the_delay_is_right(shared, rate, block):
    n = rate
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(n) / rate)[:, None].astype(np.float32).repeat(2, axis=1)
    machine = Machine(shared, rate=rate, block=block)
    played = machine.run(tone)
    assert shared[Count.LATE] == 0
    half = n // 2
    expected = -delayed(tone, machine.latency.delay)[half:]
    assert np.abs(played[half:] - expected).max() < 1e-4


@pytest.mark.parametrize(("in_channels", "channels", "out_channels"), [(1, 1, 2), (2, 1, 2), (1, 2, 2), (2, 1, 1)])
def test_any_channels_go_through(shared, in_channels, channels, out_channels):
    samples = sound(30000, in_channels)
    machine = Machine(shared, channels=channels, in_channels=in_channels)
    played = machine.run(samples, out_channels=out_channels)
    mixed = samples.mean(axis=1, dtype=np.float32, keepdims=True) if channels == 1 else samples.repeat(2, axis=1)
    expected = -delayed(mixed, machine.latency.delay)
    assert np.array_equal(played[15000:], np.broadcast_to(expected[15000:], (len(played) - 15000, out_channels)))


def test_a_block_that_grows_moves_the_delay_and_nothing_goes_wrong(shared):
    samples = sound(90000)
    machine = Machine(shared)
    machine.run(samples[:30720])
    machine.block = 1024
    machine.latency = Latency(RATE, DELAY_PARTS, 44100, cushion=512, block=1024)
    shared[Count.DELAY] = machine.latency.delay
    played = machine.run(samples[30720:])
    expected = -delayed(samples, machine.latency.delay)[30720:]
    assert np.array_equal(played[20000:], expected[20000:])
    assert shared[Count.BLOCK] == 1024
