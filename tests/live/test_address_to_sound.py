"""From a packet that arrives to the first sample that is another one, counted in samples: no clock is asked."""

import numpy as np
import pytest

from audiobend.bending import Patch
from audiobend.live_engine import LiveSettings
from tests.live.performed import ORIGIN, Performed

PATCH = Patch(seed=1).add(4, "scalar-multiply", {"factor": 2.0}, id="loud")
GESTURES = [
    ("/audiobend/bend/loud/factor", 0.2),
    ("/audiobend/bend/loud/on", 0),
    ("/audiobend/layer/2/all/negate", 1),
    ("/audiobend/mix", 0.2),
    ("/audiobend/detail", 0.8),
    ("/audiobend/gain", -12.0),
    ("/audiobend/latent/0/offset", 3.0),
    ("/audiobend/gain/lfo", "square", 5.0, -20.0),
    ("/audiobend/scene/load", "other"),
    ("/audiobend/scene/load", "other", 0.5),
]


@pytest.fixture(scope="module")
def sound(music):
    return music[:1, : 2 * 44100].T.numpy().copy()


def heard_after(model, sound, folder, settings, lead, messages, seconds=0.4):
    """What comes out from the moment on at which messages arrive; ``lead`` samples after the beginning."""
    scenes = {"other": PATCH.set("loud/factor", 0.1)}
    performed = Performed(model, sound, folder, settings, PATCH, scenes=scenes)
    performed.play(lead)
    for message in messages:
        answers = performed.say(*message)
        assert not any(one.address == "/audiobend/fail" for one in answers), answers
    heard = performed.play(round(seconds * 44100))
    performed.keeper.close()
    performed.shared.close()
    return heard


@pytest.mark.parametrize(
    ("lead", "messages"),
    [
        (ORIGIN + 10_001, GESTURES[:1]),
        pytest.param(ORIGIN + 20_000, GESTURES, marks=pytest.mark.slow),
        pytest.param(ORIGIN + 21_333, GESTURES, marks=pytest.mark.slow),
    ],
)
def test_a_change_is_heard_within_a_stride_and_the_engines_latency(tiny_bundle, sound, tmp_path, lead, messages):
    settings = LiveSettings.profile("low")
    bound = settings.stride * 256 + settings.latency
    unchanged = heard_after(tiny_bundle, sound, tmp_path, settings, lead, [])
    for message in messages:
        changed = heard_after(tiny_bundle, sound, tmp_path, settings, lead, [message], seconds=0.25)
        differs = np.flatnonzero(np.any(changed != unchanged[: len(changed)], axis=1))
        assert len(differs), message
        assert differs[0] <= bound, (message, differs[0], bound)


@pytest.mark.parametrize("name", ["low", "balanced", "studio"])
def test_panic_is_the_dry_sound_bit_for_bit_within_one_stride(tiny_bundle, sound, tmp_path, name):
    settings = LiveSettings.profile(name)
    stride = settings.stride * 256
    for lead in (ORIGIN + 20_001, ORIGIN + 20_001 + 255, ORIGIN + 20_480):
        heard = heard_after(tiny_bundle, sound, tmp_path, settings, lead, [["/audiobend/panic"]], seconds=0.25)
        first = lead - ORIGIN - settings.latency
        dry = sound[first : first + len(heard)]
        np.testing.assert_array_equal(heard[stride:], dry[stride:])
