"""Clusters of picture models are named by what they do to pictures."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from audiobend.bending import Clusters, LayerClusters
from audiobend.clustering.picture_labels import name_picture_clusters
from audiobend.clustering.picture_profile import PictureProfile, changes_of, profile_of
from audiobend.clustering.seeing import describe_pictures
from audiobend.io.clusterfile import load_clusters, save_clusters
from audiobend.io.picturemodel import load_picture_model

PLAIN = torch.zeros(2, 3, 48, 48)
EVEN = np.full(3, 1 / 3)


def painted(value, rows=slice(None), columns=slice(None), channels=slice(None)):
    bent = PLAIN.clone()
    bent[:, channels, rows, columns] = value
    return bent


def test_the_change_is_measured_in_percent_from_black_to_white():
    assert profile_of(PLAIN, painted(0.5)).change == pytest.approx(25)
    assert profile_of(PLAIN, PLAIN).change == 0


@pytest.mark.parametrize(("rows", "third"), [(slice(0, 16), 0), (slice(16, 32), 1), (slice(32, 48), 2)])
def test_where_something_changes_is_where_it_is_said_to_be(rows, third):
    assert profile_of(PLAIN, painted(0.5, rows=rows)).rows[third] == pytest.approx(1)
    assert profile_of(PLAIN, painted(0.5, columns=rows)).columns[third] == pytest.approx(1)


def test_stripes_are_upright_or_level():
    assert profile_of(PLAIN, painted(0.5, columns=slice(0, 48, 2))).upright > 10
    assert profile_of(PLAIN, painted(0.5, rows=slice(0, 48, 2))).upright < 0.1


def test_grey_has_no_colour_and_a_change_of_red_against_blue_has_little_else():
    assert profile_of(PLAIN, painted(0.5)).colour == pytest.approx(0, abs=1e-6)
    red = painted(0.5, channels=0) - painted(0.5, channels=2)
    assert profile_of(PLAIN, red).colour > 0.9
    assert changes_of(PLAIN, red)["warmth"] == pytest.approx(25)


def test_large_areas_are_broad_and_single_points_are_not():
    assert profile_of(PLAIN, painted(0.5)).broad == pytest.approx(1)
    points = painted(0.5, rows=slice(0, 48, 6), columns=slice(0, 48, 6))
    assert profile_of(PLAIN, points).broad < 0.1


def test_brightness_and_contrast_move_as_they_should():
    changes = changes_of(PLAIN, painted(0.5))
    assert changes["brightness"] == pytest.approx(25)
    assert changes["contrast"] == pytest.approx(0, abs=1e-5)
    assert changes_of(PLAIN, painted(0.5, rows=slice(0, 24)))["contrast"] > 10


def test_labels_tell_what_a_cluster_does_more_than_its_layers_others():
    usual = PictureProfile(5.0, 1.0, 0.2, 0.3, EVEN, EVEN)
    labels = name_picture_clusters({
        0: usual,
        1: replace(usual, upright=2.0),
        2: replace(usual, colour=0.8),
        3: replace(usual, broad=0.9, columns=np.array([0.8, 0.1, 0.1])),
        4: None,
    })
    assert labels == {0: "whole picture", 1: "upright lines", 2: "colour", 3: "broad, left", 4: "unseen"}


@pytest.fixture(scope="module")
def model():
    """The shipped model, with one empty cluster and two that differ."""
    model = load_picture_model()
    of_layer = model.clusters.of_layer(5)
    labels = torch.where(of_layer.labels == 4, 0, 1)
    labels[0] = 3    # nobody is in cluster 2
    return replace(model, clusters=Clusters({5: LayerClusters(labels)}, model.fingerprint))


@pytest.mark.slow
def test_clusters_of_the_shipped_model_get_labels_and_facts_that_survive_a_file(model, tmp_path):
    found = describe_pictures(model, model.clusters)
    assert found == describe_pictures(model, model.clusters)    # the same every time
    one = found.of_layer(5)
    assert one.label(2) == "unseen" and one.descriptors[2]["silent"]
    assert len(set(one.names.values())) == 4
    assert one.descriptors[0]["change_percent"] > 1
    assert torch.equal(one.labels, model.clusters.of_layer(5).labels)
    save_clusters(found, tmp_path / "clusters.yaml")
    assert load_clusters(tmp_path / "clusters.yaml", fingerprint=model.fingerprint) == found


@pytest.mark.slow
def test_attacks_and_long_notes_of_the_shipped_model_are_told_apart():
    model = load_picture_model()
    found = describe_pictures(model, Clusters({5: model.clusters.of_layer(5)}, model.fingerprint)).of_layer(5)
    assert "upright lines" in found.label(2)
    assert "level lines" in found.label(4)
    assert found.names == model.clusters.of_layer(5).names    # as in its bundle
