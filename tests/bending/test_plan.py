"""A plan does what its patch says, to the layers and features it says, and to nothing else."""

import math
import time
import warnings
from dataclasses import dataclass, replace

import pytest
import torch

from audiobend.bending import (
    All,
    Cluster,
    Clusters,
    Indices,
    LatentBend,
    Modulation,
    Patch,
    Random,
    Range,
    apply_transform,
    resolve,
)
from audiobend.bending.resolution import spans
from audiobend.errors import PatchError


@dataclass(frozen=True)
class Place:
    name: int | str
    n_features: int = 16
    height: int = 8
    width: int = 33
    axes: tuple[str, str] = ("time", "frequency")


LAYERS = [*(Place(k) for k in range(1, 6)), *(Place(f"e{k}") for k in range(1, 6)), Place("z", 512, 1, 1)]
PICTURE = [Place(k) for k in range(17)]
CLUSTERS = Clusters.from_labels({3: [0, 1] * 8, 4: [0, 2] * 8, 5: [0, 1] * 4}, names={3: {1: "low band"}})


@pytest.fixture
def x():
    return torch.randn(4, 16, 8, 33, generator=torch.Generator().manual_seed(0))


def test_bends_act_in_order_on_their_own_features(x):
    patch = (
        Patch(seed=3)
        .add(3, "rotate", {"angle": 90}, features=Cluster((1,)))
        .add(2, "ablate")
        .add(3, "scalar-multiply", {"factor": -2.0}, features=Range(0, 4), mix=0.5)
    )
    before = x.clone()
    out = resolve(patch, LAYERS, CLUSTERS).apply(3, x)
    expected = apply_transform("rotate", x, [90], features=list(range(1, 16, 2)))
    expected = apply_transform("scalar-multiply", expected, [-2.0], features=[0, 1, 2, 3], mix=0.5)
    assert torch.equal(out, expected)
    assert torch.equal(x, before)


def test_the_order_counts(x):
    forth = Patch().add(1, "invert", id="a").add(1, "scalar-multiply", {"factor": 2}, id="b")
    back = forth.replace(bends=forth.bends[::-1])
    assert torch.equal(resolve(forth, LAYERS).apply(1, x), (1 - x) * 2)
    assert torch.equal(resolve(back, LAYERS).apply(1, x), 1 - x * 2)


@pytest.mark.parametrize("transform", ["invert", "ablate", "flip-h", "erode", "shuffle", "noise"])
@pytest.mark.parametrize("features", [All(), Range(0, 4), Indices((1, 3, 8))])
def test_no_chain_writes_into_its_input(x, transform, features):
    patch = Patch().add(1, transform, features=features).add(1, transform, features=features, mix=0.5)
    before = x.clone()
    resolve(patch, LAYERS).apply(1, x)
    assert torch.equal(x, before)


def test_layers_without_active_bends_give_back_the_same_tensor(x):
    patch = (
        Patch()
        .add(1, "ablate", on=False)
        .add(2, "ablate", mix=0.0)
        .add(3, "ablate", features=Random(0.0))
        .add(4, "ablate")
    )
    plan = resolve(patch, LAYERS)
    assert plan.layers == {4} and not plan.is_empty
    assert all(plan.apply(layer, x) is x for layer in (1, 2, 3, 5))
    assert resolve(Patch(), LAYERS).is_empty
    assert resolve(patch.without("4-ablate"), LAYERS).is_empty


def test_the_code_is_bent_like_any_layer():
    z = torch.randn(2, 512, 1, 1)
    out = resolve(Patch().add("z", "invert", features=Indices((7,))), LAYERS).apply("z", z)
    assert torch.equal(out[:, 7], 1 - z[:, 7]) and torch.equal(out[:, :7], z[:, :7])


def test_drawn_patches_sound_the_same_without_drawing(x):
    patch = (
        Patch(seed=11).add(1, "ablate", features=Random(0.3)).add(1, "shuffle", features=Random(0.5, seed=4))
    )
    plan = resolve(patch, LAYERS)
    drawn = plan.drawn()
    assert [type(bend.features) for bend in drawn.bends] == [Indices, Indices]
    assert [len(bend.features.indices) for bend in drawn.bends] == [4, 8]
    assert torch.equal(resolve(drawn, LAYERS).apply(1, x), plan.apply(1, x))
    assert plan.features_of("1-ablate") == drawn.bends[0].features.indices


