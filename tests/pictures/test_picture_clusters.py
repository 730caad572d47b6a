"""Clusters of a generator's features, by every method, and bends of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from audiobend.io.clusterfile import load_clusters
from audiobend.io.picturemodel import load_picture_model
from tests.clustering.test_vgg16 import Slim
from tests.networks.checkpoint_files import nvlabs, small_network

METRIC = ("--samples", "12", "--steps", "2", "--jobs", "1")


def test_every_method_clusters_all_convolutions_the_same_each_time(audiobend, model_file):
    torch.save(Slim().state_dict(), "vgg16.pth")
    few = ("--samples", "12")
    ways = {"metric": METRIC, "pixels": few, "coactivation": few, "vgg16": ("--vgg16", "vgg16.pth", *few)}
    for name, words in ways.items():
        for out in (f"{name}.yaml", f"{name}-again.yaml"):
            status, told, error = audiobend("cluster", model_file, "--method", name, *words, "--out", out, "--json")
            assert (status, error) == (0, ""), name
        assert Path(f"{name}.yaml").read_bytes() == Path(f"{name}-again.yaml").read_bytes()
        assert list(json.loads(told)["layers"]) == ["0", "1", "2", "3", "4"]
        clusters = load_clusters(Path(f"{name}.yaml"), fingerprint=load_picture_model(model_file).fingerprint)
        assert clusters.made["method"] == name and clusters.made["pictures"] == 12
        assert [clusters.of_layer(layer).n_features for layer in range(5)] == [6, 5, 5, 4, 4]
    assert Path("metric.safetensors").is_file() and not Path("pixels.safetensors").exists()


def test_a_cluster_is_bent_and_drawn(audiobend, model_file):
    words = ("--method", "pixels", "--samples", "12", "--plots", "plots", "--quiet")
    assert audiobend("cluster", model_file, *words)[0] == 0
    assert {path.name for path in Path("plots").iterdir()} == {f"layer_{layer}.png" for layer in range(5)}
    Path("bend.yaml").write_text("transforms: [{layer: 3, transform: ablate, features: cluster, feature-param: 1}]")
    words = ("image", "generate", "--model", model_file, "--clusters", "clusters.yaml", "--out")
    assert audiobend(*words, "a", "--patch", "bend.yaml")[0] == 0
    assert audiobend(*words, "b")[0] == 0
    bent, plain = (np.asarray(Image.open(f"{name}/seed0000.png")) for name in "ab")
    assert not np.array_equal(bent, plain)


def test_networks_taken_again_find_the_same_clusters(audiobend, model_file):
    assert audiobend("cluster", model_file, *METRIC, "--quiet") == (0, "", "")
    words = ("--networks", "clusters.safetensors", "--out", "again.yaml", "--quiet")
    assert audiobend("cluster", model_file, *METRIC, *words)[0] == 0
    assert Path("again.yaml").read_bytes() == Path("clusters.yaml").read_bytes()


def test_models_with_classes_and_without_a_mean_are_clustered_too(audiobend, tmp_path):
    from tests.networks.checkpoint_files import rosinality

    (tmp_path / "classes.pkl").write_bytes(nvlabs(small_network(n_classes=3)))
    (tmp_path / "meanless.pt").write_bytes(rosinality(small_network(), latent_avg=None))
    for name in ("classes.pkl", "meanless.pt"):
        words = ("--method", "pixels", "--samples", "6", "--out")
        status, _, error = audiobend("cluster", name, *words, f"{name}.yaml", "--layers", "2,const")
        assert (status, error) == (0, "")


def test_clusters_are_named_by_what_they_draw_unless_told_otherwise(audiobend, model_file):
    words = ("cluster", model_file, "--method", "coactivation", "--samples", "6", "--layers", "2")
    assert audiobend(*words, "--out", "named.yaml")[0] == 0
    assert audiobend(*words, "--out", "bare.yaml", "--no-describe")[0] == 0
    named, bare = (load_clusters(Path(name)).of_layer(2) for name in ("named.yaml", "bare.yaml"))
    assert torch.equal(named.labels, bare.labels)
    assert set(named.descriptors) == set(named.names) == set(range(named.n_clusters))
    assert not bare.names and not bare.descriptors


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["song.wav"], "needs no sound"), (["--for-this-sound", "song.wav"], "needs no sound"),
        (["--layers", "9"], "there is no layer 9"), (["--layers", "m1"], "maps of one point"),
        (["--method", "vgg16"], "needs the weights of a VGG16"),
    ],
)    # fmt: skip
def test_what_makes_no_sense_for_pictures_is_told(audiobend, model_file, words, expected):
    status, out, error = audiobend("cluster", model_file, *words)
    assert status == 2 and out == "" and expected in error and error.count("\n") == 1
    assert not Path("clusters.yaml").exists()
