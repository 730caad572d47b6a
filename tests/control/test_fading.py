"""Scenes that are reached over a time."""

import pytest

from audiobend.control import LoadScene, Morph, Set, State, Undo, update
from audiobend.control.fading import retouched
from audiobend.errors import AudiobendError
from tests.osc.conftest import make_context, make_patch

CONTEXT = make_context()
LOW = make_patch()
HIGH = LOW.set("fog/radius", 12).set("output/gain_db", -12)


@pytest.fixture
def state():
    return State(LOW, scenes={"high": HIGH}, model="tiny")


def test_a_fade_is_data_and_leads_to_the_scene(state):
    after = update(state, LoadScene("high", 4.0), CONTEXT)
    assert (after.patch, after.fade.seconds, after.scene) == (HIGH, 4.0, "high")
    again = update(after, LoadScene("high", 4.0), CONTEXT)
    assert again.fade != after.fade


@pytest.mark.parametrize("command", [LoadScene("high"), Morph("high", "high", 0.5), Undo()])
def test_what_is_there_at_once_ends_a_fade(state, command):
    fading = update(update(state, Set("fog/radius", 3), CONTEXT), LoadScene("high", 4.0), CONTEXT)
    assert update(fading, command, CONTEXT).fade is None


def test_what_is_turned_meanwhile_leaves_the_fade_going(state):
    fading = update(state, LoadScene("high", 4.0), CONTEXT)
    assert update(fading, Set("fog/radius", 3), CONTEXT).fade is fading.fade


@pytest.mark.parametrize("seconds", [-1.0, 601.0, float("nan"), float("inf")])
def test_fades_are_bounded(state, seconds):
    with pytest.raises(AudiobendError, match=r"seconds must be in 0\.\.600 s"):
        update(state, LoadScene("high", seconds), CONTEXT)


def test_what_is_touched_during_a_fade_is_where_it_is_put_at_once():
    turned = HIGH.set("fog/radius", 20).set("output/mix", 0.5).add(2, "ablate", id="new")
    origin = retouched(LOW, HIGH, turned)
    assert origin.bend("fog").params["radius"] == 20
    assert origin.bend("new").on
    assert (origin.output.mix, origin.output.gain_db) == (0.5, 0.0)
    assert retouched(LOW, HIGH, HIGH) is LOW