def test_draws_depend_on_seed_layer_and_id_alone():
    def features(patch):
        return resolve(patch, LAYERS).features_of("a")

    patch = Patch(seed=1).add(1, "ablate", features=Random(0.5), id="a")
    same = Patch(seed=1).add(2, "ablate").add(1, "invert", features=Random(0.5), id="a", mix=0.5)
    others = [
        patch.replace(seed=2),
        patch.set("a/layer", 2),
        patch.replace(bends=(replace(patch.bends[0], features=Random(0.5, seed=5)),)),
    ]
    assert features(patch) == features(same)
    other_id = resolve(Patch(seed=1).add(1, "ablate", features=Random(0.5), id="b"), LAYERS).features_of("b")
    assert len({other_id, *(features(one) for one in [patch, *others])}) == 5


def test_with_norm_normalises_all_features_of_the_layer(x):
    patch = Patch().add(1, "scalar-multiply", {"factor": 5}, features=Indices((0,)), with_norm=True)
    out = resolve(patch, LAYERS).apply(1, x)
    assert torch.allclose(out.mean((-2, -1)), torch.zeros(4, 16), atol=1e-6)
    assert torch.allclose(out.var((-2, -1), correction=0), torch.ones(4, 16), atol=1e-4)


def test_profiles_of_a_bend_go_before_the_patchs(x):
    patch = Patch(profile="zheng2022").add(1, "invert", id="a").add(2, "invert", id="b", profile="default")
    plan = resolve(patch, LAYERS)
    assert torch.equal(plan.apply(1, x), -x) and torch.equal(plan.apply(2, x), 1 - x)


# Movement


def test_a_moving_parameter_follows_its_oscillator(x):
    patch = Patch().add(1, "scalar-multiply", {"factor": 1.0}, id="a")
    patch = patch.replace(modulation=(Modulation("a/factor", "sine", rate_hz=0.25, depth=2.0),))
    times = torch.tensor([0.0, 1.0, 2.0, 3.0])
    out = resolve(patch, LAYERS).apply(1, x, times=times)
    factors = torch.tensor([1.0, 3.0, 1.0, -1.0])[:, None, None, None]
    assert torch.allclose(out, x * factors, atol=1e-5)
    assert torch.equal(resolve(patch, LAYERS).apply(1, x), x)  # without times: the base, which is 1


@pytest.mark.parametrize("lfo", ["sine", "triangle", "square", "random"])
def test_oscillators_stay_within_their_depth_and_use_it(lfo):
    times = torch.linspace(0, 100, 20001)
    wave = Modulation("a/x", lfo, rate_hz=3.3, depth=0.5).at(times, seed=5)
    assert wave.shape == times.shape and wave.dtype == torch.float64
    assert -0.5 <= wave.min() < -0.47 and 0.47 < wave.max() <= 0.5
    assert abs(wave.mean()) < 0.06


@pytest.mark.parametrize(
    ("lfo", "expected"), [("sine", [0, 1, 0, -1]), ("triangle", [0, 1, 0, -1]), ("square", [1, 1, -1, -1])]
)
def test_oscillators_start_where_they_should(lfo, expected):
    wave = Modulation("a/x", lfo, rate_hz=1, depth=1).at(torch.tensor([0.0, 0.25, 0.5, 0.75]))
    assert torch.allclose(wave, torch.tensor(expected, dtype=torch.float64), atol=1e-12)
    later = Modulation("a/x", lfo, rate_hz=1, depth=1, phase=0.25).at(torch.tensor([0.0]))
    assert later.item() == pytest.approx(expected[1])


def test_random_movement_depends_on_seed_and_time_alone():
    one = Modulation("a/x", "random", rate_hz=2)
    times = torch.tensor([0.1, 0.4, 0.6, 100.1])
    whole = one.at(times, seed=1)
    assert torch.equal(torch.cat([one.at(t[None], seed=1) for t in times]), whole)
    assert whole[0] == whole[1] and len(set(whole.tolist())) == 3
    assert not torch.equal(one.at(times, seed=2), whole)


def test_movement_stays_in_the_range_and_whole_numbers_stay_whole(x):
    patch = (
        Patch().add(1, "erode", {"radius": 1}, id="a").replace(modulation=(Modulation("a/radius", depth=9),))
    )
    plan = resolve(patch, LAYERS)
    values, _ = plan.steps[1][0].at(torch.linspace(0, 5, 50))
    assert min(values["radius"]) == 0 and max(values["radius"]) == 10
    assert all(type(value) is int for value in values["radius"])
    assert plan.apply(1, x, times=torch.arange(4.0)).shape == x.shape


