"""The earlier systems' own results, kept as data (the full set runs where it lies beside the repository)."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from audiobend.bending import TRANSFORMS, apply_transform
from audiobend.bending.broad2020 import inverse_of_translation, inverse_of_turn
from audiobend.bending.morphology import half_widths
from audiobend.bending.warp import warp

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "golden"


def load(small: str, full: str) -> tuple[dict[str, np.ndarray], list[dict]]:
    path = SHARED / full if (SHARED / full).exists() else HERE / small
    arrays = dict(np.load(path))
    return arrays, json.loads(str(arrays["meta_json"]))


BROAD, BROAD_CASES = load("golden_broad.npz", "broad_transforms.npz")
ZHENG, ZHENG_CASES = load("golden_zheng.npz", "zheng_blocks.npz")


def names(cases: list[dict]) -> list[str]:
    return [f"{case['key']}-{case.get('transform') or case['op']}" for case in cases]


@pytest.mark.parametrize("case", BROAD_CASES, ids=names(BROAD_CASES))
def test_broad2020_equals_the_original_code(case):
    x = torch.from_numpy(BROAD[case["input"]])[None]
    bent = apply_transform(
        case["transform"], x, case["params"], profile="broad2020", features=case["mask"]
    )
    np.testing.assert_allclose(bent[0].numpy(), BROAD[f"{case['key']}_out"], rtol=0, atol=1e-6)


WARPED = [case for case in BROAD_CASES if f"{case['key']}_exact" in BROAD]


@pytest.mark.parametrize("case", WARPED, ids=names(WARPED))
def test_geometry_without_rounding_equals_the_exact_arrays(case):
    x = torch.from_numpy(BROAD[case["input"]])[None].double()
    values = case["params"]
    if case["transform"] == "translate":
        inverse = inverse_of_translation(x, *values)
    elif case["transform"] == "scale":
        inverse = inverse_of_turn(x, 0, *values)
    else:
        inverse = inverse_of_turn(x, *values, 1)
    bent = x.clone()
    bent[:, case["mask"]] = warp(x[:, case["mask"]], inverse)
    np.testing.assert_allclose(bent[0].numpy(), BROAD[f"{case['key']}_exact"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("radius", range(9))
def test_disc_equals_opencv_ellipse(radius):
    table = BROAD[f"ellipse_r{radius}"]
    halves = half_widths(radius)
    for row in range(2 * radius + 1):
        half = halves[abs(row - radius)]
        assert table[row].tolist() == [int(abs(column - radius) <= half) for column in range(2 * radius + 1)]


def test_chained_patch_equals_the_original():
    x = torch.from_numpy(BROAD["chain_in"])[None]
    for entry in json.loads(str(BROAD["chain_cfg_json"]))["transforms"]:
        if entry["layer"] != 5:
            continue    # the chain was recorded on layer 5
        features = {
            "all": None,
            "random": BROAD["chain_random_indices"].tolist(),
            "cluster": [index for index in range(512) if index % 5 == entry["feature-param"]],
        }[entry["features"]]
        x = apply_transform(
            entry["transform"], x, entry["params"], profile="broad2020", features=features
        )
    np.testing.assert_allclose(x[0].numpy(), BROAD["chain_out"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("case", ZHENG_CASES, ids=names(ZHENG_CASES))
def test_zheng2022_equals_the_original_code(case):
    x = torch.from_numpy(ZHENG[f"in_{case['size']}"])
    features = None
    if case["clusters"]:
        features = np.flatnonzero(np.isin(ZHENG["cluster_labels"], case["clusters"])).tolist()
    op = case["op"].removesuffix("_patched_color_ops")
    bent = apply_transform(op, x, case["params"], profile="zheng2022", features=features).numpy()
    np.testing.assert_allclose(
        bent[:, ZHENG[f"{case['key']}_ch"]], ZHENG[f"{case['key']}_out"], rtol=0, atol=1e-5
    )
    total = case["full_abs"] + 1
    assert abs(bent.sum(dtype=np.float64) - case["full_sum"]) < 1e-5 * total
    assert abs(np.abs(bent).sum(dtype=np.float64) - case["full_abs"]) < 1e-5 * total


def test_on_square_maps_default_differs_from_broad2020_by_the_centre_only():
    x = torch.randn(1, 2, 16, 16)
    moved = {"x": 0.25, "y": -0.125}    # whole cells: no centre in a translation
    torch.testing.assert_close(
        apply_transform("translate", x, moved), apply_transform("translate", x, moved, profile="broad2020")
    )
    turned = apply_transform("rotate", x, [180])
    by_the_corner = apply_transform("rotate", x, [180], profile="broad2020")
    torch.testing.assert_close(turned[..., :-1, :-1], by_the_corner[..., 1:, 1:])


def test_every_transform_of_the_original_has_a_golden_case():
    assert {case["transform"] for case in BROAD_CASES} <= set(TRANSFORMS)
    assert len({case["transform"] for case in BROAD_CASES}) == 11
