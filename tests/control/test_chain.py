"""The chain as a whole: order, solo, one more and one less; and the pad between four scenes."""

import itertools

import pytest

from audiobend.control import (
    AddBend,
    LoadScene,
    MorphFour,
    RemoveBend,
    RenameScene,
    SaveScene,
    Set,
    State,
    Undo,
    read,
    update,
)
from audiobend.errors import AudiobendError
from tests.osc.conftest import make_context, make_patch


@pytest.fixture
def state():
    return State(make_patch())


CLOCK = itertools.count(0, 10)


def play(state, *commands):
    for command in commands:
        state = update(state, command, make_context(), now=float(next(CLOCK)))
    return state


def ids(state):
    return [bend.id for bend in state.patch.bends]


def test_bends_act_in_the_order_that_is_set_and_undo_brings_the_old_one_back(state):
    turned = play(state, Set("order", "lean fog"))
    assert ids(turned) == ["lean", "fog"] and read(turned, "order") == "lean fog"
    assert ids(play(state, Set("order", "lean"))) == ["lean", "fog"]
    assert ids(play(state, Set("order", "lean fog"), Undo())) == ["fog", "lean"]


def test_a_bend_is_added_at_the_end_switched_off_and_removed_with_its_movement(state):
    more = play(state, AddBend("3", "erode", "random 0.25"), Set("3-erode/radius/lfo", ("sine", 1.0)))
    assert ids(more) == ["fog", "lean", "3-erode"]
    assert not more.patch.bend("3-erode").on and more.patch.modulation
    less = play(more, RemoveBend("3-erode"))
    assert ids(less) == ["fog", "lean"] and not less.patch.modulation


def test_solo_is_heard_and_leaves_the_patch_as_it_is(state):
    alone = play(state, Set("lean/on", True), Set("solo", "lean"))
    assert [bend.on for bend in alone.patch.bends] == [True, True]
    assert [bend.on for bend in alone.heard.bends] == [False, True]
    assert play(alone, Set("solo", "")).heard == alone.patch
    assert play(alone, RemoveBend("lean")).heard.bend("fog").on    # who plays alone has gone


@pytest.mark.parametrize(("x", "y", "radius"), [(0, 0, 1), (1, 0, 3), (0, 1, 5), (1, 1, 7), (0.5, 0, 2), (0.5, 0.5, 4)])
def test_the_pad_has_a_scene_in_each_corner_and_slides_between(state, x, y, radius):
    for name, value in zip("abcd", (1, 3, 5, 7), strict=True):
        state = play(state, Set("fog/radius", value), SaveScene(name))
    between = play(state, MorphFour(*"abcd", x, y))
    assert between.patch.bend("fog").params["radius"] == radius
    assert (read(between, "pad/x"), read(between, "pad/y")) == (x, y)
    moved = play(between, Set("pad/x", 0), Set("pad/y", 1))
    assert moved.patch == state.scenes["c"]
    assert play(between, Set("fog/mix", 0.1), LoadScene("d"), Undo()).pad == between.pad


def test_a_scene_takes_another_name_in_its_place_but_nobody_elses(state):
    state = play(state, SaveScene("a"), SaveScene("b"))
    named = play(state, RenameScene("a", "low tide"))
    assert list(named.scenes) == ["low tide", "b"] and named.scenes["low tide"] is state.scenes["a"]
    with pytest.raises(AudiobendError, match="there is a scene 'b' already"):
        play(state, RenameScene("a", "b"))


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (Set("order", "fog leen"), "order: there is no bend 'leen'; did you mean 'lean'"),
        (Set("solo", "nobody"), "solo: there is no bend 'nobody'"),
        (AddBend("9", "erode"), "9"),
        (AddBend("3", "erodd"), "did you mean 'erode'"),
        (RemoveBend("frog"), "did you mean 'fog'"),
        (Set("pad/x", 0.5), "no four scenes"),
        (MorphFour("a", "b", "c", "d", 0, 0), "there is no scene 'a'"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_changes_nothing(state, command, sentence):
    with pytest.raises(AudiobendError, match=sentence):
        play(state, command)
