"""Selections of features: sorted, reproducible, and refused by a sentence where they do not fit."""

import subprocess
import sys

import pytest
import torch

from audiobend.bending import All, Cluster, Clusters, Indices, Random, Range
from audiobend.bending.features import fixed_permutation, parse_features, stable_key
from audiobend.errors import PatchError


def resolved(features, n=100, labels=None, key=1):
    return features.resolve(n, labels, key)


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (All(), [0, 1, 2, 3, 4, 5]),
        (Range(2, 5), [2, 3, 4]),
        (Indices((5, 0, 3)), [0, 3, 5]),
        (Indices(()), []),
        (Cluster((1,)), [1, 3, 5]),
        (Cluster((1, 0)), [0, 1, 2, 3, 4, 5]),
        (Cluster(("bright",)), [1, 3, 5]),
    ],
)
def test_selections_resolve_to_sorted_indices(features, expected):
    labels = Clusters.from_labels({1: [0, 1] * 3}, names={1: {1: "Bright"}}).of_layer(1)
    found = resolved(features, 6, labels)
    assert found.dtype == torch.long and found.dim() == 1
    assert found.tolist() == expected


def test_a_growing_fraction_only_adds_features():
    before: set[int] = set()
    for count in range(0, 129):
        now = resolved(Random(count / 128), 128)
        assert before <= set(now.tolist())
        assert len(now) == len(set(now.tolist())) == count
        assert now.tolist() == sorted(now.tolist())
        before = set(now.tolist())


def test_a_share_is_rounded_down_as_in_the_original():
    assert len(resolved(Random(0.999), 10)) == 9
    assert all(len(resolved(Random(p / 1000), n)) == int(n * (p / 1000)) for p in range(0, 1001, 7) for n in (64, 100))


def test_other_keys_draw_other_features():
    drawn = {tuple(resolved(Random(0.5), key=stable_key(7, 3, name)).tolist()) for name in "abcdefgh"}
    assert len(drawn) == 8


def test_draws_are_even():
    count = torch.zeros(16)
    for key in range(2000):
        count[fixed_permutation(16, key)[:4]] += 1
    assert (count - 500).abs().max() < 5 * (2000 * 0.25 * 0.75) ** 0.5


def test_draws_are_the_same_in_every_process_and_for_ever():
    code = (
        "from audiobend.bending.features import fixed_permutation, stable_key as k;"
        "print(k(7, 1, 'dust'), fixed_permutation(8, k(7, 1, 'dust')).tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1",)
    }
    assert outputs == {
        f"{stable_key(7, 1, 'dust')} {fixed_permutation(8, stable_key(7, 1, 'dust')).tolist()}\n"
    }
    assert stable_key(7, 1, "dust") == 3930486945592109148
    assert fixed_permutation(8, 1).tolist() == [2, 4, 7, 5, 0, 6, 3, 1]


def test_a_key_tells_parts_and_kinds_apart():
    assert (
        len({stable_key(1, "23"), stable_key("1", "23"), stable_key(12, "3"), stable_key("1\x1f", "23")}) == 4
    )


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Random(1.5), "features: random: the fraction must be in 0..1, got 1.5"),
        (lambda: Random(float("nan")), "features: random: the fraction must be in 0..1, got nan"),
        (lambda: Range(5, 5), "features: range must be [low, high] with 0 <= low < high, got [5, 5]"),
        (lambda: Range(-1, 5), "features: range must be [low, high] with 0 <= low < high, got [-1, 5]"),
        (lambda: Indices((1, 2, 1)), "features: indices: each feature may stand there once, got 1 twice"),
        (
            lambda: resolved(Range(2, 9), 8),
            "features: range must end at 8 or before (this layer has features 0..7), got [2, 9]",
        ),
        (lambda: resolved(Indices((8,)), 8), "features: indices must be in 0..7 for this layer, got 8"),
        (lambda: resolved(Indices((-1,)), 8), "features: indices must be in 0..7 for this layer, got -1"),
        (
            lambda: resolved(Cluster((1,)), 8),
            "features: cluster needs clusters, but there are none for this layer",
        ),
        (
            lambda: parse_features("some"),
            "features must be all, cluster <k>, random <fraction>, range <low> <high> or indices <i> <j> .., "
            "got 'some'",
        ),
    ],
)
def test_wrong_selections_are_one_sentence(make, sentence):
    with pytest.raises(PatchError) as caught:
        make()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("text", "features"),
    [
        ("all", All()),
        ("cluster 2", Cluster((2,))),
        ("cluster:1,2", Cluster((1, 2))),
        ("cluster low band", Cluster(("low band",))),
        ("random 0.25", Random(0.25)),
        ("range 0 16", Range(0, 16)),
        ("indices 9 1", Indices((9, 1))),
    ],
)
def test_selections_can_be_typed(text, features):
    assert parse_features(text) == features
