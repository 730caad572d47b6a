"""Every address of the table: what it takes, what it refuses, and that a question tells what was set."""

import random
import struct

import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from audiobend.bending import TRANSFORMS, Patch, Random
from audiobend.control import LoadPatch
from audiobend.errors import ControlError
from audiobend.osc.addresses import Table
from audiobend.osc.limits import Budget
from audiobend.osc.row import to_norm
from tests.osc.conftest import make_context, make_patch

TABLE = Table(make_context())
LEAVES = list(TABLE.leaves(make_patch()))
TOLD = [one for one in LEAVES if one.row.kind != "action" and one.row.access == "r"]
VALUES = [one for one in LEAVES if one.row.kind != "action" and one.row.access == "rw"]
LFOS = [one for one in VALUES if one.row.kind == "lfo"]
NUMBERS = [one for one in VALUES if one.row.kind in ("number", "norm", "switch")]
ACTIONS = [one for one in LEAVES if one.row.kind == "action"]
TEXTS = {
    "/audiobend/bend/fog/features": "cluster 1",
    "/audiobend/bend/fog/layer": 2,
    "/audiobend/bend/lean/features": "random 0.5",
    "/audiobend/bend/lean/layer": "z",
    "/audiobend/solo": "fog",
    "/audiobend/chain/order": "lean fog",
    "/audiobend/profile": "low",
    "/audiobend/input": "Microphone",
    "/audiobend/output": "Loudspeakers",
}
MORPH = "/audiobend/scene/morph/position"


def single(value):
    """A number as 32 bits hold it."""
    return struct.unpack(">f", struct.pack(">f", value))[0]


def some_value(row, rng):
    if row.kind == "switch":
        return rng.randint(0, 1)
    if row.kind == "lfo":
        return (rng.choice(row.choices), *(single(rng.uniform(one.low, one.high)) for one in row.params))
    low, high = (0, 1) if row.kind == "norm" else (row.param.low, row.param.high)
    if row.kind == "number" and row.param.integer:
        return rng.randint(int(low), int(high))
    return rng.choice([low, high, rng.uniform(low, high)])


def set_up(talk):
    """Make every address answer: two scenes between which one can be."""
    talk("/audiobend/scene/save", "a")
    talk("/audiobend/scene/save", "b")
    talk("/audiobend/scene/morph", "a", "b", 0.5)


def between(talk, leaf):
    """Be between the scenes that an address is about."""
    if "/scene/pad/" in leaf.address:
        talk("/audiobend/scene/pad", *"abab", 0.5, 0.5)
    elif leaf.address == MORPH:
        talk("/audiobend/scene/morph", "a", "b", 0.5)


def refused(talk, leaf, *args, code=400):
    if "a" in talk.desk.state.scenes:
        between(talk, leaf)
    before = talk.desk.state
    ((address, (about, told, text)),) = talk(leaf.address, *args)
    assert (address, about, told) == ("/audiobend/fail", leaf.address, code), (leaf.address, args, text)
    assert text and "Error" not in text and "Traceback" not in text
    assert talk.desk.state is before
    return text


def test_the_table_has_every_transform_at_every_place():
    for place in ("layer/1/all", "layer/3/cluster/1", "layer/z/all"):
        for name, transform in TRANSFORMS.items():
            ends = ["", "/mix", *(f"/{p.name}{n}" for p in transform.params for n in ("", "/norm"))]
            for end in ends:
                address = f"/audiobend/{place}/{name}{end}"
                assert TABLE.lookup(address, Patch()).address == address


def test_no_address_stands_twice():
    assert len({one.address for one in LEAVES}) == len(LEAVES) > 1000


def test_every_value_comes_back_as_it_was_set(talk):
    rng = random.Random(3)
    set_up(talk)
    start = talk.desk.state.patch
    for leaf in VALUES:
        value = TEXTS[leaf.address] if leaf.address in TEXTS else some_value(leaf.row, rng)
        between(talk, leaf)
        if leaf.row.kind == "lfo":
            assert talk(leaf.address, *value) == [], leaf.address
            ((told, back),) = talk(leaf.address)
            assert told == leaf.address and back == pytest.approx(value)
            continue
        assert talk(leaf.address, value) == [], leaf.address
        back = talk.value(leaf.address)
        if leaf.row.kind == "norm" and leaf.row.param.integer:
            assert abs(back - value) * (leaf.row.param.high - leaf.row.param.low) <= 0.5 + 1e-6, leaf.address
        elif isinstance(value, float):
            assert back == pytest.approx(single(value), rel=1e-6, abs=1e-6), leaf.address
        else:
            assert back == value, leaf.address
        if "/layer/" in leaf.address or "/bend/" in leaf.address:
            talk.desk.apply([LoadPatch(start)])
            talk("/audiobend/scene/morph", "a", "b", 0.5)


