"""What moves a parameter can be named, asked for and changed like anything else of a patch."""

import pytest
import torch

from audiobend.bending import Modulation, Patch, resolve
from audiobend.errors import AudiobendError
from audiobend.io.patchfile import dump_patch, parse_patch
from tests.osc.conftest import make_context, make_patch

PATCH = make_patch()


def test_a_movement_is_set_whole_in_part_and_as_text():
    moved = PATCH.set("fog/radius/lfo", ("sine", 0.5, 2.0, 0.25))
    assert moved.modulation == (Modulation("fog/radius", "sine", 0.5, 2.0, 0.25),)
    assert moved.set("fog/radius/lfo", "square").get("fog/radius/lfo") == ("square", 0.5, 2.0, 0.25)
    assert PATCH.set("fog/radius/lfo", "sine 0.5 2 0.25") == moved
    assert moved.set("fog/radius/lfo/rate", 3).get("fog/radius/lfo/rate") == 3.0
    assert parse_patch(dump_patch(moved)) == moved


def test_what_is_off_keeps_its_values_and_moves_nothing():
    off = PATCH.set("fog/radius/lfo", ("sine", 0.5, 2.0)).set("fog/radius/lfo", "off")
    assert off.get("fog/radius/lfo") == ("off", 0.5, 2.0, 0.0)
    context = make_context()
    plan = resolve(off, context.layers, context.clusters)
    assert plan.value("fog/radius", torch.tensor([0.5])) == 2
    assert PATCH.set("fog/radius/lfo", "off") == PATCH


def test_values_may_be_set_before_it_is_switched_on():
    moved = PATCH.set("output/gain_db/lfo/depth", -6).set("output/gain_db/lfo/rate", 2)
    assert moved.get("output/gain_db/lfo") == ("off", 2.0, -6.0, 0.0)


def test_the_names_mean_the_first_movement_and_leave_the_others():
    two = PATCH.replace(modulation=(Modulation("fog/radius"), Modulation("fog/radius", "random")))
    assert [one.lfo for one in two.set("fog/radius/lfo", "square").modulation] == ["square", "random"]


def test_an_axis_that_nobody_touched_can_move():
    moved = PATCH.set("latent/3/offset/lfo", "sine")
    assert moved.get("latent/3/offset") == 0.0
    resolve(moved, make_context().layers, make_context().clusters, axes=4)


@pytest.mark.parametrize(
    ("target", "value", "rule"),
    [
        ("fog/radius/lfo", "sien", "did you mean 'sine'"),
        ("fog/radius/lfo", ("sine", 0.1, 1.0, 0.0, 5), "must be a shape"),
        ("fog/radius/lfo", (), "must be a shape"),
        ("fog/radius/lfo/rate", -1, "rate_hz must be in 0..100"),
        ("fog/radius/lfo/rate", float("nan"), "rate_hz must be in"),
        ("fog/radius/lfo/speed", 1, "lfo has no 'speed'"),
        ("fog/radios/lfo", "sine", "did you mean 'radius'"),
        ("fgo/radius/lfo", "sine", "did you mean 'fog'"),
    ],
)
def test_what_cannot_be_is_one_sentence(target, value, rule):
    with pytest.raises(AudiobendError, match=rule):
        PATCH.set(target, value)


def test_what_follows_the_input_adds_its_level_times_the_depth():
    patch = Patch().add(3, "erode", {"radius": 2}, id="fog").set("fog/radius/lfo", ("follow", 2.0, 10.0))
    context = make_context()
    plan = resolve(patch, context.layers, context.clusters)
    assert plan.follows and not resolve(PATCH, context.layers, context.clusters).follows
    heard = plan.hearing(lambda times, rate: times / rate)
    assert heard.value("fog/radius", torch.tensor([1.0, 2.0])).tolist() == [7.0, 12.0]
    assert heard.steps[3][0].at(torch.tensor([1.0]))[0]["radius"] == (7,)
    assert plan.value("fog/radius", torch.tensor([1.0])).tolist() == [2.0]
