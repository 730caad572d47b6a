"""The engine's process brings its engine to what is wanted, and touches nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from audiobend.bending import Patch
from audiobend.errors import ModelError, PatchError
from audiobend.live.dsp import Wanted
from audiobend.live.player import make_player
from audiobend.spectral.live_settings import LiveSettings

SETTINGS = LiveSettings(4, 4)


@pytest.fixture(scope="module")
def wanted(tiny_bundle) -> Wanted:
    return Wanted(str(tiny_bundle), Patch(), backend="torch")


def played(player, sound: np.ndarray) -> np.ndarray:
    """The end of what comes out, when every ramp is over."""
    return player.engine.process(sound)[:, -4096:]


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (1, 22050)).astype(np.float32)


def dry(player, sound: np.ndarray) -> np.ndarray:
    end = sound.shape[1] - player.engine.latency
    return sound[:, end - 4096 : end]


def test_bypass_goes_on_and_off(wanted, sound):
    player = make_player(replace(wanted, bypass=True), SETTINGS)
    assert np.array_equal(played(player, sound), dry(player, sound))
    player.want(wanted)
    assert not np.allclose(played(player, sound), dry(player, sound), atol=0.01)
    player.want(replace(wanted, bypass=True))
    assert np.array_equal(played(player, sound), dry(player, sound))


def test_a_change_of_output_values_prepares_nothing_and_a_change_of_bends_does(wanted, sound, monkeypatch):
    player = make_player(wanted, SETTINGS)
    prepared = []
    prepare = player.engine.prepare
    monkeypatch.setattr(player.engine, "prepare", lambda *words: prepared.append(words) or prepare(*words))
    dry_patch = Patch().set("output/mix", 0.0).set("output/limiter", False)
    player.want(replace(wanted, patch=dry_patch))
    assert np.allclose(played(player, sound), dry(player, sound), atol=1e-6)
    assert not prepared
    player.want(replace(wanted, patch=dry_patch.add(3, "erode")))
    assert len(prepared) == 1


def test_what_does_not_fit_is_refused_and_the_sound_goes_on(wanted, sound, tmp_path):
    player = make_player(wanted, SETTINGS)
    before = played(player, sound)
    with pytest.raises(PatchError):
        player.want(replace(wanted, patch=Patch().add(17, "erode")))
    with pytest.raises(ModelError):
        player.want(replace(wanted, model=str(tmp_path)))
    assert np.isfinite(before).all()
    assert np.isfinite(played(player, sound)).all()