def test_movements_of_one_parameter_add_up_and_mix_can_wake_a_silent_bend(x):
    moves = (Modulation("a/mix", "square", depth=0.5), Modulation("a/mix", "square", depth=0.25))
    patch = Patch().add(1, "ablate", id="a", mix=0.0).replace(modulation=moves)
    plan = resolve(patch, LAYERS)
    assert plan.value("a/mix", torch.tensor([0.0, 3.0])).tolist() == [0.75, 0.0]
    out = plan.apply(1, x, times=torch.tensor([0.0, 3.0, 0.0, 3.0]))
    assert torch.allclose(out[0], x[0] * 0.25, atol=1e-6) and torch.equal(out[1], x[1])


def test_outputs_move_and_others_keep_their_value():
    patch = Patch(modulation=(Modulation("output/mix", "sine", rate_hz=1, depth=-1),))
    plan = resolve(patch, LAYERS)
    times = torch.tensor([0.0, 0.25, 0.75])
    assert plan.value("output/mix", times).tolist() == [1.0, 0.0, 1.0]
    assert plan.value("output/mix", times).dtype == torch.float32
    assert plan.value("output/mix") == 1.0 and plan.value("output/detail", times) == 0.0
    assert plan.value("output/limiter") is True


# The latent code


def test_latent_bends_go_along_principal_axes():
    basis = torch.randn(20, 512)
    z = torch.randn(3, 512)
    patch = Patch(latent=(LatentBend("offset", {"axis": 3, "amount": 0.5}),))
    plan = resolve(patch, LAYERS, axes=20)
    before = z.clone()
    assert torch.allclose(plan.apply_latent(z, basis), z + 0.5 * basis[3])
    assert torch.equal(z, before) and not plan.is_empty
    empty = resolve(Patch(), LAYERS)
    assert empty.apply_latent(z, basis) is z


def test_a_latent_bend_that_names_no_axis_moves_along_its_default():
    patch = Patch(
        latent=(LatentBend("offset", {"amount": 0.5}),), modulation=(Modulation("latent/0/offset", "square"),)
    )
    out = resolve(patch, LAYERS).apply_latent(torch.zeros(1, 2), times=torch.zeros(1))
    assert torch.equal(out, torch.tensor([[1.5, 0]]))


def test_levels_are_for_models_with_w():
    w = torch.ones(1, 2, 4)
    patch = Patch(latent=(LatentBend("invert", levels=(1,)),))
    out = resolve(patch, [*PICTURE, Place("w", 4, 1, 1)]).apply_latent(w)
    assert torch.equal(out, torch.tensor([1.0, -1.0])[:, None] * w)


def test_latent_bends_move():
    basis = torch.eye(4)
    patch = Patch(
        latent=(LatentBend("offset", {"axis": 2, "amount": 1.0}),),
        modulation=(Modulation("latent/2/offset", "sine", rate_hz=1, depth=2),),
    )
    out = resolve(patch, LAYERS, axes=basis).apply_latent(
        torch.zeros(2, 4), basis, times=torch.tensor([0, 0.25])
    )
    assert torch.allclose(out, torch.tensor([[0, 0, 1.0, 0], [0, 0, 3.0, 0]]))


# Sentences


