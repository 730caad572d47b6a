"""A take rendered at studio quality: each change where the performer heard it, and nothing else."""

import numpy as np
import pytest
import torch

from audiobend.bending import Patch
from audiobend.course import timeline
from audiobend.engine import Settings
from audiobend.errors import TakeError
from audiobend.io.takefile import Began, Gesture, SceneIs, Take, TakeHead
from audiobend.rendering import bend
from audiobend.spectral.live_settings import LiveSettings

RATE = 44100
FAST = Settings(quality="fast", phase="input")
FOG = Patch(seed=3).add(5, "scalar-multiply", {"factor": 0.3}, id="fog", on=False)


def take_of(*lines, patch=FOG, began=0):
    head = TakeHead("tiny", "0" * 16, patch, LiveSettings(n_channels=1), RATE, 1)
    return Take(head, (Began(began), *lines))


def at(sample, address, *args, n=[0]):    # noqa: B006
    n[0] += 1
    return Gesture(sample, sample / RATE, f"/audiobend/{address}", args, number=n[0])


@pytest.fixture(scope="module")
def sound(music):
    return music[:1, : 5 * RATE // 2]


def rendered(model, plan, sound):
    blocks = list(sound.split(RATE, dim=-1))
    out = torch.cat(list(bend(lambda: blocks, RATE, 1, model, plan, FAST)), dim=-1)
    return out[:, : sound.shape[-1]].numpy()


def test_a_take_without_gestures_is_its_patch(tiny_model, sound):
    plain = rendered(tiny_model, tiny_model.resolve(FOG), sound)
    np.testing.assert_allclose(rendered(tiny_model, timeline(take_of(), tiny_model), sound), plain, atol=1e-6)


def test_before_a_change_the_first_patch_is_heard_and_after_it_the_second(tiny_model, sound):
    change = RATE
    switched = rendered(tiny_model, timeline(take_of(at(change, "bend/fog/on", 1)), tiny_model), sound)
    off, on = (rendered(tiny_model, tiny_model.resolve(FOG.set("fog/on", value)), sound) for value in (False, True))
    latency = LiveSettings().latency
    assert np.abs(off - on).max() > 0.01
    np.testing.assert_allclose(switched[:, : change - latency - 1024], off[:, : change - latency - 1024], atol=1e-5)
    after = change - latency + 3 * LiveSettings().stride * 256 + 2048
    np.testing.assert_allclose(switched[:, after:], on[:, after:], atol=0.02 * np.abs(on).max())


def test_gain_and_bypass_turn_where_they_did_live(tiny_model, sound):
    latency = LiveSettings().latency
    quiet = rendered(tiny_model, timeline(take_of(at(RATE, "gain", -60.0)), tiny_model), sound)
    plain = rendered(tiny_model, tiny_model.resolve(FOG), sound)
    first = RATE - latency
    np.testing.assert_allclose(quiet[:, : first - 256], plain[:, : first - 256], atol=1e-6)
    assert np.abs(quiet[:, first + 2048 :]).max() < 0.002 * np.abs(plain).max()
    bypassed = rendered(tiny_model, timeline(take_of(at(RATE, "bypass", 1)), tiny_model), sound * 0.5)
    np.testing.assert_allclose(bypassed[:, first + 2048 :], 0.5 * sound[:, first + 2048 :].numpy(), atol=1e-4)


def test_a_fade_goes_from_what_was_heard_to_the_scene(tiny_model, sound):
    goal = FOG.set("output/gain_db", -60.0)
    lines = (SceneIs("quiet", goal), at(RATE // 2, "scene/load", "quiet", 1.0))
    course = timeline(take_of(*lines), tiny_model)
    latency, stride = LiveSettings().latency, LiveSettings().stride * 256
    gain = course.curve("gain_db", 0, sound.shape[-1]).numpy()
    first = RATE // 2 - latency
    assert np.all(gain[: first - 256] == 0) and np.all(gain[first + RATE + stride + 2048 :] == -60)
    assert abs(gain[first + RATE // 2 + stride // 2 + 512] + 30) < 60 * 1.5 * stride / RATE
    assert np.all(np.diff(gain) <= 1e-6)


def test_a_macro_is_what_it_moves(tiny_model):
    bound = (at(0, "macro/2/bind", "fog/factor", 1.0, 4.0), at(0, "macro/2/bind", "mix", 1.0, 0.0))
    turned = timeline(take_of(*bound, at(RATE, "macro/2", 0.5)), tiny_model)
    plain = timeline(take_of(at(RATE, "bend/fog/factor", 2.5), at(RATE, "mix", 0.5)), tiny_model)
    assert turned.columns == plain.columns
    assert [one.patch.replace(macros=()) for one in turned.plans] == [one.patch for one in plain.plans]
    assert all(np.array_equal(curve, turned.curves[name]) for name, curve in plain.curves.items())


def test_movements_go_on_in_the_time_of_the_engine(tiny_model):
    patch = FOG.set("output/mix/lfo", ("sine", 0.5, 0.4, 0.0)).set("output/mix", 0.5)
    course = timeline(take_of(patch=patch, began=-RATE // 2), tiny_model)
    mix = course.curve("mix", 0, RATE).numpy()
    seconds = np.arange(RATE) / RATE + 0.5
    np.testing.assert_allclose(mix, 0.5 + 0.4 * np.sin(np.pi * seconds), atol=1e-3)


def test_what_does_not_fit_is_one_sentence(tiny_model):
    with pytest.raises(TakeError, match=r"sample 5: /audiobend/bend/fgo/on: .*did you mean"):
        timeline(take_of(at(5, "bend/fgo/on", 1)), tiny_model)
    with pytest.raises(TakeError, match="plays the model other as well; render it with --quality live"):
        timeline(take_of(at(5, "model/load", "other")), tiny_model)
