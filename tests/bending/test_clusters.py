"""Clusters: every feature in one, queries by index and name, sentences for what is not there."""

import pytest
import torch

from audiobend.bending import Clusters, LayerClusters
from audiobend.errors import PatchError

CLUSTERS = Clusters.from_labels(
    {1: [0, 2, 0, 2], "e1": [0, 1]}, names={1: {0: "low band", 2: "onsets"}}, fingerprint="abc"
)


def test_the_clusters_of_a_layer_share_out_all_features():
    layer = CLUSTERS.of_layer(1)
    found = torch.cat([layer.features_of(k) for k in range(layer.n_clusters)])
    assert sorted(found.tolist()) == list(range(layer.n_features))


def test_queries():
    assert CLUSTERS.n_clusters(1) == 3
    assert CLUSTERS.features_of(1, 0).tolist() == [0, 2]
    assert CLUSTERS.features_of(1, 1).tolist() == []
    assert CLUSTERS.features_of(1, "Onsets").tolist() == [1, 3]
    assert CLUSTERS.label(1, 0) == "low band" and CLUSTERS.label(1, 1) == "cluster 1"
    assert 1 in CLUSTERS and "e1" in CLUSTERS and 2 not in CLUSTERS


def test_equal_clusters_are_equal():
    same = Clusters.from_labels(
        {1: torch.tensor([0, 2, 0, 2]), "e1": [0, 1]},
        names={1: {0: "low band", 2: "onsets"}},
        fingerprint="abc",
    )
    assert same == CLUSTERS
    assert Clusters.from_labels({1: [0, 2, 0, 1], "e1": [0, 1]}, fingerprint="abc") != CLUSTERS


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: CLUSTERS.n_clusters(2), "layer 2 has no clusters; there are clusters for: 1, e1"),
        (lambda: CLUSTERS.features_of(1, 3), "cluster 3: this layer has clusters 0..2"),
        (lambda: CLUSTERS.features_of(1, -1), "cluster -1: this layer has clusters 0..2"),
        (lambda: CLUSTERS.features_of(1, "onset"), "unknown cluster 'onset'; did you mean 'onsets'?"),
        (lambda: CLUSTERS.features_of("e1", "low"), "unknown cluster 'low'; there are: 0, 1"),
        (
            lambda: LayerClusters(torch.tensor([0.5])),
            "clusters: labels must be one whole number in 0..8191 for each feature",
        ),
        (
            lambda: LayerClusters(torch.tensor([0, -1])),
            "clusters: labels must be one whole number in 0..8191 for each feature",
        ),
    ],
)
def test_what_is_not_there_is_one_sentence(ask, sentence):
    with pytest.raises(PatchError) as caught:
        ask()
    assert str(caught.value) == sentence