@pytest.mark.parametrize(
    ("patch", "sentence"),
    [
        (
            Patch().add(1, "flip-h").add(1, "flip-v").add(3, "rotate", {"angle": 400}),
            "transforms[2]: rotate: angle must be in 0..360 degrees, got 400",
        ),
        (Patch().add(9, "erode"), "transforms[0]: layer 9: this model has layers 1..5, e1..e5, z"),
        (Patch().add("w", "erode"), "transforms[0]: layer w: this model has layers 1..5, e1..e5, z"),
        (Patch().add(0, "erode"), "transforms[0]: layer 0: this model has layers 1..5, e1..e5, z"),
        (Patch().add(1, "erodd"), "transforms[0]: unknown transform 'erodd'; did you mean 'erode'?"),
        (
            Patch().add(1, "erode", {"radios": 1}),
            "transforms[0]: erode: no parameter 'radios'; did you mean 'radius'?",
        ),
        (
            Patch().add(1, "erode", profile="x"),
            "transforms[0]: unknown profile 'x'; there are: default, broad2020, ",
        ),
        (
            Patch().add(3, "erode", features=Cluster((7,))),
            "transforms[0]: cluster 7: this layer has clusters 0..1",
        ),
        (
            Patch().add(3, "erode", features=Cluster(("low bend",))),
            "transforms[0]: unknown cluster 'low bend'; did you mean 'low band'?",
        ),
        (
            Patch().add(1, "erode", features=Cluster((0,))),
            "transforms[0]: layer 1 has no clusters; there are clusters for: 3, 4, 5",
        ),
        (
            Patch().add(5, "erode", features=Cluster((0,))),
            "transforms[0]: layer 5 has 16 features, its clusters are for 8",
        ),
        (
            Patch().add(1, "erode", features=Range(0, 17)),
            "transforms[0]: features: range must end at 16 or before (this layer has features 0..15), got [0",
        ),
        (
            Patch(modulation=(Modulation("fog/radius"),)),
            "modulation[0]: there is no bend 'fog'",
        ),
        (
            Patch(modulation=(Modulation("output/limiter"),)),
            "modulation[0]: output/limiter: output has no 'limiter'; there are: mix, detail, gain_db",
        ),
        (
            Patch(modulation=(Modulation("latent/1/offset"),)),
            "modulation[0]: latent/1/offset: there is no entry under latent that does 'offset' along axis 1",
        ),
        (
            Patch(latent=(LatentBend("offset", {"axis": 3}),), modulation=(Modulation("latent/03/offset"),)),
            "modulation[0]: latent/03/offset: an axis of the latent code is meant as in latent/3/offset",
        ),
        (
            Patch(latent=(LatentBend("scale", {"factor": 2}),), modulation=(Modulation("latent/0/scale"),)),
            "modulation[0]: latent/0/scale: there is no entry under latent that does 'scale' along axis 0",
        ),
        (
            Patch(latent=(LatentBend("offset", {"axis": 20}),)),
            "latent[0]: offset: axis must be in 0..19 for this model, got 20",
        ),
        (
            Patch(latent=(LatentBend("offset", {"axis": [1, 2]}),)),
            "latent[0]: offset: axis must be one number, got 2",
        ),
        (
            Patch(latent=(LatentBend("offset", {"axis": 1}), LatentBend("invert", levels=(0,)))),
            "latent[1]: invert: levels must be left out for this model, whose latent code has none; got [0]",
        ),
        (
            Patch(latent=(LatentBend("ofset"),)),
            "latent[0]: unknown latent operation 'ofset'; did you mean 'offset'?",
        ),
    ],
)
def test_a_patch_that_does_not_fit_is_one_sentence(patch, sentence):
    with pytest.raises(PatchError) as caught:
        resolve(patch, LAYERS, CLUSTERS, axes=20)
    assert str(caught.value).startswith(sentence)


def test_clusters_that_nobody_made_are_one_sentence():
    with pytest.raises(PatchError, match="features: cluster needs clusters, but this model has none"):
        resolve(Patch().add(1, "erode", features=Cluster((0,))), LAYERS)


def test_an_empty_cluster_warns_and_does_nothing(x):
    with pytest.warns(UserWarning, match="the cluster has no features"):
        plan = resolve(Patch().add(4, "ablate", features=Cluster((1,))), LAYERS, CLUSTERS)
    assert plan.is_empty and plan.apply(4, x) is x


def test_layer_0_is_left_alone_in_the_originals_profile_and_bent_in_ours(x):
    patch = Patch(profile="broad2020").add(0, "ablate")
    for layers in (LAYERS, PICTURE):
        with pytest.warns(UserWarning, match="never bends layer 0"):
            assert resolve(patch, layers).is_empty
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert resolve(patch.replace(profile="default"), PICTURE).apply(0, x).abs().max() == 0


def test_the_constant_is_bent_where_the_network_has_it(x):
    patch = Patch().add("const", "ablate")
    assert resolve(patch, [Place("const"), *PICTURE]).layers == {"const"}
    with pytest.warns(UserWarning, match="layer 0 is bent instead"):
        assert resolve(patch, PICTURE).layers == {0}


def test_layer_names_are_written_briefly():
    assert spans([0, 1, 2, "w"]) == "0..2, w"
    assert spans([1, 3, 4, "e1"]) == "1, 3..4, e1"


def test_an_empty_plan_and_a_resolved_step_cost_next_to_nothing():
    x = torch.zeros(1, 16, 1, 1)
    plan = resolve(Patch().add(1, "ablate", features=Indices((3,))), LAYERS)

    def fastest(layer, n=200):
        def once():
            start = time.perf_counter()
            for _ in range(n):
                plan.apply(layer, x)
            return (time.perf_counter() - start) / n

        return min(once() for _ in range(5))

    assert fastest(2) < 20e-6
    assert fastest(1) < 500e-6
    assert math.isfinite(fastest(1))
