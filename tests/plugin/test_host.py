"""A real host, the plugin, a real server and real music: the whole chain."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from audiobend.io.patchfile import load_patch
from audiobend.plugin.building import find_dpf
from tests.parts import needed
from tests.plugin.rig import AUDIOBEND, BACKEND, Host, Server, sound_of
from tests.realtime.rig import wait_for

pytestmark = pytest.mark.slow

PATCH = """
audiobend: 1
seed: 7
transforms:
  - {id: fog, layer: 3, transform: erode, params: {radius: 2}, features: all, mix: 0.8}
  - {id: undertow, layer: 4, transform: scalar-multiply, params: {factor: 1.4}, features: all, mix: 0.5}
modulation:
  - {target: undertow/mix, lfo: sine, rate_hz: 0.5, depth: 0.3}
macros: {3: {target: fog/radius, from: 0, to: 4}}
"""


@pytest.fixture(scope="module", params=["vst3", "clap"])
def program(request, bundles, compiled) -> list[str | Path]:
    """Hosts of both formats, as words of a command."""
    bundle = bundles[request.param]
    if request.param == "clap":
        return [compiled("clap_host", f"-I{find_dpf() / 'distrho' / 'src'}"), bundle]
    needed(find_spec("pedalboard"), "needs pedalboard; uv sync")
    return [sys.executable, Path(__file__).with_name("host.py"), bundle]


@pytest.fixture(scope="module")
def sounds(music) -> dict[int, np.ndarray]:
    """Three seconds of music at two rates, ``(time, 2)``."""
    import soxr

    sound = music.numpy().T[: 3 * 44100]
    return {44100: sound, 48000: np.float32(0.9 * soxr.resample(sound, 44100, 48000))}


@pytest.fixture(scope="module")
def patch(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("patch") / "patch.yaml"
    path.write_text(PATCH)
    load_patch(path)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory, patch):
    server = Server(tmp_path_factory.mktemp("run"), "--patch", patch)
    yield server
    server.close()


@pytest.fixture
def host(program, server, tmp_path):
    with Host(program, server.environment, tmp_path) as host:
        yield host


def rendered(sound: np.ndarray, rate: int, patch: Path, folder: Path) -> np.ndarray:
    """The same by the command line."""
    track, out = folder / "track.wav", folder / "rendered.wav"
    sf.write(track, sound, rate, subtype="FLOAT")
    words = ["render", track, out, "--patch", patch, "--quality", "live", "--backend", BACKEND, "--overwrite"]
    subprocess.run([*AUDIOBEND, *map(str, words)], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    return sf.read(out, dtype="float32", always_2d=True)[0]


@pytest.mark.parametrize("rate", [44100, 48000])
def test_a_bounce_equals_a_render_of_the_same_track(host, sounds, patch, tmp_path, rate):
    wanted = rendered(sounds[rate], rate, patch, tmp_path)
    assert np.abs(wanted - sounds[rate]).max() > 0.05
    for block in (32, 64, 257, 512, 1024, 4096):
        out = host.play(sounds[rate], rate, block)
        assert host.latency > 5000
        assert out.shape == wanted.shape
        assert np.abs(out - wanted).max() < 1e-4, block


def test_a_macro_turns_what_the_patch_binds_it_to(host, sounds, patch, tmp_path):
    sound = sounds[44100]
    plain = host.play(sound)
    half = host.play(sound, macro_3=0.5)    # 0..4 cells: 2, as the patch has it
    turned = host.play(sound, macro_3=1.0)
    assert np.array_equal(half, plain)
    other = tmp_path / "turned.yaml"
    other.write_text(PATCH.replace("radius: 2", "radius: 4"))
    assert np.abs(turned - rendered(sound, 44100, other, tmp_path)).max() < 1e-4
    assert np.abs(turned - plain).max() > 0.01
    assert np.array_equal(host.play(sound, macro_3=0.5), plain)


def test_a_project_sounds_the_same_in_another_process_and_with_another_server(host, program, sounds, tmp_path):
    sound, saved = sounds[44100][: 2 * 44100], tmp_path / "project"
    host.play(sound, macro_3=0.9, gain=-3.0)
    first = host.play(sound)
    host.ask("save", saved)
    server = Server(tmp_path / "run", "--max-instances", 1)    # which has no patch
    try:
        with Host(program, server.environment, tmp_path) as other:
            assert np.abs(other.play(sound) - first).max() > 0.01
            other.ask("restore", saved)
            assert np.array_equal(other.play(sound), first)
    finally:
        server.close()


def test_a_host_that_is_killed_leaves_nothing_behind(program, server, sounds, tmp_path):
    assert wait_for(lambda: not server.segments())
    host = Host(program, server.environment, tmp_path)
    host.play(sounds[44100][:44100])
    assert len(server.segments()) == 1
    host.begin(np.tile(sounds[44100], (40, 1)))
    host.kill()
    assert wait_for(lambda: not server.segments())
    assert server.news(lambda instances: not instances)


def test_a_bounce_goes_on_dry_when_the_server_is_killed(program, sounds, tmp_path):
    server = Server(tmp_path / "run", "--max-instances", 1)
    with Host(program, server.environment, tmp_path) as host:
        sound = np.tile(sounds[44100], (6, 1))
        bent = host.play(sound[:44100], gain=-20.0)
        assert np.abs(bent).max() < 0.5 * np.abs(sound[:44100]).max()
        path = host.begin(sound)
        assert server.news(lambda instances: instances and instances[0].get("seconds", 0) > 3)
        segments = server.segments()
        server.kill()
        host.heard()
        out = sound_of(path)
        assert np.array_equal(out[-44100:], sound[-44100:])
        assert wait_for(lambda: not any(segment.exists() for segment in segments))


def test_a_clap_host_sees_what_the_plugin_has(bundles, compiled, tmp_path):
    program = [compiled("clap_host", f"-I{find_dpf() / 'distrho' / 'src'}"), bundles["clap"]]
    with Host(program, {"AUDIOBEND_NO_SPAWN": "1", "AUDIOBEND_SERVER": str(tmp_path / "s")}, tmp_path) as host:
        _, *ports, words = host.ask("describe").split(maxsplit=3)
    assert ports == ["2", "2"]
    macros = [f"macro_{n}" for n in range(1, 17)]
    assert words.split() == ["bypass", "mix", "detail", "gain", "scene", "morph", *macros, "waits", "status"]
