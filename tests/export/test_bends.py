"""Every transform in its exported form, beside the transform itself."""

import pytest
import torch

from audiobend.bending import PROFILES, Patch, get_transform
from audiobend.bending.features import All, Indices
from audiobend.bending.plan import Plan
from audiobend.bending.resolution import resolve
from audiobend.export.bends import EXPORTED, Place, bender_for, fixed_params
from audiobend.networks.bendable import LayerSpec

EVERY = [(profile, name) for profile, table in PROFILES.items() for name in table]
N, HEIGHT, WIDTH = 10, 9, 17
SHARES = (0.0, 0.31, 0.5, 0.77, 1.0)


def values_at(entry, share):
    values = {}
    for param in entry.params:
        low, high = max(param.low, -3.5), min(param.high, 4 if param.unit == "cells" else 90)
        value = low + share * (high - low)
        values[param.name] = round(value) if param.integer else value
    return values


def plan(profile, name, values, features, height=HEIGHT, width=WIDTH):
    patch = Patch(seed=5, profile=profile).add(3, name, values, features=features, id="one")
    return resolve(patch, [LayerSpec(3, "", N, height, width)])


def scripted(plan: Plan, height=HEIGHT, width=WIDTH):
    (step,) = plan.steps[3]
    return torch.jit.script(bender_for(Place(step, N, height, width)).eval())


@pytest.mark.parametrize("features", [All(), Indices((1, 4, 5, 8))], ids=["all", "some"])
@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_an_exported_transform_does_what_the_transform_does(profile, name, features):
    x = torch.randn(2, N, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))
    entry = get_transform(name, profile)
    compiled = None
    for share in SHARES:
        values = values_at(entry, share)
        if name == "noise":
            values["fresh"] = 0
        now = plan(profile, name, values, features)
        (step,) = now.steps[3]
        if compiled is None or fixed_params(step):
            compiled = scripted(now)
        chosen = torch.tensor(step.chosen)
        bent = compiled(x, x.index_select(1, chosen), [float(one) for one in step.values.values()], 0)
        expected = now.apply(3, x).index_select(1, chosen)
        assert torch.allclose(bent, expected, atol=2e-6, rtol=1e-5), (share, (bent - expected).abs().max())


@pytest.mark.parametrize(("profile", "name"), EVERY)
def test_rows_within_reach_are_enough(profile, name):
    x = torch.randn(1, N, 40, WIDTH, generator=torch.Generator().manual_seed(1))
    for share in SHARES:
        now = plan(profile, name, values_at(get_transform(name, profile), share), All(), height=40)
        (step,) = now.steps[3]
        compiled = scripted(now, height=40)
        values = [float(one) for one in step.values.values()]
        reach = compiled.reach(values)
        if not 0 <= reach <= 12:
            continue
        first, last = 14 - reach, 26 + reach
        some = compiled(x[:, :, first:last], x[:, :, first:last], values, 0)[:, :, 14 - first : 26 - first]
        assert torch.allclose(some, compiled(x, x, values, 0)[:, :, 14:26], atol=1e-6)


def test_every_transform_has_an_exported_form():
    assert set(EVERY) == set(EXPORTED)
