"""A macro puts its targets where it stands, exactly at both ends; whatever it is not bound to stays."""

import random

import pytest

from audiobend.bending import TRANSFORMS, Binding, Patch, resolve
from audiobend.bending.macros import N_MACROS, ends_of, find_number, value_at
from audiobend.errors import AudiobendError
from tests.osc.conftest import make_context

EVERY = Patch().replace(bends=())
for _entry in TRANSFORMS.values():
    EVERY = EVERY.add(1, _entry.name, id=_entry.name)
TARGETS = [
    *(f"{one.name}/{param.name}" for one in TRANSFORMS.values() for param in one.params),
    *("erode/mix", "erode/on", "output/mix", "output/detail", "output/gain_db"),
    *("latent/3/offset", "latent/0/scale"),
    *("erode/radius/lfo/rate", "erode/radius/lfo/depth", "output/mix/lfo/phase"),
]


@pytest.mark.parametrize("target", TARGETS)
def test_at_its_ends_a_macro_gives_exactly_the_ends_of_the_range_and_goes_one_way_between(target):
    param = find_number(EVERY, target)
    whole = EVERY.replace(macros=(Binding(1, target),))
    assert (whole.set("macro/1", 0).get(target), whole.set("macro/1", 1).get(target)) == (param.low, param.high)
    draw = random.Random(target)
    for _ in range(5):
        low, high = sorted(_drawn(param, draw) for _ in range(2))
        for ends in ((low, high), (high, low)):
            patch = EVERY.replace(macros=(Binding(16, target, *ends),))
            values = [patch.set("macro/16", n / 12).get(target) for n in range(13)]
            assert (values[0], values[-1]) == ends
            assert values == sorted(values, reverse=ends[0] > ends[1])


def _drawn(param, draw):
    return draw.randint(int(param.low), int(param.high)) if param.integer else draw.uniform(param.low, param.high)


def test_a_share_of_a_range_never_leaves_it_and_steps_where_only_whole_numbers_are_allowed():
    draw = random.Random(3)
    for _ in range(5000):
        low, high = draw.uniform(-1e6, 1e6), draw.uniform(-1e-6, 1e6)
        value = value_at((low, high), draw.random(), integer=False)
        assert min(low, high) <= value <= max(low, high)
    steps = [value_at((4, 0), n / 100, integer=True) for n in range(101)]
    assert sorted(set(steps)) == [0, 1, 2, 3, 4] and all(type(one) is int for one in steps)


def test_one_macro_moves_several_each_over_its_own_range_and_nothing_else():
    bindings = (Binding(2, "erode/radius", 0, 8), Binding(2, "mix", 1, 0), Binding(3, "dilate/radius"))
    patch = EVERY.replace(macros=bindings)
    turned = patch.set("macro/2", 0.25)
    assert (turned.get("erode/radius"), turned.get("output/mix")) == (2, 0.75)
    assert turned.set("erode/radius", patch.get("erode/radius")).set("output/mix", 1) == patch


def test_a_bend_that_is_taken_away_takes_its_bindings_along():
    patch = EVERY.replace(macros=(Binding(1, "erode/radius"), Binding(1, "mix")))
    assert patch.without("erode").macros == (Binding(1, "output/mix"),)


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: Binding(17, "mix"), "a macro is one of 1..16, got 17; the nearest is 16"),
        (lambda: Binding(True, "mix"), "a macro is one of 1..16, got True"),
        (lambda: Binding(1, ""), "a target such as fog/radius is needed"),
        (lambda: Binding(1, "mix", 0), "a range has two ends"),
        (lambda: Binding(1, "mix", 0, "x"), "must be numbers, got 'x'"),
        (lambda: ends_of(EVERY, Binding(1, "erode/radios")), "erode has no 'radios'; did you mean 'radius'?"),
        (lambda: ends_of(EVERY, Binding(1, "eroed/radius")), "there is no bend 'eroed'; did you mean 'erode'?"),
        (lambda: ends_of(EVERY, Binding(1, "gain")), "there is no target 'gain'; did you mean 'gain_db'?"),
        (lambda: ends_of(EVERY, Binding(1, "erode/radius", 0, 99)), "radius must be in 0..32"),
        (lambda: ends_of(EVERY, Binding(1, "erode/radius", 0, 0.5)), "radius must be a whole number"),
        (lambda: ends_of(EVERY, Binding(1, "erode/layer")), "erode has no 'layer'"),
        (lambda: ends_of(EVERY, Binding(1, "erode/radius/lfo")), "erode/radius/lfo/rate"),
        (lambda: EVERY.replace(macros=(Binding(1, "mix"), Binding(1, "output/mix"))), "'output/mix' is there twice"),
        (lambda: EVERY.set("macro/17", 1), "a macro is one of 1..16"),
        (lambda: EVERY.replace(macros=(Binding(4, "mix"),)).set("macro/3", 1), "macro 3 is bound to nothing"),
        (lambda: EVERY.replace(macros=(Binding(4, "mix"),)).set("macro/4", 1.1), "must be in 0..1, got 1.1"),
    ],
)
def test_what_cannot_be_is_one_sentence(act, sentence):
    with pytest.raises(AudiobendError) as caught:
        act()
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("binding", "sentence"),
    [
        (Binding(3, "erode/radios"), "macros: 3: erode/radios: erode has no 'radios'; did you mean 'radius'?"),
        (Binding(3, "latent/4/offset"), "macros: 3: latent/4/offset: axis must be in 0..3 for this model, got 4"),
    ],
)
def test_a_patch_whose_macros_mean_nothing_does_not_fit(binding, sentence):
    context = make_context()
    with pytest.raises(AudiobendError, match=sentence.replace("?", r"\?")):
        resolve(EVERY.replace(macros=(binding,)), context.layers, context.clusters, axes=context.n_axes)


def test_a_macro_may_be_bound_to_every_number_there_is():
    macros = tuple(Binding(n % N_MACROS + 1, target) for n, target in enumerate(TARGETS))
    context = make_context()
    resolve(EVERY.replace(macros=macros), context.layers, context.clusters, axes=context.n_axes)
