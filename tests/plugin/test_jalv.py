"""The LV2 plugin in a real host, on a real sound server, in real time."""

import shutil

import numpy as np
import pytest

from tests.parts import needed
from tests.plugin.jalv import Jalv, patch_between
from tests.plugin.rig import Server
from tests.realtime.conftest import server, soft_card, sound_system
from tests.realtime.rig import PERIOD, noise, wait_for

__all__ = ["server", "soft_card", "sound_system"]    # fixtures
pytestmark = pytest.mark.slow

SECOND = 44100
PATCH = """
audiobend: 1
transforms:
  - {id: wild, layer: 3, transform: scalar-multiply, params: {factor: 0.2}, features: all}
"""


@pytest.fixture(scope="module")
def bending(tmp_path_factory, tiny_bundle):
    """A server with a small model."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "patch.yaml").write_text(PATCH)
    server = Server(folder / "s", "--model", tiny_bundle, "--patch", folder / "patch.yaml", "--max-instances", 8)
    yield server
    server.close()


@pytest.fixture
def jalv(soft_card, bundles, bending):
    """Starts a plugin on the sound server; the plugins end with the test."""
    needed(shutil.which("jalv"), "needs jalv; on Debian: apt-get install jalv")
    hosts = []

    def start(name: str, **values: float) -> Jalv:
        hosts.append(Jalv(bundles["lv2"].parent, name, bending.environment, **values))
        return hosts[-1]

    yield start
    for host in hosts:
        host.close()


def lag_of(recorded: np.ndarray, sound: np.ndarray, at: int) -> int:
    """By how many samples a stretch of a recording is later than the sound."""
    from scipy.signal import fftconvolve

    found = fftconvolve(sound, recorded[at : at + 8192][::-1], mode="valid")
    return at - int(np.argmax(np.abs(found)))


def test_two_plugins_play_side_by_side_as_late_as_they_say(jalv, soft_card):
    sound = noise(60)
    card = soft_card(sound)
    plain, wild = jalv("plain", mix=0.0), jalv("wild")    # mix 0: through the engine, and as it was
    patch_between("softcard", plain, wild)
    assert wait_for(lambda: plain.status == wild.status == 2)
    end = card.position + 2 * SECOND
    assert wait_for(lambda: card.position > end)
    assert plain.is_alive and wild.is_alive
    latency = plain.latency()
    recorded = card.recorded()
    at = end - SECOND
    lag = lag_of(recorded[:, 0], sound[:, 0], at)
    assert lag == latency + PERIOD    # which JACK adds where sound goes round
    assert np.allclose(recorded[at : at + SECOND, 0], sound[at - lag : at - lag + SECOND, 0], atol=1e-6)
    assert np.abs(recorded[at : at + SECOND, 1] - sound[at - lag : at - lag + SECOND, 0]).max() > 0.05


def test_a_server_that_is_killed_while_music_plays_is_replaced_by_another(jalv, soft_card, bending):
    sound = noise(170)
    card = soft_card(sound, seconds=170)
    host = jalv("host")
    patch_between("softcard", host)
    assert wait_for(lambda: host.status == 2)
    latency = host.latency()
    begun = card.position + SECOND // 2
    assert wait_for(lambda: card.position > begun)
    bending.kill()
    assert wait_for(lambda: host.status in (0, 1, 3))
    killed = card.position + 2 * PERIOD
    assert wait_for(lambda: card.position > killed + SECOND)
    started = card.position - 2 * PERIOD
    bending.start()
    assert wait_for(lambda: host.status == 2, 60)
    bent = card.position + SECOND // 2
    assert wait_for(lambda: card.position > bent)
    assert host.is_alive
    recorded, lag = card.recorded()[:, 0], latency + PERIOD
    dry = np.concatenate([np.zeros(lag, np.float32), sound[:, 0]])[: len(recorded)]
    assert np.array_equal(recorded[killed:started], dry[killed:started])
    assert np.abs(recorded[begun - SECOND // 4 : begun] - dry[begun - SECOND // 4 : begun]).max() > 0.05
    assert np.abs(recorded[bent:] - dry[bent:]).max() > 0.05
