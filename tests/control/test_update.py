"""Changes are whole or nothing, checked, counted, and never touch the state they begin from."""

import pytest

from audiobend.bending import Bend, Clusters, LatentBend, Modulation, Patch, WeightBend
from audiobend.control import (
    Context,
    DeleteScene,
    LoadPatch,
    LoadScene,
    ModelFailed,
    ModelLoaded,
    Morph,
    MorphPosition,
    Panic,
    Place,
    RequestModel,
    SaveScene,
    Set,
    State,
    read,
    update,
    update_all,
)
from audiobend.control.fitting import MAX_BENDS
from audiobend.errors import AudiobendError
from audiobend.networks.bendable import LayerSpec
from tests.osc.conftest import make_context, make_patch

HERE = Place(2, 1, "erode")


@pytest.fixture
def context():
    return make_context()


@pytest.fixture
def state():
    return State(make_patch(), model="tiny")


def test_every_change_counts_once_and_leaves_the_old_state_alone(state, context):
    after = update(state, Set("fog/radius", 5), context)
    assert (after.patch.bend("fog").params["radius"], after.revision) == (5, 1)
    assert (state.patch.bend("fog").params["radius"], state.revision) == (2, 0)


@pytest.mark.parametrize("command", [Set("fog/radius", 2), Set("bypass", False), Set("output/mix", 1.0)])
def test_what_changes_nothing_returns_the_very_same_state(state, context, command):
    assert update(state, command, context) is state


@pytest.mark.parametrize(
    "command, rule",
    [
        (Set("fog/radius", 99), "radius must be in 0..32"),
        (Set("fog/radius", float("nan")), "radius must be in 0..32"),
        (Set("fgo/radius", 1), "did you mean 'fog'"),
        (Set("fog/layer", 9), "this model has layers 1..3"),
        (Set("fog/features", "cluster 7"), "clusters 0..1"),
        (Set("latent/9/offset", 1.0), "axis must be in 0..3"),
        (Set("morph", 0.5), "no scenes are being morphed"),
        (LoadScene("x"), "there is no scene 'x'"),
        (DeleteScene("x"), "there is no scene 'x'"),
        (Morph("a", "b", 0.5), "there is no scene 'a'"),
        (SaveScene("../x"), "a scene's name must be"),
        (SaveScene(""), "a scene's name must be"),
        (SaveScene("a" * 65), "a scene's name must be"),
        (RequestModel("othr"), "did you mean 'other'"),
        (LoadPatch(Patch(bends=(Bend("x", 9, "erode"),))), "layer 9"),
        (Set("layer9.all.erode/on", True, Place(9, None, "erode")), "layer 9"),
    ],
)
def test_what_cannot_be_is_one_sentence(state, context, command, rule):
    with pytest.raises(AudiobendError, match=rule):
        update(state, command, context)


def test_a_failing_command_does_not_stop_the_others(state, context):
    commands = [Set("fog/radius", 5), Set("fog/radius", 99), Set("output/mix", 0.5)]
    after, outcomes = update_all(state, commands, context)
    assert [one is None for one in outcomes] == [True, False, True]
    assert (after.patch.bend("fog").params["radius"], after.mix, after.revision) == (5, 0.5, 2)


def test_a_place_has_a_bend_from_its_first_touch_on(state, context):
    after = update(state, Set(f"{HERE.id}/radius", 4, HERE), context)
    bend = after.patch.bend("layer2.cluster1.erode")
    assert after.patch.bends[-1] is bend
    assert (bend.layer, bend.transform, bend.params["radius"], bend.on, bend.mix) == (2, "erode", 4, False, 1.0)
    assert update(after, Set(f"{HERE.id}/on", True, HERE), context).patch.bend(bend.id).on


def test_a_place_that_was_never_touched_reads_as_off_with_defaults(state):
    assert read(state, f"{HERE.id}/on", HERE) is False
    assert read(state, f"{HERE.id}/radius", HERE) == 1
    assert read(state, f"{HERE.id}/mix", HERE) == 1.0


def test_switching_off_what_was_never_touched_makes_nothing(state, context):
    assert update(state, Set(f"{HERE.id}/on", False, HERE), context) is state


def test_a_place_whose_bend_was_moved_is_refused(state, context):
    made = update(state, Set(f"{HERE.id}/on", True, HERE), context)
    moved = update(made, Set(f"{HERE.id}/layer", 3), context)
    with pytest.raises(AudiobendError, match="works elsewhere"):
        update(moved, Set(f"{HERE.id}/on", False, HERE), context)


def test_the_number_of_bends_is_bounded(context):
    many = tuple(Bend(f"b{n}", 1, "ablate") for n in range(MAX_BENDS))
    with pytest.raises(AudiobendError, match=f"there are {MAX_BENDS} bends"):
        update(State(Patch(bends=many)), Set(f"{HERE.id}/on", True, HERE), context)


def test_panic_is_dry_and_keeps_every_bend(state, context):
    after = update(state, Panic(), context)
    assert (after.bypass, after.panics, after.patch) == (True, 1, state.patch)


def test_a_scene_comes_back_as_it_was_saved(state, context):
    saved = update(state, SaveScene("low"), context)
    changed = update(saved, Set("fog/radius", 9), context)
    back = update(changed, LoadScene("low"), context)
    assert (back.patch, back.scene) == (state.patch, "low")
    assert "low" not in update(back, DeleteScene("low"), context).scenes


def test_a_morph_remembers_its_scenes_so_that_one_fader_can_move_it(state, context):
    scenes = {"a": state.patch, "b": state.patch.set("fog/radius", 12)}
    at = update(state.replace(scenes=scenes), Morph("a", "b", 0.5), context)
    assert at.patch.bend("fog").params["radius"] == 7
    moved = update(at, Set("morph", 1), context)
    assert (moved.patch, moved.morph) == (scenes["b"], MorphPosition("a", "b", 1.0))
    assert update(moved, DeleteScene("b"), context).morph is None


def test_another_model_keeps_what_fits_it():
    patch = (
        make_patch()
        .add(2, "ablate", id="second")
        .replace(
            latent=(LatentBend("offset", {"axis": 1, "amount": 2}), LatentBend("offset", {"axis": 3, "amount": 2})),
            modulation=(Modulation("fog/radius"), Modulation("second/mix"), Modulation("latent/3/offset")),
            weights=(WeightBend(1, "scale"), WeightBend(3, "scale")),
        )
    )
    layers = tuple(LayerSpec(n, "", 8, 16, 33) for n in (1, 2))
    small = Context(layers, Clusters.from_labels({}), 2, "other")
    state = State(patch, model="tiny", wanted_model="other")
    after = update(state, ModelLoaded("other"), small)
    assert [bend.id for bend in after.patch.bends] == ["lean", "second"]
    assert [one.params["axis"] for one in after.patch.latent] == [1]
    assert [one.target for one in after.patch.modulation] == ["second/mix"]
    assert [one.layer for one in after.patch.weights] == [1]
    assert (after.model, after.wanted_model) == ("other", "")


def test_a_model_that_fails_leaves_the_sounding_one(state, context):
    wanted = update(state, RequestModel("other"), context)
    assert (wanted.model, wanted.wanted_model) == ("tiny", "other")
    failed = update(wanted, ModelFailed("other", "the disk is full"), context)
    assert (failed.model, failed.wanted_model, failed.model_error) == ("tiny", "", "the disk is full")
    assert update(failed, ModelFailed("third", "late news"), context) is failed
