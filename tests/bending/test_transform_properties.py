"""What every transform promises, over the whole registry: a new transform is tested by being there."""

import math

import numpy as np
import pytest
import torch

from audiobend.bending import (
    PROFILES,
    TRANSFORMS,
    apply_checked,
    apply_transform,
    check_features,
    check_values,
    get_transform,
)
from audiobend.errors import TransformError

EVERY = [(profile, name) for profile, table in PROFILES.items() for name in table]
SHAPES = [(1, 1), (1, 7), (6, 1), (5, 9), (8, 33)]
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]


def active(entry, share=0.3):
    """Values inside the ranges that are not the defaults, and not too far out for small maps."""
    values = {}
    for param in entry.params:
        low, high = max(param.low, -4), min(param.high, 4 if param.unit == "cells" else 90)
        value = low + share * (high - low)
        values[param.name] = round(value) if param.integer else value
    return values


def maps(batch=2, features=7, shape=(5, 9), dtype=torch.float32, seed=0):
    return torch.randn(batch, features, *shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_shape_dtype_and_device_are_kept(profile, name, shape, dtype):
    x = maps(shape=shape, dtype=dtype)
    for values in (None, active(get_transform(name, profile))):
        bent = apply_transform(name, x, values, profile=profile)
        assert (bent.shape, bent.dtype, bent.device) == (x.shape, x.dtype, x.device)
        assert bent.isfinite().all()


@pytest.mark.parametrize("features", [[0], [2, 3, 4], [1, 4, 6], torch.tensor([5, 0])], ids=str)
@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_unselected_features_are_bit_identical_and_selected_ones_bend(profile, name, features):
    x = maps()
    values = active(get_transform(name, profile))
    bent = apply_transform(name, x, values, profile=profile, features=features)
    chosen = torch.zeros(x.shape[1], dtype=torch.bool)
    chosen[features] = True
    assert torch.equal(bent[:, ~chosen], x[:, ~chosen])
    if name not in ("none", "mirrorX", "shuffle"):    # these can leave a feature as it is
        assert not torch.equal(bent[:, chosen], x[:, chosen])


@pytest.mark.parametrize(("profile", "name"), [(p, n) for p, n in EVERY if not get_transform(n, p).whole])
def test_a_feature_bends_alike_alone_or_among_others(profile, name):
    x = maps()
    values = active(get_transform(name, profile))
    everything = apply_transform(name, x, values, profile=profile)
    for features in ([3], [1, 2, 3], [0, 2, 6]):
        some = apply_transform(name, x, values, profile=profile, features=features)
        assert torch.equal(some[:, features], everything[:, features])


@pytest.mark.parametrize("features", [None, [1, 2], [0, 2, 5], []], ids=str)
@pytest.mark.parametrize("mix", [0, 0.25, 1, [0.25, 1.0]], ids=str)
@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_input_is_not_mutated_and_result_is_its_own(profile, name, mix, features):
    x = maps()
    before = x.clone()
    values = active(get_transform(name, profile))
    bent = apply_transform(name, x, values, profile=profile, mix=mix, features=features)
    bent.fill_(math.nan)
    assert torch.equal(x, before)


@pytest.mark.parametrize("features", [None, [1, 2], [0, 2, 5]], ids=str)
@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_mix_0_is_the_input_and_mix_1_the_transform_bit_for_bit(profile, name, features):
    x = maps()
    values = active(get_transform(name, profile))
    bend = {"profile": profile, "features": features}
    assert torch.equal(apply_transform(name, x, values, mix=0, **bend), x)
    bent = apply_transform(name, x, values, **bend)
    assert torch.equal(apply_transform(name, x, values, mix=1, **bend), bent)
    half = apply_transform(name, x, values, mix=0.25, **bend)
    torch.testing.assert_close(half, x + 0.25 * (bent - x))


@pytest.mark.parametrize("features", [None, [1, 2], [0, 2, 5]], ids=str)
@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_one_value_per_item_equals_single_calls(profile, name, features):
    x = maps(batch=4)
    entry = get_transform(name, profile)
    rows = [active(entry, share) for share in (0.2, 0.6, 0.6, 0.9)]
    mixes = [1.0, 0.5, 0.5, 0.0]
    values = {param.name: [row[param.name] for row in rows] for param in entry.params}
    if values:
        first = entry.params[0].name
        values[first] = torch.tensor(values[first], dtype=torch.float64)
    whole = apply_transform(name, x, values, profile=profile, features=features, mix=mixes)
    for item, (row, mix) in enumerate(zip(rows, mixes, strict=True)):
        one = x[item : item + 1]
        single = apply_transform(name, one, row, profile=profile, features=features, mix=mix)
        assert torch.equal(whole[item : item + 1], single)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("features", [None, [1, 2], [0, 2, 5]], ids=str)
@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_in_place_gives_the_same_bits(profile, name, features, dtype):
    x = maps(batch=3, dtype=dtype)
    entry = get_transform(name, profile)
    values = check_values(entry, active(entry))
    for mix in (1.0, 0.5, (0.5, 1.0, 0.0)):
        bend = {"features": check_features(features, x.shape[1]), "mix": mix}
        bent = apply_checked(entry, x, values, **bend)
        place = x.clone()
        assert apply_checked(entry, place, values, inplace=True, **bend) is place
        assert torch.equal(place, bent)


@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_maps_of_any_memory_layout_bend_alike(profile, name):
    x = maps()
    values = active(get_transform(name, profile))
    expected = apply_transform(name, x, values, profile=profile)
    for same in (x.to(memory_format=torch.channels_last), maps(features=14)[:, ::2].copy_(x)):
        assert torch.equal(apply_transform(name, same, values, profile=profile), expected)


@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_float32_on_the_cpu_agrees_with_float64(profile, name):
    x = maps(shape=(8, 33))
    values = active(get_transform(name, profile))
    exact = apply_transform(name, x.double(), values, profile=profile)
    if (profile, name) == ("zheng2022", "sharpen"):
        return    # rounds to whole numbers, where the two may part
    torch.testing.assert_close(
        apply_transform(name, x, values, profile=profile), exact.float(), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_gradients_pass(profile, name):
    x = maps().requires_grad_()
    values = active(get_transform(name, profile))
    bent = apply_transform(name, x, values, profile=profile)
    torch.testing.assert_close(bent.detach(), apply_transform(name, x.detach(), values, profile=profile))
    if bent.requires_grad:    # what sets values outright has none
        bent.sum().backward()
        assert x.grad.shape == x.shape


@pytest.mark.parametrize(("profile", "name"), [(p, n) for p, n in EVERY if get_transform(n, p).seeded])
def test_the_seed_decides(profile, name):
    x = maps(features=32)
    values = active(get_transform(name, profile), 0.6)
    bend = {"profile": profile, "features": list(range(3, 30, 2))}
    first = apply_transform(name, x, values, seed=5, **bend)
    assert torch.equal(apply_transform(name, x, values, seed=5, **bend), first)
    assert not torch.equal(apply_transform(name, x, values, seed=6, **bend), first)


@pytest.mark.parametrize("value", [math.nan, math.inf], ids=str)
@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_broken_numbers_in_maps_do_not_stop_a_transform(profile, name, value):
    x = maps()
    x[0, 2, 0, 0] = x[1, 3, 2, 4] = value
    values = active(get_transform(name, profile))
    bent = apply_transform(name, x, values, profile=profile)
    assert bent.shape == x.shape
    if not get_transform(name, profile).whole:
        assert bent[:, [0, 1, 4, 5, 6]].isfinite().all()    # what is broken stays in its feature


@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_maps_of_no_items_are_fine(profile, name):
    x = torch.zeros(0, 7, 5, 9)
    assert apply_transform(name, x, profile=profile).shape == x.shape


@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_every_entry_is_documented_and_its_defaults_are_valid(profile, name):
    entry = get_transform(name, profile)
    assert entry.description.endswith(".") and len(entry.description) < 110
    assert entry.name == name
    assert check_values(entry, entry.defaults()) == check_values(entry) == entry.defaults()
    for param in entry.params:
        assert param.low <= param.default <= param.high
        assert param.check(param.low, name) == param.low
        assert param.check(param.high, name) == param.high


@pytest.mark.parametrize(
    ("profile", "name", "param"),
    [(p, n, param) for p, n in EVERY for param in get_transform(n, p).params],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_parameter_refuses_what_is_outside_its_range(profile, name, param):
    for wrong in (param.low - 1, param.high + 1, math.nan, math.inf, -math.inf):
        with pytest.raises(TransformError) as error:
            check_values(name, {param.name: wrong}, profile=profile)
        assert str(error.value) == f"{name}: {param.name} must be in {param.span}, got {wrong:g}"
    for wrong in (True, "much", None, 1j):
        with pytest.raises(TransformError) as error:
            check_values(name, {param.name: wrong}, profile=profile)
        assert str(error.value) == f"{name}: {param.name} must be a number, got {wrong!r}"


def test_the_registry_holds_the_table_of_the_design():
    families = {
        "numerical": "ablate invert negate scalar-multiply offset binary-thresh sin-disrupt",
        "affine": "translate scale rotate flip-h flip-v shear roll mirror-h mirror-v crop mask",
        "morphology": "erode dilate",
        "filters": "mean-filter sharpen blur",
        "permutation": "shuffle vanish swap blend",
        "statistical": "noise normalise smooth",
    }
    table = {name: family for family, members in families.items() for name in members.split()}
    assert {name: entry.family for name, entry in TRANSFORMS.items()} == table


def test_numpy_numbers_are_numbers():
    assert check_values("erode", {"radius": np.int64(2)}) == {"radius": 2}
    assert check_values("rotate", [np.float32(1.5)]) == {"angle": 1.5}
