"""Between two scenes everything audible slides, and the ends are the scenes themselves."""

import pytest
import torch

from audiobend.bending import Cluster, LatentBend, Modulation, Output, Patch, Random, resolve
from audiobend.control import morph
from audiobend.control.scenes import MAX_NAME
from tests.osc.conftest import make_context

A = (
    Patch(name="a", seed=3, output=Output(mix=0.2, gain_db=-6))
    .add(1, "erode", {"radius": 2}, id="fog")
    .add(2, "ablate", id="dust", features=Random(0.5))
    .add(3, "rotate", {"angle": 90}, id="lean", on=False)
)
B = (
    Patch(name="b", seed=4, output=Output(mix=1.0, gain_db=6))
    .add(1, "erode", {"radius": 10}, id="fog", mix=0.5)
    .add(2, "invert", id="dust", features=Cluster((1,)))
    .add(3, "rotate", {"angle": 180}, id="lean")
    .add(3, "noise", {"sigma": 1}, id="rain", mix=0.6)
)


def test_the_ends_are_the_scenes_themselves():
    assert morph(A, B, 0.0) is A
    assert morph(A, B, 1.0) is B


def test_common_parameters_slide_and_whole_numbers_stay_whole():
    at = morph(A, B, 0.25)
    assert at.bend("fog").params["radius"] == 4
    assert at.bend("fog").mix == pytest.approx(0.875)
    assert (at.output.mix, at.output.gain_db) == (pytest.approx(0.4), -3.0)


def test_switches_ramp_through_mix():
    at = morph(A, B, 0.25).bend("lean")
    assert (at.on, at.mix, at.params["angle"]) == (True, 0.25, 112.5)


def test_what_one_scene_lacks_fades():
    assert morph(A, B, 0.5).bend("rain").mix == pytest.approx(0.3)
    assert morph(B, A, 0.9).bend("rain").mix == pytest.approx(0.06)


def test_different_bends_of_one_id_cross_fade():
    at = morph(A, B, 0.25)
    mixes = {(bend.transform, bend.mix) for bend in at.bends if bend.layer == 2}
    assert mixes == {("ablate", 0.75), ("invert", 0.25)}


def test_drawn_features_stay_the_same_on_the_whole_way():
    context = make_context()
    between = [morph(*pair, 0.3, context.layers) for pair in ((A, B), (B, A))]
    drawn = [
        resolve(patch, context.layers, context.clusters).features_of(bend.id)
        for patch in (A, *between)
        for bend in patch.bends
        if bend.transform == "ablate"
    ]
    assert len(drawn) == 3 and drawn[0] == drawn[1] == drawn[2]


@pytest.mark.parametrize("first, second", [(A, B), (B, A)])
def test_a_small_move_is_a_small_change_in_the_activations(first, second):
    """Also next to both ends: nothing jumps when a fader leaves them."""
    context = make_context()
    x = torch.rand(1, 8, 16, 33, generator=torch.Generator().manual_seed(0))
    # Whole numbers step, and noise takes its seed from the nearer scene.
    still = {"fog", "rain"}

    def heard(position):
        patch = morph(first, second, position, context.layers)
        plan = resolve(patch.replace(bends=tuple(b for b in patch.bends if b.id not in still)), context.layers,
                       context.clusters)
        return torch.cat([plan.apply(layer, x) for layer in (1, 2, 3)])

    for position in (0.0, 0.3, 0.5, 0.8, 0.9999):
        assert (heard(position) - heard(position + 0.0001)).abs().max() < 0.01, position


def test_the_latent_code_slides_from_what_does_nothing():
    a = Patch(latent=(LatentBend("offset", {"axis": 1, "amount": 4}), LatentBend("invert", {"axis": 2})))
    at = morph(a, Patch(), 0.25).latent
    assert [(one.op, one.params) for one in at] == [
        ("offset", {"axis": 1, "amount": 3.0}),
        ("scale", {"axis": 2, "factor": -0.5}),
    ]
    both = morph(a, Patch(latent=(LatentBend("offset", {"axis": 1, "amount": 8}),)), 0.5).latent
    assert both[0].params["amount"] == 6.0


def test_oscillators_fade_by_their_depth():
    a = A.replace(modulation=(Modulation("fog/radius", depth=2), Modulation("fog/mix", rate_hz=1, depth=0.5)))
    b = B.replace(modulation=(Modulation("fog/radius", depth=4), Modulation("dust/mix", depth=1)))
    depths = {one.target: one.depth for one in morph(a, b, 0.5).modulation}
    renamed = next(bend.id for bend in morph(a, b, 0.5).bends if bend.transform == "invert")
    assert depths == {"fog/radius": 3.0, "fog/mix": 0.25, f"{renamed}/mix": 0.5}


def test_new_bends_stand_where_they_stand_in_their_own_scene():
    a = Patch().add(1, "ablate", id="x").add(1, "invert", id="z")
    b = Patch().add(1, "ablate", id="x").add(1, "erode", id="y").add(1, "invert", id="z")
    assert [bend.id for bend in morph(a, b, 0.5).bends] == ["x", "y", "z"]
    assert [bend.id for bend in morph(b, a, 0.5).bends] == ["x", "y", "z"]


def test_scenes_of_morphs_of_scenes_keep_short_names():
    a, b = Patch(name="low tide"), Patch(name="storm")
    for _ in range(50):
        a = morph(a, b, 0.4)
        b = morph(a, b, 0.6)
    assert len(a.name) <= 2 * MAX_NAME and len(b.name) <= 2 * MAX_NAME
