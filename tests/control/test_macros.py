"""Macros in a performance: bound, turned, taken back; and whatever is asked for, the state stays sound."""

import random
from dataclasses import replace

import pytest

from audiobend.bending import Binding, Clusters
from audiobend.control import (
    AddBend,
    BindMacro,
    Context,
    LoadScene,
    ModelLoaded,
    Morph,
    Place,
    Redo,
    RemoveBend,
    SaveScene,
    Set,
    State,
    UnbindMacro,
    Undo,
    read,
    update,
    update_all,
)
from audiobend.control.fitting import check_fits
from audiobend.control.history import TOGETHER
from audiobend.control.macros import MAX_BINDINGS
from audiobend.errors import AudiobendError
from audiobend.networks.bendable import LayerSpec
from tests.osc.conftest import make_context, make_patch

CONTEXT = make_context()
HERE = Place(2, 1, "erode")


@pytest.fixture
def state():
    return State(make_patch(), model="tiny")


def play(state, *commands, seconds=10.0):
    for n, command in enumerate(commands):
        state = update(state, command, CONTEXT, n * seconds)
    return state


def radius(state):
    return state.patch.bend("fog").params["radius"]


def test_binding_moves_nothing_and_the_first_turn_takes_over(state):
    bound = play(state, BindMacro(3, "fog/radius", 0, 8))
    assert (radius(bound), bound.macros) == (2, (0.0,) * 16)
    assert radius(play(bound, Set("macro/3", 0.5))) == 4
    assert radius(play(bound, Set("macro/3", 0))) == 0


def test_an_unbound_macro_is_only_remembered(state):
    after = play(state, Set("macro/16", 0.25))
    assert after.patch is state.patch and read(after, "macro/16") == 0.25
    assert not after.history.past


def test_a_macro_does_what_its_targets_own_sliders_do(state):
    bound = play(state, BindMacro(1, "fog/radius", 0, 8), BindMacro(1, "mix", 1, 0))
    assert play(bound, Set("macro/1", 0.5)).patch == play(bound, Set("fog/radius", 4), Set("output/mix", 0.5)).patch


def test_a_target_that_is_bound_again_gets_the_new_range(state):
    after = play(state, BindMacro(1, "fog/radius", 0, 8), BindMacro(1, "fog/radius", 9, 3))
    assert after.patch.macros == (Binding(1, "fog/radius", 9, 3),)
    assert update(after, BindMacro(1, "fog/radius", 9, 3), CONTEXT) is after


def test_a_place_that_was_never_touched_gets_its_bend_switched_off(state):
    after = play(state, BindMacro(1, f"{HERE.id}/radius", place=HERE), Set("macro/1", 1))
    assert (after.patch.bend(HERE.id).params["radius"], after.patch.bend(HERE.id).on) == (32, False)


def test_turning_a_macro_is_one_step_back_with_its_value(state):
    bound = play(state, BindMacro(1, "fog/radius", 0, 8), BindMacro(1, "mix"), Set("macro/1", 0.25))
    moved = bound
    for n in range(10):
        moved = update(moved, Set("macro/1", 0.3 + n / 20), CONTEXT, 100 + n * TOGETHER / 2)
    assert len(moved.history.past) == len(bound.history.past) + 1
    back = update(moved, Undo(), CONTEXT, 200)
    assert (back.patch, back.macros) == (bound.patch, bound.macros)
    again = update(back, Redo(), CONTEXT, 210)
    assert (again.patch, again.macros) == (moved.patch, moved.macros)


def test_a_binding_is_a_step_of_its_own_and_a_step_leaves_unbound_macros_where_they_are(state):
    after = play(state, BindMacro(1, "mix"), Set("macro/9", 0.7), UnbindMacro(1))
    assert not after.patch.macros
    back = update(after, Undo(), CONTEXT, 99)
    assert back.patch.macros == (Binding(1, "output/mix"),) and back.macros[8] == 0.7
    assert update(back, Undo(), CONTEXT, 99).patch == state.patch


@pytest.mark.parametrize("target", ["mix", "output/mix"])
def test_one_target_or_all_are_taken_off(state, target):
    bound = play(state, BindMacro(1, "mix"), BindMacro(1, "detail"), BindMacro(2, "mix"))
    one = play(bound, UnbindMacro(1, target))
    assert [(one.number, one.target) for one in one.patch.macros] == [(1, "output/detail"), (2, "output/mix")]
    assert [one.number for one in play(bound, UnbindMacro(1)).patch.macros] == [2]
    assert update(bound, UnbindMacro(5), CONTEXT) is bound


def test_a_bend_may_be_moved_while_macros_are_bound_to_others(state):
    bound = play(state, BindMacro(1, "fog/radius"), BindMacro(1, "lean/angle"))
    moved = play(bound, Set("fog/layer", 2), Set("fog/features", "cluster 1"))
    assert moved.patch.bend("fog").layer == 2 and moved.patch.macros == bound.patch.macros


def test_a_bend_that_goes_takes_its_bindings_and_undo_brings_both_back(state):
    bound = play(state, BindMacro(1, "fog/radius"), BindMacro(1, "mix"))
    gone = update(bound, RemoveBend("fog"), CONTEXT, 50)
    assert [one.target for one in gone.patch.macros] == ["output/mix"]
    assert update(gone, Undo(), CONTEXT, 60).patch == bound.patch


