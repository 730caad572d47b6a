"""What an instance puts out is the live engine's sound, whatever the host's blocks and rate, and again and again."""

import numpy as np
import pytest
import soundfile as sf

from audiobend.bending import Patch
from audiobend.io.modelbundle import load_model
from audiobend.io.patchfile import save_patch
from audiobend.io.takefile import Began, Gesture, Take, TakeHead
from audiobend.live.replay import _Sound, replayed
from audiobend.live.rings import Count
from audiobend.osc.client import OscClient
from audiobend.server.project import Project, parse_project, project_text
from audiobend.spectral.live_settings import LiveSettings
from tests.server.plugin import until

PATCH = Patch(name="tide").add(3, "erode", {"radius": 2}, id="fog").add(1, "scalar-multiply", {"factor": 2}, id="dust")
MOVES = {9000: {"mix": 0.4}, 22000: {"gain": -9.0, "detail": 0.5}, 31000: {"macro3": 0.8}, 45000: {"macro3": 0.1}}


@pytest.fixture
def bound():
    """A patch with a macro on it."""
    from audiobend.bending import Binding

    return PATCH.replace(macros=(Binding(3, "fog/radius", 0, 6),))


def text(model, patch, **more) -> str:
    return project_text(Project(str(model), patch=patch, **more))


@pytest.mark.parametrize(
    ("rate", "block", "sizes"),
    [
        (44100, 512, (0,)),
        (44100, 32, (0,)),
        (44100, 4096, (4096, 441, 1, 1000)),
        (48000, 480, (0,)),
        (48000, 1024, (7, 1024)),
    ],
)
@pytest.mark.parametrize("patch", [Patch(), PATCH], ids=["unbent", "bent"])
def test_the_sound_is_that_of_a_live_render(server, tiny_bundle, song, audiobend, tmp_path, rate, block, sizes, patch):
    sf.write(tmp_path / "in.wav", song, rate, subtype="FLOAT")
    save_patch(patch, tmp_path / "patch.yaml")
    words = ("--quality", "live", "--backend", "torch", "--model", tiny_bundle, "--patch", tmp_path / "patch.yaml")
    status, _, error = audiobend("render", tmp_path / "in.wav", tmp_path / "out.wav", *words)
    assert status == 0, error
    rendered, rendered_rate = sf.read(tmp_path / "out.wav", dtype="float32")
    with server.plugin(rate=rate, block=block, state=text(tiny_bundle, patch)) as plugin:
        heard = plugin.bounce(song, sizes)
        assert plugin.shared[Count.LATE] == 0
    assert rendered_rate == rate
    assert np.abs(heard - rendered).max() < 1e-4
    assert np.abs(heard).max() > 0.01