def test_an_untouched_address_tells_its_default(talk):
    for leaf in NUMBERS:
        if leaf.address.startswith("/audiobend/layer/"):
            assert talk.value(leaf.address) == pytest.approx(leaf.row.default, abs=1e-6), leaf.address


def test_every_number_refuses_what_lies_outside_its_range(talk):
    set_up(talk)
    for leaf in NUMBERS:
        if leaf.row.kind == "switch":
            continue
        low, high = (0, 1) if leaf.row.kind == "norm" else (leaf.row.param.low, leaf.row.param.high)
        for outside in (float(low) - 1.0, float(high) + 1.0, 1e30, -1e30):
            assert "must be in" in refused(talk, leaf, outside)


def test_every_value_refuses_what_is_no_value(talk):
    set_up(talk)
    for leaf in NUMBERS:
        for wrong in (float("nan"), float("inf"), float("-inf"), "loud"):
            assert "must be a number" in refused(talk, leaf, wrong)
        assert "one value" in refused(talk, leaf, 0, 0)
    for leaf in VALUES:
        if leaf.row.kind == "text":
            assert "must be text" in refused(talk, leaf, 1.5)


def test_every_movement_refuses_shapes_and_numbers_that_are_none(talk):
    set_up(talk)
    for leaf in LFOS:
        assert "there is no 'wobble'" in refused(talk, leaf, "wobble")
        assert "there is no '1'" in refused(talk, leaf, 1)
        assert "takes a name and a number" in refused(talk, leaf, "sine", 0.0, 0.0, 0.0, 0.0)
        for index, param in enumerate(leaf.row.params):
            before = [0.0] * index
            for outside in (float(param.low) - 1.0, float(param.high) + 1.0):
                assert f"{param.name} must be in" in refused(talk, leaf, "sine", *before, outside)
            for wrong in (float("nan"), float("inf"), "loud"):
                assert "must be a number" in refused(talk, leaf, "sine", *before, wrong)


def test_what_is_only_told_refuses_values(talk):
    for leaf in TOLD:
        refused(talk, leaf, 1, code=405)
        assert talk.value(leaf.address) in (0, "")
    assert {one.row.path for one in TOLD} >= {"scene/count", "undo/count", "redo/count", "take/name", "recording/name"}


def test_every_address_refuses_blobs_and_lists(talk):
    set_up(talk)
    for leaf in LEAVES:
        if leaf.row.types == "*":
            continue
        for value in (b"abcd", [1, 2]):
            builder = OscMessageBuilder(leaf.address)
            builder.add_arg(value)
            before = talk.desk.state
            ((address, (about, code, text)),) = talk.packet(builder.build().dgram)
            assert (address, about, code) == ("/audiobend/fail", leaf.address, 400)
            assert "are not understood" in text and talk.desk.state is before


@pytest.mark.parametrize("leaf", ACTIONS, ids=lambda leaf: leaf.row.path)
def test_every_action_refuses_the_wrong_number_of_arguments(talk, leaf):
    if leaf.row.types not in ("*",):
        assert "takes" in refused(talk, leaf, *range(len(leaf.row.types) + 1))
    if leaf.row.access == "w" and not leaf.row.optional:
        refused(talk, leaf, code=400 if leaf.row.path == "sync" else 405)


@pytest.mark.parametrize("value", ["loud", float("nan"), float("inf")])
@pytest.mark.parametrize("path", ["sync", "notify", "dump", "panic", "undo", "redo", "take/stop", "recording/stop"])
def test_actions_with_numbers_refuse_what_is_none(talk, path, value):
    leaf = TABLE.lookup(f"/audiobend/{path}", Patch())
    assert "must be a number" in refused(talk, leaf, value)


