"""Features that are taken out of maps, bent, and put back: exactly those, whatever way the maps lie."""

import numpy as np
import pytest
import torch

from audiobend.bending import Indices, Patch
from audiobend.bending.resolution import resolve
from audiobend.networks.bendable import LayerSpec
from audiobend.picture_bends import MapBends
from audiobend.picture_kernels import put_features, take_features

LAYERS = (LayerSpec(3, "x", 21, 7, 9, ("y", "x")),)


def maps(form=torch.channels_last, batch=1):
    x = torch.randn(batch, 21, 7, 9, generator=torch.Generator().manual_seed(0))
    return x.contiguous(memory_format=form)


@pytest.mark.parametrize("chosen", [[0], [20], [3, 4, 5], [0, 7, 19], list(range(0, 21, 2))])
def test_the_loops_take_and_put_what_indexing_does(chosen):
    x = maps()
    rows, features = x.permute(0, 2, 3, 1).reshape(-1, 21).numpy(), np.array(chosen)
    out = np.empty((len(chosen), 63), np.float32)
    take_features(rows, features, out)
    assert np.array_equal(out, x[0, chosen].flatten(1).numpy())
    expected = x.clone()
    expected[0, chosen] = expected[0, chosen] * 2
    put_features(rows, features, out * 2)
    assert torch.equal(x, expected)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("form", [torch.channels_last, torch.contiguous_format])
def test_bent_maps_are_the_plans_own_bit_for_bit(form, batch):
    patch = Patch(seed=2).add(3, "rotate", {"angle": 30.0}, features=Indices((1, 5, 9))).add(
        3, "erode", {"radius": 1}, features=Indices((5, 20)), mix=0.5
    ).add(3, "noise", {"sigma": 1.0}, features=Indices((0,)))
    plan = resolve(patch, LAYERS)
    expected = plan.apply(3, maps(torch.contiguous_format, batch))
    given = maps(form, batch)
    assert torch.equal(MapBends(plan, {3: 21}).apply(3, given), expected)
    untouched = [one for one in range(21) if one not in (0, 1, 5, 9, 20)]
    assert torch.equal(given[:, untouched], maps(form, batch)[:, untouched])
