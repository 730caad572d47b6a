"""A take is what was heard: played again by the live engine it is the same sound, bit for bit."""

import numpy as np
import pytest
import soundfile as sf

from audiobend.bending import Patch
from audiobend.io.takefile import Gesture, Skipped
from audiobend.io.takereading import load_take
from audiobend.live import takes
from audiobend.live.replay import replay_file
from audiobend.spectral.live_settings import LiveSettings
from tests.live.performed import ORIGIN, Performed

RATE = 44100


@pytest.fixture
def track(music, tmp_path):
    """A second and a half, stereo, as a file; and its samples."""
    sound = music[:, : 3 * RATE // 2].T.numpy().copy()
    sf.write(tmp_path / "track.wav", sound, RATE, subtype="FLOAT")
    return tmp_path / "track.wav", sound


def replayed(take, track, folder, name="again.wav"):
    replay_file(take, track, folder / name)
    return sf.read(folder / name, dtype="float32", always_2d=True)[0]


def as_written(sound):
    """Samples as a 24-bit file has them."""
    return np.round(np.clip(sound.astype(np.float64), -1, 1 - 2**-23) * 2**23) / 2**23


def gestures(performed):
    """Play with everything that moves, at samples that are no multiples of anything."""
    performed.play(ORIGIN + 7001)
    performed.say("/audiobend/layer/3/all/erode", 1)
    performed.play(3001)
    performed.say("/audiobend/layer/3/all/erode/radius", 3)
    performed.say("/audiobend/mix", 0.7)
    performed.play(5003)
    performed.say("/audiobend/bend/layer3.all.erode/mix/lfo", "triangle", 3.0, 0.5)
    performed.say("/audiobend/scene/save", "low")
    performed.say("/audiobend/gain/lfo", "follow", 4.0, -6.0)
    performed.play(6007)
    performed.say("/audiobend/layer/2/cluster/1/rotate", 1)
    performed.say("/audiobend/layer/2/cluster/1/rotate/angle/norm", 0.3)
    performed.say("/audiobend/latent/1/offset/lfo", "random", 7.0, 2.0)
    performed.play(5009)
    performed.say("/audiobend/scene/load", "low", 0.25)
    performed.play(4001)
    performed.say("/audiobend/layer/1/all/negate", 1)    # while it fades
    performed.play(9011)
    performed.say("/audiobend/undo")
    performed.say("/audiobend/macro/2/bind", "layer/2/all/scalar-multiply/factor", 1.0, 4.0)
    performed.say("/audiobend/macro/2/bind", "mix", 1.0, 0.2)
    performed.play(2003)
    performed.say("/audiobend/layer/2/all/scalar-multiply", 1)
    performed.say("/audiobend/macro/2", 0.6)
    performed.play(3011)
    performed.say("/audiobend/macro/2/unbind", "mix")
    performed.say("/audiobend/macro/2", 0.9)
    performed.play(2003)
    performed.say("/audiobend/bypass", 1)
    performed.play(2500)
    performed.say("/audiobend/bypass", 0)
    performed.play(70_000)


def test_a_take_played_again_is_what_was_heard_bit_for_bit(tiny_bundle, track, tmp_path):
    path, sound = track
    performed = Performed(tiny_bundle, sound, tmp_path)
    performed.takes.start(lambda: performed.take)
    gestures(performed)
    heard = performed.heard()[: len(sound)]
    performed.written()
    assert load_take(performed.take).lines[-1].address == "/audiobend/bypass"    # it is there before the end
    take = performed.close()
    assert sum(isinstance(line, Gesture) for line in take.lines) == 20
    first, second = (replayed(take, path, tmp_path, name) for name in ("a.wav", "b.wav"))
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert np.array_equal(first, second)
    assert first.shape == heard.shape
    np.testing.assert_array_equal(first, as_written(heard).astype(np.float32))


@pytest.mark.slow
def test_a_take_that_is_started_late_knows_what_came_before(tiny_bundle, track, tmp_path):
    path, sound = track
    performed = Performed(tiny_bundle, sound, tmp_path)
    performed.play(ORIGIN + 3001)
    performed.say("/audiobend/layer/3/all/scalar-multiply", 1)
    performed.play(20_000)
    performed.takes.start(lambda: performed.take)
    performed.say("/audiobend/layer/3/all/scalar-multiply/factor", 3.0)
    performed.play(20_000)
    performed.takes.stop(performed._n)
    performed.play(60_000)
    heard = performed.heard()[: len(sound)]
    take = performed.close()
    np.testing.assert_array_equal(replayed(take, path, tmp_path), as_written(heard).astype(np.float32))


@pytest.mark.slow
def test_skips_and_engines_that_died_are_played_again_too(tiny_bundle, track, tmp_path):
    sound = track[1][:, :1]
    path = tmp_path / "mono.wav"
    sf.write(path, sound, RATE, subtype="FLOAT")
    performed = Performed(tiny_bundle, sound, tmp_path, LiveSettings(4, 4), Patch().add(3, "erode", id="fog"))
    performed.takes.start(lambda: performed.take)
    performed.play(ORIGIN + 6000)
    performed.pump._begin(performed.pump._next + 3000)    # it was late
    performed.play(9000)
    performed.say("/audiobend/bend/fog/radius", 5)
    performed.begin()
    performed.play(70_000)
    heard = performed.heard()
    take = performed.close()
    assert [line.since for line in take.lines if isinstance(line, Skipped)] == [6000]
    again = replayed(take, path, tmp_path)
    valid = slice(6000 + 9000 + 3 * performed.chain.latency, len(sound))
    np.testing.assert_array_equal(again[valid], as_written(heard[valid]).astype(np.float32))


def test_a_take_ends_with_what_was_done_before_its_end(tiny_bundle, track, tmp_path):
    performed = Performed(tiny_bundle, track[1], tmp_path)
    performed.takes.start(lambda: performed.take)
    performed.play(ORIGIN + 1000)
    performed.say("/audiobend/mix", 0.5)
    performed.say("/audiobend/scene/save", "low")    # the engine never hears of this
    performed.takes.stop(performed._n)
    performed.say("/audiobend/mix", 0.7)
    performed.play(5000)
    take = performed.close()
    assert [line.args for line in take.lines if isinstance(line, Gesture)] == [(0.5,)]


def test_what_is_remembered_is_bounded_by_its_size(tiny_bundle, track, tmp_path, monkeypatch):
    monkeypatch.setattr(takes, "MAX_REMEMBERED", 40 * takes.LINE_BYTES)
    performed = Performed(tiny_bundle, track[1], tmp_path, patch=Patch().add(3, "erode", id="fog"))
    performed.play(ORIGIN + 1000)
    for n in range(100):
        performed.say("/audiobend/bend/fog/mix", n / 100)
        performed.play(700)
    assert len(performed.takes._remembered) <= 41
    performed.takes.start(lambda: performed.take)
    take = performed.close()
    assert take.head.patch.bend("fog").mix > 0.4    # the rest is where it begins
    assert take.lines[-1].args == (0.99,)


def test_undo_weighs_as_much_as_the_patch_that_it_leads_to():
    patch = Patch().add(3, "erode").add(2, "erode").add(1, "erode")
    plain = takes._weight(Gesture(0, 0.0, "/audiobend/mix", (1,)))
    assert takes._weight(Gesture(0, 0.0, "/audiobend/undo", (), patch)) - plain == 3 * takes.BEND_BYTES