def test_another_model_keeps_the_bindings_that_fit_it(state):
    bound = play(state, *(BindMacro(n, one) for n, one in enumerate(
        ["fog/radius", "lean/angle", "mix", "latent/1/offset", "latent/3/offset"], 1)))
    small = Context((LayerSpec(1, "", 8, 16, 33),), Clusters.from_labels({}), 2, "other")
    after = update(bound, ModelLoaded("other"), small)
    assert [one.target for one in after.patch.macros] == ["lean/angle", "output/mix", "latent/1/offset"]


def test_scenes_bring_their_own_bindings_and_between_two_both_are_there(state):
    after = play(state, BindMacro(1, "fog/radius", 0, 8), SaveScene("a"), UnbindMacro(1),
                 BindMacro(1, "fog/radius", 8, 16), BindMacro(2, "mix"), SaveScene("b"), LoadScene("a"))
    assert after.patch.macros == (Binding(1, "fog/radius", 0, 8),)
    near, far = (play(after, Morph("a", "b", at)).patch.macros for at in (0.25, 0.75))
    assert near == (Binding(1, "fog/radius", 0, 8), Binding(2, "output/mix"))
    assert far == (Binding(1, "fog/radius", 8, 16), Binding(2, "output/mix"))


def test_between_scenes_a_binding_follows_its_bend_to_the_name_it_has_there(state):
    other = replace(state.patch.bend("fog"), transform="dilate")
    second = state.patch.with_bend(other).replace(macros=(Binding(1, "fog/radius", 3, 5),))
    both = state.replace(scenes={"a": state.patch, "b": second})
    between = play(both, Morph("a", "b", 0.5), Set("macro/1", 1))
    (binding,) = between.patch.macros
    owner = binding.target.partition("/")[0]
    assert owner != "fog" and between.patch.bend(owner).transform == "dilate"
    assert between.patch.get(binding.target) == 5 and radius(between) == 2


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (BindMacro(17, "mix"), "one of 1..16, got 17; the nearest is 16"),
        (BindMacro(1, "fog/radios"), "did you mean 'radius'"),
        (BindMacro(1, "fgo/radius"), "did you mean 'fog'"),
        (BindMacro(1, "fog/radius", 0, 99), "radius must be in 0..32"),
        (BindMacro(1, "fog/radius", 3), "a range has two ends"),
        (BindMacro(1, "latent/9/offset"), "axis must be in 0..3"),
        (BindMacro(1, "macro/2"), "there is no bend 'macro'"),
        (BindMacro(1, "seed"), "there is no target 'seed'"),
        (BindMacro(1, "x/radius", place=Place(9, None, "erode")), "layer 9"),
        (UnbindMacro(0), "one of 1..16, got 0; the nearest is 1"),
        (UnbindMacro(1, "mxi"), "macro 1 is not bound to 'mxi'"),
        (Set("macro/0", 0.5), "one of 1..16, got 0; the nearest is 1"),
        (Set("macro/1", 1.5), "must be in 0..1, got 1.5"),
        (Set("macro/1", float("nan")), "must be in 0..1"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(state, command, rule):
    after, (error,) = update_all(state, [command], CONTEXT)
    assert rule in str(error) and after is state


def test_the_number_of_bindings_is_bounded(state):
    axes = replace(CONTEXT, n_axes=4 * MAX_BINDINGS)
    many = [BindMacro(1 + n % 16, f"latent/{n}/offset") for n in range(MAX_BINDINGS + 1)]
    after, outcomes = update_all(state, many, axes)
    assert len(after.patch.macros) == MAX_BINDINGS
    assert [one is None for one in outcomes] == [True] * MAX_BINDINGS + [False]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_asked_for_the_state_stays_sound(state, seed):
    """Every binding means a number of the patch, and every value of a macro is a share, after any commands."""
    draw = random.Random(seed)
    targets = ["fog/radius", "fog/mix", "lean/angle", "mix", "output/gain_db", "latent/2/offset", "latent/8/offset",
               "3-erode/radius", "fog/radius/lfo/rate", "fog/on", "nix", "fog/nix", f"{HERE.id}/radius"]

    def command():
        number, target = draw.randint(0, 17), draw.choice(targets)
        end = [draw.choice([None, 0, 1, 2.5, 30, -4]) for _ in range(2)]
        place = HERE if target.startswith(HERE.id) and draw.random() < 0.5 else None
        return draw.choice([
            BindMacro(number, target, *end, place=place), BindMacro(number, target), UnbindMacro(number, target),
            UnbindMacro(number), *[Set(f"macro/{number}", draw.choice([0, 1, draw.random(), 2]))] * 4, Undo(), Redo(),
            Set("fog/features", "cluster 1"), Set("fog/layer", draw.choice([1, 2, 9])), Set("order", "lean"),
            RemoveBend(draw.choice(["fog", "3-erode", HERE.id])), AddBend(3, "erode"), Set(target, 1),
            SaveScene(draw.choice("ab")), LoadScene(draw.choice("ab")), Morph("a", "b", draw.random()),
            ModelLoaded("tiny"),
        ])

    now, carried_out = 0.0, 0
    for _ in range(400):
        now += draw.choice([0.1, 5.0])
        before = state
        try:
            state = update(state, command(), CONTEXT, now)
            carried_out += 1
        except AudiobendError as error:
            assert str(error) and state is before
        check_fits(state.patch, CONTEXT)
        assert len(state.macros) == 16 and all(0 <= one <= 1 for one in state.macros)
    assert carried_out > 100
