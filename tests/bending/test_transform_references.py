"""Transforms against independent references: numpy in float64, and scipy.ndimage."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from audiobend.bending import TRANSFORMS, apply_transform
from audiobend.bending.morphology import half_widths

SHAPES = [(1, 1), (1, 9), (7, 1), (4, 4), (5, 8), (8, 33), (17, 65)]
FEATURES = 3


def maps(shape, dtype=torch.float64, batch=1, features=FEATURES):
    return torch.randn(batch, features, *shape, generator=torch.Generator().manual_seed(1), dtype=dtype)


def bent(name, x, values=None, **bend):
    return apply_transform(name, x, values, **bend).numpy()


def sampled(image, place):
    """Read ``image`` at ``place(row, column) -> (row, column)``, one cell after the other; 0 outside."""
    height, width = image.shape
    out = np.zeros_like(image)
    for row in range(height):
        for column in range(width):
            y, x = place(row, column)
            for at_y in (math.floor(y), math.floor(y) + 1):
                for at_x in (math.floor(x), math.floor(x) + 1):
                    if 0 <= at_y < height and 0 <= at_x < width:
                        share = (1 - abs(y - at_y)) * (1 - abs(x - at_x))
                        out[row, column] += share * image[at_y, at_x]
    return out


def about_centre(shape, matrix):
    """Where a cell comes from when ``matrix``, in (x, y), moves the map about its centre."""
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    inverse = np.linalg.inv(matrix)

    def place(row, column):
        x, y = inverse @ (np.array([column, row]) - centre) + centre
        return y, x

    return place


def turn(degrees):
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, sin], [-sin, cos]])    # y points down: this is counter-clockwise on the screen


WARPS = [
    ("translate", {"x": 0.3, "y": -0.2}, lambda h, w: lambda row, col: (row + 0.2 * h, col - 0.3 * w)),
    ("translate", {"x": -1, "y": 0}, lambda h, w: lambda row, col: (row, col + w)),
    ("translate", {}, lambda h, w: lambda row, col: (row, col)),
    ("rotate", {"angle": 30}, lambda h, w: about_centre((h, w), turn(30))),
    ("rotate", {"angle": 211.5}, lambda h, w: about_centre((h, w), turn(211.5))),
    ("rotate", {"angle": 360}, lambda h, w: lambda row, col: (row, col)),
    ("scale", {"k": 1.7}, lambda h, w: about_centre((h, w), np.diag([1.7, 1.7]))),
    ("scale", {"k": 0.4}, lambda h, w: about_centre((h, w), np.diag([0.4, 0.4]))),
    ("scale", {"kx": 0.5, "ky": 3}, lambda h, w: about_centre((h, w), np.diag([0.5, 3]))),
    ("shear", {"x": 0.7}, lambda h, w: about_centre((h, w), np.array([[1, 0.7], [0, 1]]))),
    (
        "shear",
        {"x": 0.7, "y": -0.4},
        lambda h, w: about_centre((h, w), np.array([[1, 0], [-0.4, 1]]) @ np.array([[1, 0.7], [0, 1]])),
    ),
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "values", "places"), WARPS, ids=lambda v: "" if callable(v) else str(v))
def test_warps_equal_sampling_cell_by_cell(name, values, places, shape, dtype):
    x = maps(shape, dtype)
    expected = [sampled(image, places(*shape)) for image in x[0].double().numpy()]
    np.testing.assert_allclose(
        bent(name, x, values)[0], expected, rtol=0, atol=1e-9 if dtype == torch.float64 else 1e-5
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_quarter_turns_and_flips_move_whole_cells(shape):
    x = maps(shape, torch.float32)
    assert torch.equal(apply_transform("rotate", x, [180]), x.flip(-1, -2))
    assert torch.equal(apply_transform("flip-h", x), x.flip(-1))
    assert torch.equal(apply_transform("flip-v", x), x.flip(-2))
    if shape[0] == shape[1]:
        assert torch.equal(apply_transform("rotate", x, [90]), x.rot90(1, (-2, -1)))


def test_flips_of_big_maps_equal_flips_of_small_ones():
    x = torch.rand(1, 34, 512, 512)
    for name, dim in (("flip-h", -1), ("flip-v", -2)):
        assert torch.equal(apply_transform(name, x), x.flip(dim))


def test_scale_0_leaves_nothing():
    assert not apply_transform("scale", maps((5, 9)), [0]).any()
    assert not apply_transform("scale", maps((5, 9)), {"kx": 0}).any()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_roll_brings_back_what_leaves(shape):
    x = maps(shape)
    height, width = shape
    expected = [
        ndimage.shift(np.tile(image, (3, 3)), (0.3 * height, -0.45 * width), order=1)
        for image in x[0].numpy()
    ]
    inner = np.array(expected)[:, height : 2 * height, width : 2 * width]
    np.testing.assert_allclose(bent("roll", x, {"x": -0.45, "y": 0.3})[0], inner, rtol=0, atol=1e-9)
    assert torch.equal(apply_transform("roll", x, [1, -1]), x)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_mirrors_are_symmetric_and_keep_the_first_half(shape):
    x = maps(shape)
    for name, dim in (("mirror-h", -1), ("mirror-v", -2)):
        out = apply_transform(name, x)
        kept = (x.shape[dim] + 1) // 2
        assert torch.equal(out, out.flip(dim))
        assert torch.equal(out.narrow(dim, 0, kept), x.narrow(dim, 0, kept))


def test_crop_and_mask_share_the_map_between_them():
    x = maps((8, 20))
    box = {"x": 0.1, "y": 0.5, "width": 0.3, "height": 0.25}
    inside, outside = apply_transform("crop", x, box), apply_transform("mask", x, box)
    assert torch.equal(inside + outside, x)
    cells = torch.cartesian_prod(torch.arange(4, 6), torch.arange(2, 8))
    assert torch.equal(inside.ne(0).nonzero()[:, 2:].unique(dim=0), cells)


def disc(radius):
    halves = half_widths(radius)
    across = np.abs(np.arange(-radius, radius + 1))
    return np.array([across <= halves[row] for row in across])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("radius", [0, 1, 2, 3, 5, 9, 32])
@pytest.mark.parametrize("shape", [*SHAPES, (32, 129)], ids=str)
def test_morphology_equals_scipy_with_borders_ignored(shape, radius, dtype):
    x = maps(shape, dtype, features=2)
    for name, reference, border in (
        ("erode", ndimage.grey_erosion, np.inf),
        ("dilate", ndimage.grey_dilation, -np.inf),
    ):
        expected = [
            reference(image, footprint=disc(radius), mode="constant", cval=border) for image in x[0].numpy()
        ]
        np.testing.assert_array_equal(bent(name, x, [radius])[0], expected)


@pytest.mark.parametrize("radius", range(33))
def test_discs_are_round_and_do_not_grow_away_from_the_middle(radius):
    halves = half_widths(radius)
    assert halves[0] == radius and halves == sorted(halves, reverse=True)
    for row, half in enumerate(halves):    # the nearest whole number to the circle, decided without roots
        assert half == 0 or (2 * half - 1) ** 2 < 4 * (radius**2 - row**2)
        assert (2 * half + 1) ** 2 > 4 * (radius**2 - row**2)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_filters_equal_scipy(shape):
    x = maps(shape)
    for size in (1, 3, 4, 9):
        origin = -1 if size % 2 == 0 else 0
        expected = [
            ndimage.uniform_filter(image, size, mode="nearest", origin=origin) for image in x[0].numpy()
        ]
        np.testing.assert_allclose(bent("mean-filter", x, [size])[0], expected, rtol=0, atol=1e-12)
    for sigma in (0.01, 0.4, 1.5, 4.0):
        expected = [
            ndimage.gaussian_filter(image, sigma, mode="nearest", radius=math.ceil(3 * sigma))
            for image in x[0].numpy()
        ]
        np.testing.assert_allclose(bent("blur", x, [sigma])[0], expected, rtol=0, atol=1e-12)
    kernel = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
    for factor in (0, 0.5, 1, 4):
        soft = np.array([ndimage.correlate(image, kernel, mode="nearest") for image in x[0].numpy()])
        np.testing.assert_allclose(
            bent("sharpen", x, [factor])[0], soft + factor * (x[0].numpy() - soft), rtol=0, atol=1e-12
        )


def test_numerical_transforms_are_their_formulas():
    x = maps((5, 9))
    a = x.numpy()
    assert not bent("ablate", x).any()
    np.testing.assert_array_equal(bent("invert", x), 1 - a)
    np.testing.assert_array_equal(bent("negate", x), -a)
    np.testing.assert_array_equal(bent("scalar-multiply", x, [-2.5]), -2.5 * a)
    np.testing.assert_array_equal(bent("offset", x, [0.75]), a + 0.75)
    np.testing.assert_array_equal(bent("binary-thresh", x, [0.25]), (a > 0.25).astype(float))
    rows, columns = np.mgrid[:5, :9]
    waves = 4 * np.sin(3 * (columns - 1) / 9) + 4 * np.sin(2 * (rows + 2) / 5)
    values = {"wave-x": 3, "wave-y": 2, "shift-x": 1, "shift-y": -2}
    np.testing.assert_allclose(bent("sin-disrupt", x, values), np.broadcast_to(waves, a.shape), atol=1e-12)


def test_the_threshold_is_strict_and_its_second_spelling_works():
    x = torch.tensor([0.25, 0.5, 0.75]).view(1, 1, 1, 3)
    assert apply_transform("binary-thresh", x, [0.5]).flatten().tolist() == [0, 0, 1]
    assert apply_transform("binary-tresh", x, []).flatten().tolist() == [0, 0, 1]


def test_shuffle_permutes_the_selected_features():
    x = maps((3, 4), features=40)
    chosen = list(range(1, 40, 2))
    out = apply_transform("shuffle", x, features=chosen, seed=3)
    key = [feature.flatten()[0].item() for feature in x[0, chosen]]
    assert sorted(out[0, chosen, 0, 0].tolist()) == sorted(key) != out[0, chosen, 0, 0].tolist()


def test_vanish_leaves_no_trace_of_the_selected_features():
    x = torch.arange(6.0).view(1, 6, 1, 1)
    out = apply_transform("vanish", x, features=[1, 2])
    assert out.flatten().tolist() == [0, 3, 4, 3, 4, 5]    # the others in a row: 0 3 4 5, then 0 3 again
    assert not apply_transform("vanish", x).any()


def test_swap_takes_partners_outside_and_each_once_before_any_twice():
    x = torch.arange(10.0).view(1, 10, 1, 1)
    few = apply_transform("swap", x, features=[0, 1, 2], seed=4).flatten().tolist()
    assert len(set(few[:3])) == 3 and set(few[:3]) <= set(range(3, 10))
    many = apply_transform("swap", x, features=list(range(8)), seed=4).flatten().tolist()
    assert sorted(many[:8]) == [8] * 4 + [9] * 4


def test_swap_of_all_features_exchanges_them_in_pairs():
    x = torch.arange(9.0).view(1, 9, 1, 1)
    partner = apply_transform("swap", x, seed=2).flatten().long()
    assert torch.equal(partner[partner], torch.arange(9))
    assert (partner != torch.arange(9)).sum() == 8    # the odd one stays


def test_swap_and_blend_reach_into_second_maps():
    x, other = maps((3, 4), batch=2), maps((3, 4), batch=2) + 10
    swapped = apply_transform("swap", x, features=[1], other=other)
    assert torch.equal(swapped[:, 1], other[:, 1]) and torch.equal(swapped[:, [0, 2]], x[:, [0, 2]])
    blended = apply_transform("blend", x, {"amount": [0.25, 0.5]}, other=other)
    shares = torch.tensor([0.25, 0.5], dtype=torch.float64).view(2, 1, 1, 1)
    torch.testing.assert_close(blended, torch.lerp(x, other, shares))


def test_blend_goes_from_the_feature_to_its_partner():
    x = maps((3, 4), features=8)
    bend = {"features": [1, 5], "seed": 9}
    assert torch.equal(apply_transform("blend", x, [0], **bend), x)
    partner = apply_transform("swap", x, **bend)
    assert torch.equal(apply_transform("blend", x, [1], **bend), partner)
    torch.testing.assert_close(apply_transform("blend", x, [0.3], **bend), torch.lerp(x, partner, 0.3))


def test_noise_is_gaussian_frozen_by_the_seed_and_steady_under_growing_selections():
    x = torch.zeros(2, 64, 16, 16)
    out = apply_transform("noise", x, {"sigma": 2}, seed=1)
    assert abs(out.std() - 2) < 0.05 and abs(out.mean()) < 0.05
    assert torch.equal(out[0], out[1])
    some = apply_transform("noise", x, {"sigma": 2}, seed=1, features=[3, 9])
    assert torch.equal(some[:, [3, 9]], out[:, [3, 9]])


def test_fresh_noise_changes_from_call_to_call_and_frozen_noise_does_not():
    x = torch.zeros(1, 4, 8, 8)
    for fresh in (0, 1):
        first, again, second = (
            apply_transform("noise", x, {"fresh": fresh}, call=call) for call in (1, 1, 2)
        )
        assert torch.equal(first, again)
        assert torch.equal(first, second) == (not fresh)


def test_normalised_maps_have_mean_0_and_deviation_1():
    x = maps((8, 33)) * 5 + 3
    out = apply_transform("normalise", x, features=[0, 2])
    assert out[:, [0, 2]].mean((-2, -1)).abs().max() < 1e-9
    assert (out[:, [0, 2]].std((-2, -1), correction=0) - 1).abs().max() < 1e-6


def test_smooth_is_a_one_pole_that_only_looks_back():
    x = maps((12, 3))
    out = bent("smooth", x, [0.8])
    row = x[..., 0, :].numpy()
    for time in range(12):
        row = 0.2 * x[..., time, :].numpy() + 0.8 * row
        np.testing.assert_allclose(out[..., time, :], row, atol=1e-12)
    later = x.clone()
    later[..., 6:, :] = 0
    np.testing.assert_array_equal(bent("smooth", later, [0.8])[..., :6, :], out[..., :6, :])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_gpu_agrees_with_the_cpu(name):
    x = maps((8, 33), torch.float32, batch=2, features=12)
    for features in (None, [1, 4, 9]):
        on_gpu = apply_transform(name, x.cuda(), features=features, seed=3)
        assert on_gpu.is_cuda
        torch.testing.assert_close(
            on_gpu.cpu(), apply_transform(name, x, features=features, seed=3), atol=1e-5, rtol=1e-5
        )
