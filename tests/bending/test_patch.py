"""A patch is never changed; every value in it has one name, and a wrong name or value is one sentence."""

import pytest

from audiobend.bending import All, Bend, Cluster, LatentBend, Modulation, Output, Patch, Random
from audiobend.bending.patch import new_id
from audiobend.errors import AudiobendError

PATCH = (
    Patch(name="low tide", seed=7)
    .add(3, "erode", {"radius": 2}, id="fog", features=Cluster((1,)), mix=0.8)
    .add(1, "scalar-multiply", {"factor": 2.0}, id="dust", features=Random(0.25), on=False)
    .replace(latent=(LatentBend("offset", {"axis": 3, "amount": 0.5}),))
)


@pytest.mark.parametrize(
    ("target", "value", "expected"),
    [
        ("fog/radius", 3, 3),
        ("fog/radius", "3", 3),
        ("fog/radius", 3.0, 3),
        ("fog/mix", "0.5", 0.5),
        ("fog/on", "off", False),
        ("fog/on", 0, False),
        ("dust/on", 1.0, True),
        ("fog/layer", "5", 5),
        ("fog/layer", "E2", "e2"),
        ("fog/features", "all", All()),
        ("fog/features", Random(0.5), Random(0.5)),
        ("dust/factor", "-1e-1", -0.1),
        ("output/detail", 1, 1.0),
        ("output/gain_db", "-6", -6.0),
        ("output/limiter", "false", False),
        ("output/match_level", 0, False),
        ("latent/3/offset", 2, 2.0),
        ("latent/9/offset", "1.5", 1.5),
        ("seed", "11", 11),
    ],
)
def test_what_is_set_is_got_and_nothing_else_changes(target, value, expected):
    before = repr(PATCH)
    changed = PATCH.set(target, value)
    assert changed.get(target) == expected and type(changed.get(target)) is type(expected)
    assert repr(PATCH) == before
    if target != "latent/9/offset":  # which is a new entry
        assert changed.set(target, PATCH.get(target)) == PATCH


