"""Cluster files of three kinds come back as they were; features missing or twice, or another model's, are refused."""

import json

import pytest
import torch

from audiobend.bending import Clusters, LayerClusters
from audiobend.errors import PatchError
from audiobend.io.clusterfile import dump_clusters, load_clusters, parse_clusters, save_clusters

OURS = Clusters(
    {
        1: LayerClusters(torch.tensor([0, 1, 1, 0]), {0: "low band"}, {0: {"centroid_hz": 120.5}, 1: {"share": 1}}),
        "e2": LayerClusters(torch.tensor([2, 0])),
    },
    fingerprint="0123456789abcdef",
    made={"method": "metric", "seed": 3, "figures": {1: {"accuracy": 0.5}}},
)
PLAIN = Clusters.from_labels({"const": [0, 0, 1], 0: [1, 0], 3: [2, 0, 1, 0]})


@pytest.mark.parametrize("fingerprint", ["0123456789abcdef", "1234567890123456", "123e4567", None])
def test_ours_comes_back_as_it_was(tmp_path, fingerprint):
    clusters = Clusters(OURS.layers, fingerprint, OURS.made)
    save_clusters(clusters, tmp_path / "c.yaml")
    assert load_clusters(tmp_path / "c.yaml", fingerprint=fingerprint) == clusters
    assert dump_clusters(clusters).startswith("audiobend-clusters: 1\n")


@pytest.mark.parametrize("format", ["broad2020", "zheng2022", "audiobend"])
def test_labels_come_back_from_every_kind(tmp_path, format):
    save_clusters(PLAIN, tmp_path / "c.yaml", format=format)
    assert load_clusters(tmp_path / "c.yaml", fingerprint="of any model") == PLAIN


def test_network_bendings_files_are_read_in_any_order():
    text = """\
1:
- {cluster_index: 0, feature_index: 2}
- {cluster_index: 4, feature_index: 0}
- {cluster_index: 0, feature_index: 1}
12:
- {feature_index: 0, cluster_index: 0}
"""
    clusters = parse_clusters(text)
    assert clusters.of_layer(1).labels.tolist() == [4, 0, 0]
    assert list(clusters.layers) == [1, 12]


def test_zhengs_lists_stand_for_the_constant_the_first_convolution_and_two_for_each_resolution():
    clusters = parse_clusters(json.dumps([[0, 1], [1, 0], [], [2, 2]]))
    assert {layer: one.labels.tolist() for layer, one in clusters.layers.items()} == {
        "const": [0, 1],
        0: [1, 0],
        2: [2, 2],
    }
    assert list(parse_clusters([[0]] * 18).layers) == ["const", *range(17)]


def test_another_models_clusters_are_refused(tmp_path):
    save_clusters(OURS, tmp_path / "c.yaml")
    with pytest.raises(PatchError) as caught:
        load_clusters(tmp_path / "c.yaml", fingerprint="fedcba9876543210")
    assert str(caught.value) == (
        f"{tmp_path}/c.yaml: these clusters are for the model 0123456789abcdef, not for fedcba9876543210; "
        "cluster this model's features, or take the file that came with it"
    )


WRONG = {
    "{1: [{cluster_index: 0, feature_index: 0}, {cluster_index: 1, feature_index: 0}]}": (
        "layer 1: feature 0 stands there twice"
    ),
    "{1: [{cluster_index: 0, feature_index: 0}, {cluster_index: 1, feature_index: 2}]}": (
        "layer 1: feature 1 is missing (the last one is 2)"
    ),
    "{1: [{cluster_index: 0, feature_index: 1000000000000}]}": (
        "layer 1: feature 0 is missing (the last one is 1000000000000)"
    ),
    "{1: [{cluster_index: 0}]}": "layer 1: must be a list of {cluster_index: .., feature_index: ..}, got",
    "{1: [{cluster_index: 0.5, feature_index: 0}]}": "layer 1: must be a list of",
    "{1: [{cluster_index: -1, feature_index: 0}]}": "layer 1: must be a list of",
    "{1: []}": "layer 1: must be a list of",
    "{1: 3}": "layer 1: must be a list of",
    "{1.5: []}": "layer 1.5 must be a number such as 3",
    "hello": "clusters must be a mapping from layers to features, or a list of lists of labels",
    "{}": "clusters must be a mapping from layers to features, or a list of lists of labels",
    "[]": "there are no labels",
    "[[]]": "there are no labels",
    "[[0, 1], 3]": "[1]: labels must be a list with the cluster index of each feature, got 3",
    "[[0, -1]]": "[0]: labels must be a list with the cluster index of each feature, got [0, -1]",
    "[[0, true]]": "[0]: labels must be a list",
    json.dumps([[0]] * 19): "a network has 18 places at most, got lists of labels for 19",
    "{audiobend-clusters: 2, layers: {}}": "audiobend-clusters must be 1, the version of cluster files, got 2",
    "{layers: {}}": "audiobend-clusters must be 1, the version of cluster files, got None",
    "{audiobend-clusters: 1, layer: {}}": "unknown key 'layer'; did you mean 'layers'?",
    "{audiobend-clusters: 1, layers: []}": "layers must be a mapping from layer names, got []",
    "{audiobend-clusters: 1, layers: {1: [0]}}": "layer 1: must be a mapping with 'labels', got [0]",
    "{audiobend-clusters: 1, layers: {1: {label: [0]}}}": "layer 1: unknown key 'label'; did you mean 'labels'?",
    "{audiobend-clusters: 1, layers: {1: {labels: [x]}}}": "layer 1: labels must be a list with the cluster index",
    "{audiobend-clusters: 1, layers: {1: {labels: [0], names: {1: x}}}}": (
        "layer 1: there is no cluster 1 to name; this layer has clusters 0..0"
    ),
    "{audiobend-clusters: 1, layers: {1: {labels: [0], names: [x]}}}": (
        "layer 1: names must be a mapping from cluster indices, got ['x']"
    ),
    "{audiobend-clusters: 1, layers: {1: {labels: [0], descriptors: {0: 3}}}}": (
        "layer 1: descriptors must be a mapping from cluster indices"
    ),
    "{audiobend-clusters: 1, layers: {1: {labels: [99999999999999999999]}}}": "layer 1: clusters: labels",
    "{1: [{cluster_index: 0, feature_index: 0}], '1': [{cluster_index: 0, feature_index: 0}]}": (
        "layer 1 stands there twice"
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_file_is_one_sentence_with_its_name(tmp_path, text):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(PatchError) as caught:
        load_clusters(tmp_path / "c.yaml")
    assert str(caught.value).startswith(f"{tmp_path}/c.yaml: {WRONG[text]}")
    assert "\n" not in str(caught.value)


def test_layers_of_sound_cannot_be_written_as_zhengs_lists():
    with pytest.raises(PatchError, match="layer e2: lists of labels are for StyleGAN's layers"):
        dump_clusters(OURS, format="zheng2022")
    with pytest.raises(PatchError, match="cluster files are written as audiobend, broad2020, zheng2022; got 'json'"):
        dump_clusters(OURS, format="json")


def test_a_whole_picture_networks_clusters_are_read_in_a_moment(tmp_path):
    clusters = Clusters.from_labels({layer: torch.arange(512) % 5 for layer in range(1, 17)})
    save_clusters(clusters, tmp_path / "c.yaml", format="broad2020")
    assert load_clusters(tmp_path / "c.yaml") == clusters
