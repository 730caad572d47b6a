"""Planted clusters are found by every method, in any network, and do not depend on luck."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from audiobend.clustering.coactivation import coactivation_points
from audiobend.clustering.find import find_clusters
from audiobend.clustering.grouping import group
from audiobend.clustering.places import NOISE
from audiobend.clustering.settings import Settings, chosen_layers, cluster_counts
from audiobend.clustering.sound_inputs import Given
from audiobend.errors import ClusteringError
from audiobend.io.clusterfile import dump_clusters
from audiobend.networks.bendable import LayerSpec, bent
from audiobend.networks.stylegan2 import Architecture, StyleGAN2
from tests.clustering.pictures import Codes, blobs

METRIC = Settings(method="metric", n_clusters=(3,), steps=150)


@pytest.mark.parametrize("method", [pytest.param("metric", marks=pytest.mark.slow), "coactivation", "effect", "pixels"])
@pytest.mark.parametrize("algorithm", ["kmeans", "dbscan"])
def test_planted_clusters_of_pictures_are_found_and_numbered_from_left_to_right(method, algorithm):
    network = blobs()
    settings = replace(METRIC, method=method, algorithm=algorithm, n_clusters=(3,) if algorithm == "kmeans" else None)
    clusters = find_clusters(network, Codes(40), settings).clusters
    assert clusters.of_layer(1).labels.tolist() == network.kinds.tolist()
    assert clusters.made["method"] == method


def test_a_network_with_one_thread_gives_the_same_file_bit_for_bit_and_another_seed_another_network():
    network = blobs()
    first, again, other = (
        find_clusters(network, Codes(20), replace(METRIC, steps=20, seed=seed), fingerprint="f") for seed in (0, 0, 1)
    )
    assert dump_clusters(first.clusters) == dump_clusters(again.clusters)
    weights = [one.networks[1].network.state_dict() for one in (first, again, other)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not torch.equal(weights[0]["bottleneck.weight"], weights[2]["bottleneck.weight"])


def test_listening_leaves_the_network_as_it_was():
    network = blobs()
    codes = torch.rand(2, 3)
    before = network(codes)
    find_clusters(network, Codes(10), replace(METRIC, method="pixels"))
    assert torch.equal(network(codes), before)
    with bent(network) as sites:
        assert sites.plan is None


def test_accuracy_stands_beside_chance_and_firmness_in_the_file():
    figures = find_clusters(blobs(), Codes(20), METRIC).clusters.made["figures"][1]
    assert figures["chance"] == pytest.approx(1 / 18, rel=1e-3)
    # Features of one kind are all alike, so that telling the kinds apart is the best there is.
    assert figures["chance"] < figures["accuracy"] <= 0.2
    assert figures["silhouette"] > 0.5
    assert figures["stability"] == 1


def test_a_feature_that_belongs_nowhere_is_noise_with_a_name():
    points = np.concatenate([np.zeros((6, 2)), np.ones((6, 2)), [[9.0, -9.0]]])
    points += np.random.default_rng(0).normal(size=points.shape) * 0.01
    groups = group(points, 0, 0, "dbscan", eps=0.3)
    assert groups.labels.tolist() == [0] * 6 + [1] * 6 + [2]
    assert groups.noise == 2

    found = find_clusters(blobs(2), Codes(20), Settings(method="pixels", algorithm="dbscan", eps=1e-3))
    assert list(found.clusters.of_layer(1).names.values()) == [NOISE]


def test_k_means_with_as_many_groups_as_points_ends():
    points = np.random.default_rng(0).normal(size=(8, 2))
    assert sorted(group(points, 8, 0).labels) == list(range(8))


def test_k_means_never_leaves_a_group_empty():
    # Nine points in one place and one elsewhere: Forgy's start mostly takes two centres of the same place.
    points = np.concatenate([np.zeros((30, 2)), np.ones((1, 2))])
    for seed in range(10):
        assert len(set(group(points, 2, seed).labels)) == 2


def test_fewer_different_features_than_clusters_are_refused():
    with pytest.raises(ClusteringError, match="of 31 only 2 do; ask for at most 2"):
        group(np.concatenate([np.zeros((30, 2)), np.ones((1, 2))]), 3, 0)


def test_stability_is_low_where_there_are_no_clusters():
    random = np.random.default_rng(0)
    blurred = group(random.normal(size=(200, 10)), 6, 0).figures
    planted = group(random.normal(size=(200, 10)) + 20 * random.integers(0, 2, (200, 1)), 2, 0).figures
    assert blurred["stability"] < 0.9 < planted["stability"]
    assert blurred["silhouette"] < 0.3 < planted["silhouette"]


def test_features_that_fire_together_lie_together_whatever_their_level_and_sign_of_place():
    random = np.random.default_rng(0)
    drivers = random.normal(size=(2, 500))
    truth = np.array([0, 1, 1, 0, 1, 0])
    activity = drivers[truth] * random.uniform(0.1, 10, (6, 1)) + random.uniform(-50, 50, (6, 1))
    points = coactivation_points(activity.astype(np.float32))
    assert np.array_equal(group(points, 2, 0).labels == group(points, 2, 0).labels[0], truth == 0)


@pytest.mark.filterwarnings("error")
def test_a_feature_that_never_changes_is_no_number_that_is_none():
    activity = np.random.default_rng(0).normal(size=(5, 100)).astype(np.float32)
    activity[2] = 3.0
    assert np.isfinite(coactivation_points(activity)).all()


@pytest.mark.filterwarnings("error")
def test_maps_that_never_change_are_refused_by_layer():
    class Still(type(blobs())):
        def forward(self, codes):
            return self.last(self.blobs(torch.ones(len(codes), len(self.kinds), 16, 16)))

    network = Still(blobs().kinds).eval()
    for method in ("metric", "coactivation", "pixels"):
        with pytest.raises(ClusteringError, match="layer 1: no map ever changes"):
            find_clusters(network, Codes(10), Settings(method=method, steps=1))


TABLE = (
    LayerSpec("z", "z", 512, 1, 1),
    LayerSpec(1, "a", 6, 8, 33),
    LayerSpec(2, "b", 3, 16, 65),
    LayerSpec(5, "c", 1, 9, 9),
)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"layers": (5,)}, "layer 5 has one feature"),
        ({"layers": (7,)}, "there is no layer 7"),
        ({"layers": (1, 1)}, "named twice"),
        ({"layers": ("z",)}, "maps of one point"),
        ({"n_clusters": (2, 4)}, r"layer 2 has 3 features, so it can have 1..3 clusters, got 4"),
        ({"n_clusters": (0,)}, "got 0"),
        ({"n_clusters": (2, 2, 2)}, r"3 numbers of clusters for 2 layers \(1, 2\)"),
        ({"n_clusters": (2,), "algorithm": "dbscan"}, "leave out --clusters"),
        ({"method": "metrik"}, "did you mean 'metric'"),
        ({"algorithm": "kmean"}, "did you mean 'kmeans'"),
        ({"method": "vgg16"}, "--vgg16"),
        ({"eps": 0.0}, "eps"),
    ],
)
def test_settings_that_do_not_fit_are_one_sentence(settings, sentence):
    with pytest.raises(ClusteringError, match=sentence):
        of = Settings(**settings)
        cluster_counts(chosen_layers(TABLE, of), of)


def test_numbered_layers_get_the_papers_numbers_and_fewer_where_there_are_few_features():
    of = Settings()
    specs = chosen_layers(TABLE, of)
    assert [spec.name for spec in specs] == [1, 2]
    assert cluster_counts(specs, of) == [3, 2]
    shapes = ((8, 33), (17, 65), (32, 129), (64, 257))
    sound = [LayerSpec(i + 1, "", 64, *shape) for i, shape in enumerate(shapes)]
    assert cluster_counts(sound, of) == [5, 5, 4, 4]
    sides = [2 ** (2 + (n + 1) // 2) for n in range(1, 17)]
    pictures = [LayerSpec(n + 1, "", 64, side, side, ("y", "x")) for n, side in enumerate(sides)]
    assert cluster_counts(pictures, of) == [5] * 8 + [4] * 4 + [3] * 4


@pytest.mark.parametrize("method", ["metric", "coactivation", "pixels"])
def test_the_features_of_a_stylegan2_are_clustered_by_the_same_code(method):
    torch.manual_seed(0)
    architecture = Architecture(features=(12, 12, 8), n_latent=16, n_style=16, n_mapping=2)
    network = StyleGAN2(architecture).eval()
    codes = Given(torch.randn(12, 16, generator=torch.Generator().manual_seed(0)))
    clusters = find_clusters(network, codes, Settings(method=method, steps=2)).clusters
    assert [(layer, one.n_features) for layer, one in clusters.layers.items()] == [
        (0, 12), (1, 12), (2, 12), (3, 8), (4, 8)
    ]    # fmt: skip
    names = find_clusters(network, codes, Settings(method="coactivation", layers=("w", 3))).clusters
    assert list(names.layers) == ["w", 3]


def test_the_number_of_threads_changes_nothing(tiny_model):
    inputs = Given(torch.randn(6, 1, 128, 513, generator=torch.Generator().manual_seed(0)))
    settings = Settings(steps=2, layers=(1, 4))
    first = find_clusters(tiny_model.network, inputs, settings)
    torch.set_num_threads(2)
    try:
        again = find_clusters(tiny_model.network, inputs, settings)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert dump_clusters(first.clusters) == dump_clusters(again.clusters)
    assert torch.equal(first.mean_abs[4], again.mean_abs[4])