def test_a_parameter_that_nobody_named_has_its_default():
    patch = Patch().add(1, "erode", id="a").add(1, "binary-thresh", {"t": 0.25}, id="b")
    assert patch.get("a/radius") == 1
    assert patch.get("b/threshold") == 0.25
    assert patch.set("b/threshold", 0.5).bend("b").params == {"threshold": 0.5}


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: PATCH.set("frog/radius", 1), "there is no bend 'frog'; did you mean 'fog'?"),
        (lambda: PATCH.set("fog/radios", 1), "fog/radios: erode has no 'radios'; did you mean 'radius'?"),
        (
            lambda: PATCH.set("fog/feature", "all"),
            "fog/feature: erode has no 'feature'; did you mean 'features'?",
        ),
        (lambda: PATCH.set("fog/radius", 400), "fog: erode: radius must be in 0..32 cells, got 400"),
        (
            lambda: PATCH.set("fog/radius", 10**400),
            f"fog: erode: radius must be in 0..32 cells, got 1{'0' * 56}...",
        ),
        (
            lambda: PATCH.set("fog/mix", -(10**5000)),
            "fog: mix must be in 0..1, got a number of thousands of digits",
        ),
        (lambda: PATCH.set("output/mix", 10**400), f"output: mix must be in 0..1, got 1{'0' * 56}..."),
        (lambda: PATCH.set("fog/radius", 1.5), "fog: erode: radius must be a whole number, got 1.5"),
        (lambda: PATCH.set("fog/radius", "big"), "fog/radius must be a number, got 'big'"),
        (lambda: PATCH.set("fog/mix", 2), "fog: mix must be in 0..1, got 2"),
        (lambda: PATCH.set("fog/mix", float("nan")), "fog: mix must be in 0..1, got nan"),
        (lambda: PATCH.set("fog/on", "perhaps"), "fog/on must be true or false, got 'perhaps'"),
        (
            lambda: PATCH.set("fog/layer", 1.5),
            "fog/layer must be a number such as 3, or one of e1..e5, z, w; got 1.5",
        ),
        (
            lambda: PATCH.set("output/details", 1),
            "output/details: output has no 'details'; did you mean 'detail'?",
        ),
        (lambda: PATCH.set("output/gain_db", 99), "output: gain_db must be in -60..24 dB, got 99"),
        (
            lambda: PATCH.set("latent/x/offset", 1),
            "latent/x/offset: an axis of the latent code is meant as in latent/3/offset",
        ),
        (
            lambda: PATCH.set("latent/03/offset", 1),
            "latent/03/offset: an axis of the latent code is meant as in latent/3/offset",
        ),
        (
            lambda: PATCH.set(f"latent/{'9' * 5}/offset", 1),
            "latent/99999/offset: an axis of the latent code is meant as in latent/3/offset",
        ),
        (
            lambda: PATCH.set("latent/3/ofset", 1),
            "latent/3/ofset: latent has no 'ofset'; did you mean 'offset'?",
        ),
        (lambda: PATCH.set("fog", 1), "fog: erode has no ''; there are: radius, mix, on, layer, features"),
        (lambda: PATCH.set("seed", -1), "seed must be a whole number in 0..4294967295, got -1"),
        (lambda: Patch(seed=1.5), "seed must be a whole number in 0..4294967295, got 1.5"),
        (lambda: Patch(seed=float("nan")), "seed must be a whole number in 0..4294967295, got nan"),
        (lambda: Patch(seed=True), "seed must be a whole number in 0..4294967295, got True"),
        (lambda: Patch(profile="broad2021"), "unknown profile 'broad2021'; did you mean 'broad2020'?"),
        (lambda: Patch(profile=["x"]), "unknown profile ['x']; there are: default, broad2020, zheng2022"),
        (lambda: PATCH.add(1, "erode", id="fog"), "transforms[2]: id 'fog' is taken by another entry"),
        (lambda: Bend("a b", 1, "erode"), "id must be a word without blanks or any of /#*,?[]{}=, got 'a b'"),
        (
            lambda: Bend("output", 1, "erode"),
            "id must not be 'output', a word that addresses use for something else",
        ),
        (lambda: Modulation("fog/radius", lfo="sin"), "unknown lfo 'sin'; did you mean 'sine'?"),
        (lambda: Modulation("fog/radius", rate_hz=-1), "fog/radius: rate_hz must be in 0..100 Hz, got -1"),
        (lambda: Output(limiter="maybe"), "output: limiter must be true or false, got 'maybe'"),
    ],
)
def test_mistakes_are_one_sentence(act, sentence):
    with pytest.raises(AudiobendError) as caught:
        act()
    assert str(caught.value) == sentence


def test_a_patch_does_not_share_what_it_was_made_from():
    params = {"radius": 2}
    patch = Patch().add("3", "erode", params)
    params["radius"] = 9
    assert patch.get("3-erode/radius") == 2 and patch.bends[0].layer == 3


def test_ids_say_what_a_bend_does_and_differ():
    patch = Patch().add(3, "erode").add(3, "erode").add("e1", "flip-h").add(3, "erode")
    assert [bend.id for bend in patch.bends] == ["3-erode", "3-erode-2", "e1-flip-h", "3-erode-3"]
    assert new_id(3, "erode", ["3-erode", "3-erode-3"]) == "3-erode-2"


def test_bends_keep_their_place_when_they_are_replaced():
    changed = PATCH.with_bend(Bend("fog", 2, "dilate"))
    assert [bend.id for bend in changed.bends] == ["fog", "dust"] and changed.bends[0].transform == "dilate"


def test_taking_out_a_bend_takes_out_what_moves_it():
    patch = PATCH.replace(modulation=(Modulation("fog/radius"), Modulation("output/mix")))
    assert [one.target for one in patch.without("fog").modulation] == ["output/mix"]
    assert [bend.id for bend in patch.without("fog").bends] == ["dust"]