@pytest.mark.parametrize("position", [-0.1, 1.1, float("nan"), float("inf"), "x"])
def test_a_morph_refuses_positions_outside_0_to_1(talk, position):
    set_up(talk)
    leaf = TABLE.lookup("/audiobend/scene/morph", Patch())
    before = talk.desk.state
    ((address, args),) = talk(leaf.address, "a", "b", position)
    assert address == "/audiobend/fail" and talk.desk.state is before, args


def test_norm_reaches_both_ends_of_every_range(talk):
    for leaf in NUMBERS:
        if leaf.row.kind == "norm" and "/layer/1/all/" in leaf.address:
            above = leaf.address.removesuffix("/norm")
            for share, end in ((0.0, leaf.row.param.low), (1.0, leaf.row.param.high)):
                assert talk(leaf.address, share) == []
                assert talk.value(above) == pytest.approx(single(end), rel=1e-6)
                assert to_norm(leaf.row.param, end) == share


def test_fractions_are_rounded_where_whole_numbers_are_meant(talk):
    for sent, meant in ((2.4, 2), (2.5, 3), (0.49, 0)):
        talk("/audiobend/bend/fog/radius", sent)
        assert talk.value("/audiobend/bend/fog/radius") == meant


@pytest.mark.parametrize("sent, meant", [(0, 0), (1, 1), (0.49, 0), (0.5, 1), (127, 1), (-1, 0)])
def test_a_switch_is_on_from_one_half(talk, sent, meant):
    talk("/audiobend/bend/fog/on", sent)
    assert talk.value("/audiobend/bend/fog/on") == meant


@pytest.mark.parametrize(
    "address, hint",
    [
        ("/audiobend/layer/3/all/erodd", "did you mean '/audiobend/layer/3/all/erode'?"),
        ("/audiobend/gian", "did you mean '/audiobend/gain'?"),
        ("/audiobend/layer/9/all/erode", "there are: 1, 2, 3, z"),
        ("/audiobend/layer/3", "needs more after it; there are: all, cluster"),
        ("/audiobend/bend/fgo/mix", "did you mean '/audiobend/bend/fog'?"),
        ("/audiobend/mix/", "there is no address /audiobend/mix/"),
        ("/audiobend/mix/lof", "did you mean '/audiobend/mix/lfo'?"),
        ("/audiobend", "all begin with /audiobend/"),
        ("/audiobendx/mix", "all begin with /audiobend/"),
        ("/audiobend//mix", "/audiobend needs more after it"),
        ("/1/fader1", "all begin with /audiobend/"),
    ],
)
def test_an_unknown_address_is_told_the_nearest(address, hint):
    with pytest.raises(ControlError) as refusal:
        TABLE.lookup(address, make_patch())
    assert hint in str(refusal.value)


def test_patterns_find_what_comparing_every_address_finds():
    import fnmatch

    for pattern in ("layer/*/all/erode", "layer/[1-2]/cluster/?/mask/x", "*", "bend/*/*", "layer/1/all/flip-[hv]/mix"):
        found = {one.address for one in TABLE.match(f"/audiobend/{pattern}", make_patch(), Budget())}
        parts = pattern.split("/")
        expected = {
            one.address
            for one in (*VALUES, *TOLD)
            if len(names := one.address.split("/")[2:]) == len(parts)
            and all(fnmatch.fnmatchcase(name, part) for name, part in zip(names, parts, strict=True))
        }
        assert found == expected and found


def test_patterns_never_mean_actions(talk):
    before = talk.desk.state.panics
    talk("/audiobend/p*", 1)
    talk("/audiobend/*", 1)
    assert talk.desk.state.panics == before


def test_a_pattern_that_means_too_much_changes_nothing(talk):
    before = talk.desk.state
    ((address, args),) = talk("/audiobend/layer/*/*/*/*/*", 1)
    assert (address, args[1]) == ("/audiobend/fail", 429) and talk.desk.state is before


def test_patterns_set_every_bend_they_mean(talk):
    talk("/audiobend/layer/{1,3}/all/{erode,ablate}", 1)
    on = {bend.id for bend in talk.desk.state.patch.bends if bend.on}
    assert {f"layer{n}.all.{name}" for n in (1, 3) for name in ("erode", "ablate")} <= on


def test_selections_of_features_are_told_as_they_are_typed(talk):
    talk("/audiobend/bend/fog/features", "random 0.25")
    assert talk.desk.state.patch.bend("fog").features == Random(0.25)
    assert talk.value("/audiobend/bend/fog/features") == "random 0.25"
