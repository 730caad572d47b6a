"""Undo and redo: a gesture is a step, whatever it is made of; bounded, and pure."""

import pytest

from audiobend.control import (
    LoadScene,
    ModelLoaded,
    Morph,
    Panic,
    Redo,
    SaveScene,
    Set,
    State,
    Undo,
    update,
    update_all,
)
from audiobend.control.history import MAX_STEPS, TOGETHER
from audiobend.errors import ControlError
from tests.osc.conftest import make_context, make_patch

CONTEXT = make_context()


@pytest.fixture
def state():
    return State(make_patch(), model="tiny")


def radius(state):
    return state.patch.bend("fog").params["radius"]


def play(state, *timed):
    for now, command in timed:
        state = update(state, command, CONTEXT, now)
    return state


def test_undo_goes_back_step_by_step_and_redo_comes_again(state):
    after = play(state, (0, Set("fog/radius", 5)), (10, Set("output/mix", 0.5)), (20, Set("fog/radius", 9)))
    back = [after := update(after, Undo(), CONTEXT, 30) for _ in range(3)]
    assert [(radius(one), one.mix) for one in back] == [(5, 0.5), (5, 1.0), (2, 1.0)]
    assert back[-1].patch == state.patch
    again = [after := update(after, Redo(), CONTEXT, 40) for _ in range(3)]
    assert [(radius(one), one.mix) for one in again] == [(5, 1.0), (5, 0.5), (9, 0.5)]


def test_turning_one_thing_in_quick_succession_is_one_step(state):
    steps = [(n * TOGETHER * 0.9, Set("fog/radius", n % 32)) for n in range(3, 20)]
    after = play(state, *steps)
    assert len(after.history.past) == 1
    assert radius(update(after, Undo(), CONTEXT, 99)) == 2
    slow = play(state, (0, Set("fog/radius", 5)), (TOGETHER * 1.1, Set("fog/radius", 6)))
    assert len(slow.history.past) == 2


def test_turning_two_things_in_turn_is_two_steps_and_together_is_one(state):
    assert len(play(state, (0, Set("fog/radius", 5)), (0.1, Set("output/mix", 0.5))).history.past) == 2
    together, _ = update_all(state, [Set("fog/radius", 5), Set("output/mix", 0.5)], CONTEXT, 0.0)
    assert len(together.history.past) == 1
    again, _ = update_all(together, [Set("output/mix", 0.25), Set("fog/radius", 6)], CONTEXT, 0.5)
    assert len(again.history.past) == 1
    assert update(again, Undo(), CONTEXT, 1.0).patch == state.patch


def test_a_gesture_after_undo_forgets_what_could_be_done_again(state):
    back = play(state, (0, Set("fog/radius", 5)), (10, Undo()))
    assert len(back.history.future) == 1
    turned = update(back, Set("fog/radius", 7), CONTEXT, 10.1)
    assert not turned.history.future
    with pytest.raises(ControlError, match="nothing to do again"):
        update(turned, Redo(), CONTEXT)


def test_where_there_is_no_step_a_sentence_says_so(state):
    with pytest.raises(ControlError, match="nothing to undo"):
        update(state, Undo(), CONTEXT)


def test_the_steps_are_bounded(state):
    after = play(state, *((10 * n, Set("output/gain_db", -(n % 50))) for n in range(1, 3 * MAX_STEPS)))
    assert len(after.history.past) == MAX_STEPS


def test_scenes_and_morphs_are_steps_and_come_back_with_their_names(state):
    scenes = {"a": state.patch, "b": state.patch.set("fog/radius", 12)}
    begun = state.replace(scenes=scenes)
    after = play(begun, (0, LoadScene("b")), (0.1, LoadScene("a")), (0.2, Morph("a", "b", 0.5)))
    after = play(after, (0.3, Morph("a", "b", 0.75)), (0.4, Set("morph", 1.0)))
    one = update(after, Undo(), CONTEXT, 9)
    assert (one.morph.position, radius(one)) == (0.75, 10)    # a fader of its own
    two = update(one, Undo(), CONTEXT, 9)
    assert (two.scene, two.morph, radius(two)) == ("a", None, 2)
    assert update(two, Undo(), CONTEXT, 9).scene == "b"


def test_what_is_not_heard_is_no_step(state):
    after = play(state, (0, Panic()), (1, SaveScene("x")), (2, Set("bypass", False)))
    assert not after.history.past


def test_another_model_begins_a_new_history(state):
    after = play(state, (0, Set("fog/radius", 5)), (9, ModelLoaded("tiny")))
    assert not after.history.past and not after.history.future


def test_undo_in_a_bundle_goes_to_before_what_came_with_it(state):
    after, outcomes = update_all(state, [Set("fog/radius", 5), Undo(), Set("output/mix", 0.5)], CONTEXT, 0.0)
    assert outcomes == [None, None, None]
    assert (radius(after), after.mix, len(after.history.past)) == (2, 0.5, 1)