def test_a_bounce_with_automation_is_what_a_take_of_the_same_gestures_gives(server, tiny_bundle, song, bound, tmp_path):
    with server.plugin(block=512, state=text(tiny_bundle, bound)) as plugin:
        heard = plugin.bounce(song, moves=MOVES)
    sf.write(tmp_path / "in.wav", song, 44100, subtype="FLOAT")
    names = {"mix": "/audiobend/mix", "gain": "/audiobend/gain", "detail": "/audiobend/detail"}
    lines = [Began(0)]
    for number, (sample, values) in enumerate(MOVES.items(), 1):
        at = -(-sample // 512) * 512
        for name, value in values.items():
            address = names.get(name, f"/audiobend/macro/{name[5:]}")
            lines.append(Gesture(at, 0.0, address, (value,), number=number))
    model = load_model(tiny_bundle)
    head = TakeHead(str(tiny_bundle), model.fingerprint, bound, LiveSettings(8, 8, n_channels=2), 44100, 2)
    sound = _Sound(tmp_path / "in.wav", 44100, 2, False)
    expected = np.concatenate(list(replayed(Take(head, tuple(lines)), sound, len(song))))
    assert np.array_equal(heard, expected)


@pytest.mark.parametrize("rate", [44100, 48000])
def test_two_bounces_are_bit_identical(server, tiny_bundle, song, bound, rate):
    how = {"rate": rate, "block": 1000, "state": text(tiny_bundle, bound)}
    with server.plugin(**how) as plugin:
        first = plugin.bounce(song, (1000, 333), MOVES)
    with server.plugin(**how) as plugin:
        again = plugin.bounce(song, (1000, 333), MOVES)
    assert np.array_equal(first, again)
    assert not np.array_equal(first[:, 0], song[:, 0])


def test_an_instance_that_is_reset_begins_as_a_new_one(server, tiny_bundle, song):
    how = {"block": 700, "state": text(tiny_bundle, PATCH)}
    with server.plugin(**how) as plugin:
        first = plugin.bounce(song)
        plugin.reset()
        again = plugin.bounce(song)
    assert np.array_equal(first, again)


def test_parameters_reach_the_sound(server, tiny_bundle, song, bound):
    loud, quiet = PATCH, PATCH.replace(output=PATCH.output.__class__(mix=0.0, gain_db=-20.0))
    scenes = {"loud": loud, "quiet": quiet}
    with server.plugin(state=text(tiny_bundle, bound, scenes=scenes)) as plugin:
        plugin.ready()

        def sounds(**values) -> np.ndarray:
            plugin.untouch()
            plugin.reset()
            plugin.set(**values)
            return plugin.bounce(song[:22050])

        plain = sounds(macro3=0.0)
        assert np.abs(sounds(mix=0.0) - song[:22050])[512:].max() < 1e-6
        assert np.allclose(sounds(mix=0.0, gain=-6.0)[2048:], 10 ** (-6 / 20) * song[2048:22050], atol=1e-4)
        assert np.abs(sounds(mix=1.0, gain=0.0, macro3=1.0) - plain).max() > 1e-3
        assert np.allclose(sounds(scene=2)[2048:], 0.1 * song[2048:22050], atol=1e-4)
        between = sounds(scene=1, morph=0.5)
        assert 0.2 < np.std(between) / np.std(sounds(scene=1)) < 0.8


def test_what_is_kept_for_a_project_gives_the_same_sound_in_another_instance(server, tiny_bundle, song, bound):
    with server.plugin(state=text(tiny_bundle, bound, scenes={"one": PATCH})) as plugin:
        plugin.ready()
        with OscClient("127.0.0.1", plugin.port) as osc:
            osc.send("/audiobend/bend/fog/radius", [4])
            osc.send("/audiobend/scene/save", ["two"])
        until(lambda: plugin.states and "two" in parse_project(plugin.states[-1], Project("")).scenes)
        plugin.reset()
        first, kept = plugin.bounce(song), plugin.states[-1]
    project = parse_project(kept, Project(""))
    assert list(project.scenes) == ["one", "two"] and project.patch.bend("fog").params["radius"] == 4
    assert project.patch.macros == bound.macros
    assert project_text(project) == kept
    with server.plugin(state=kept) as plugin:
        assert np.array_equal(plugin.bounce(song), first)


def test_a_preset_is_played_by_the_same_instance_and_one_for_another_engine_ends_it(server, tiny_bundle, song):
    preset = text(tiny_bundle, PATCH, scenes={"one": Patch(name="one")})
    with server.plugin(state=text(tiny_bundle, Patch(), scenes={"other": PATCH})) as plugin:
        plugin.ready()
        plugin.send("state", preset)
        wanted = parse_project(preset, Project(""))
        until(lambda: plugin.states and parse_project(plugin.states[-1], Project("")) == wanted)
        plugin.reset()
        heard = plugin.bounce(song)
        plugin.send("state", text(tiny_bundle, PATCH, profile="studio"))
        assert plugin.is_over.wait(30) and not plugin.refusal
    with server.plugin(state=preset) as plugin:
        assert np.array_equal(plugin.bounce(song), heard)


def test_two_instances_do_not_disturb_one_another(server, tiny_bundle, song):
    states = [text(tiny_bundle, PATCH), text(tiny_bundle, Patch(seed=3).add(2, "invert", id="i"))]
    alone = []
    for state in states:
        with server.plugin(state=state) as plugin:
            alone.append(plugin.bounce(song))
    with server.plugin(state=states[0]) as one, server.plugin(state=states[1]) as two:
        assert one.ready().memory != two.ready().memory and one.port != two.port
        heard = [[], []]
        given = np.concatenate([song, np.zeros((one.latency, 2), np.float32)])
        for first in range(0, len(given), 512):
            for plugin, parts in zip((one, two), heard, strict=True):
                parts.append(plugin.pass_on(given[first : first + 512]))
        together = [np.concatenate(parts)[one.latency :] for parts in heard]
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_what_changes_nothing_is_acknowledged_at_once_and_all_else_when_it_sounds(server, tiny_bundle):
    with server.plugin(state=text(tiny_bundle, PATCH)) as plugin:
        plugin.ready()
        plugin.set(macro7=0.5)    # bound to nothing
        plugin.set(bypass=1.0)
        assert plugin.shared[Count.TAKEN] == 0
        plugin.set(mix=0.5)    # nothing has been handed over, and nothing need be
        assert plugin.shared[Count.APPLIED] == 3
        for n in range(50):
            plugin.set(mix=n / 50)
        assert plugin.shared[Count.APPLIED] == 53


def test_each_instance_has_an_osc_door_of_its_own(server, tiny_bundle):
    with server.plugin(state=text(tiny_bundle, PATCH)) as one, server.plugin(state=text(tiny_bundle, PATCH)) as two:
        one.ready()
        two.ready()
        with OscClient("127.0.0.1", one.port) as osc:
            osc.send("/audiobend/mix", [0.25])
        until(lambda: one.states and "mix: 0.25" in one.states[-1])
        assert not any("mix: 0.25" in state for state in two.states)


def test_another_profile_is_told_with_its_latency_and_kept(server, tiny_bundle, song):
    with server.plugin(state=text(tiny_bundle, PATCH)) as plugin:
        plugin.ready()
        before = plugin.latency
        with OscClient("127.0.0.1", plugin.port) as osc:
            osc.send("/audiobend/profile", ["studio"])
        until(lambda: plugin.states and parse_project(plugin.states[-1], Project("")).profile == "studio")
        until(lambda: plugin.shared[Count.DELAY] > before and plugin.latency == plugin.shared[Count.DELAY])
        kept, latency = plugin.states[-1], plugin.latency
    with server.plugin(state=kept) as plugin:
        assert plugin.latency == latency


def test_what_the_line_shows_is_told_as_json_too(server):
    with server.plugin() as plugin:
        plugin.ready()
        number = plugin.number

        def shown() -> list[dict]:
            told = server.told[-1].get("instances", ())
            return [one for one in told if one["instance"] == number and one["engine"] == "running"]

        until(shown)
        (one,) = shown()
    assert one["osc_port"] == plugin.port and one["latency"] == plugin.latency and "load" in one
