"""``audiobend cluster`` as one types it: clusters from a folder, for one sound, and one sentence where it cannot be."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import soundfile as sf
import torch

from audiobend import cli
from audiobend.io.clusterfile import load_clusters
from audiobend.io.modelbundle import load_model
from tests.conftest import EXAMPLES

SOUNDS = EXAMPLES / "sounds"
QUICK = ("--samples", 12, "--steps", 2, "--jobs", 1, "--no-describe")



@pytest.fixture(scope="module")
def learnt(tiny_bundle, tmp_path_factory):
    """A copy of the small bundle with clusters by method metric and the networks that they are from."""
    bundle = shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("learnt") / "tiny")
    words = ["cluster", bundle, SOUNDS, *QUICK, "--out", bundle / "clusters.yaml", "--overwrite", "--quiet"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["audiobend", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
    assert not stop.value.code
    return bundle


def test_a_model_finds_its_new_clusters_in_its_bundle(learnt):
    model = load_model(learnt)
    assert list(model.clusters.layers) == [1, 2, 3, 4]
    assert model.clusters.made["method"] == "metric"
    figures = model.clusters.made["figures"][1]
    assert figures["chance"] == pytest.approx(1 / 32, rel=1e-3)
    assert {"accuracy", "steps", "silhouette", "stability"} <= set(figures)
    assert (learnt / "clusters.safetensors").is_file()


def test_the_same_seed_gives_the_same_files_and_networks_taken_again_the_same_clusters(learnt, audiobend):
    assert audiobend("cluster", learnt, SOUNDS, *QUICK, "--quiet") == (0, "", "")
    for name in ("clusters.yaml", "clusters.safetensors"):
        assert Path(name).read_bytes() == (learnt / name).read_bytes()
    words = ("--networks", learnt / "clusters.safetensors", "--out", "again.yaml", "--quiet")
    assert audiobend("cluster", learnt, SOUNDS, *QUICK, *words)[0] == 0
    assert Path("again.yaml").read_bytes() == (learnt / "clusters.yaml").read_bytes()
    assert not Path("again.safetensors").exists()


def test_one_sound_is_clustered_with_the_bundles_networks(learnt, audiobend):
    status, out, error = audiobend("cluster", learnt, "--for-this-sound", SOUNDS / "pressure.flac", "--json")
    assert (status, error) == (0, "")
    told = json.loads(out)
    assert told["made"]["sound"] == "pressure.flac"
    assert told["written"] == ["clusters.yaml"]
    assert sum(one["features"] for one in told["layers"]["1"].values()) == 32


@pytest.mark.slow
@pytest.mark.parametrize("method", ["coactivation", "pixels"])
@pytest.mark.parametrize("algorithm", ["kmeans", "dbscan"])
def test_other_methods_need_no_training(tiny_bundle, audiobend, tmp_path, method, algorithm):
    words = ("--method", method, "--algorithm", algorithm, "--layers", "e2,3", "--samples", 8, "--no-describe")
    status, out, error = audiobend("cluster", tiny_bundle, SOUNDS, *words, "--plots", "pictures")
    assert status == 0, error
    assert "wrote clusters.yaml" in out
    clusters = load_clusters("clusters.yaml", fingerprint=load_model(tiny_bundle).fingerprint)
    assert list(clusters.layers) == ["e2", 3]
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["layer_3.png", "layer_e2.png"]


@pytest.mark.slow
def test_clusters_are_described_by_what_they_do(tiny_bundle, audiobend):
    words = ("--method", "coactivation", "--layers", "4", "--clusters", "2", "--samples", 8, "--quiet")
    assert audiobend("cluster", tiny_bundle, SOUNDS, *words)[0] == 0
    clusters = load_clusters("clusters.yaml")
    of_layer = clusters.of_layer(4)
    assert set(of_layer.descriptors) == set(of_layer.names) == {0, 1}
    assert clusters.made["method"] == "coactivation"


def test_sounds_that_the_model_never_heard_stay_out(learnt, audiobend, tmp_path):
    bundle = shutil.copytree(learnt, tmp_path / "m")
    card = (bundle / "model.yaml").read_text().replace("tracks: 0", "kept_out: [pressure]")
    (bundle / "model.yaml").write_text(card)
    status, out, _ = audiobend("cluster", bundle, SOUNDS, "--method", "pixels", "--samples", 4, "--no-describe")
    assert status == 0
    assert "left out 1 sounds that the model was not trained on" in out
    assert load_clusters("clusters.yaml").made["sounds"] == 2


def refused(audiobend, *words) -> str:
    """Run, expect one sentence and no file, and return the sentence."""
    status, out, error = audiobend("cluster", *words)
    assert (status, out) == (2, "")
    assert error.count("\n") == 1
    assert error.startswith("audiobend: ")
    assert not Path("clusters.yaml").exists()
    return error


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "give a folder of sound"),
        (("empty",), "empty"),
        (("nowhere",), "nowhere"),
        ((SOUNDS, "--for-this-sound", SOUNDS / "pressure.flac"), "leave out the others"),
        ((SOUNDS, "--clusters", "5,x"), "needs whole numbers"),
        ((SOUNDS, "--clusters", "5,5"), "2 numbers of clusters for 4 layers (1, 2, 3, 4)"),
        ((SOUNDS, "--clusters", "99,5,4,4"), "layer 1 has 32 features"),
        ((SOUNDS, "--layers", "5"), "layer 5 has one feature"),
        ((SOUNDS, "--layers", "e9"), "there is no layer e9"),
        ((SOUNDS, "--method", "vgg16"), "--vgg16"),
        ((SOUNDS, "--method", "vgg16", "--vgg16", "missing.pth", "--samples", 2), "missing.pth"),
        ((SOUNDS, "--method", "nmf"), "'nmf'"),
        (("--for-this-sound", "missing.wav"), "missing.wav"),
        (("--for-this-sound", SOUNDS / "pressure.flac"), "train them first with: audiobend cluster"),
        ((SOUNDS, "--out", "no/such/place.yaml"), "the folder no/such does not exist"),
    ],
)
def test_what_cannot_be_is_one_sentence(tiny_bundle, audiobend, tmp_path, words, sentence):
    (tmp_path / "empty").mkdir()
    assert sentence in refused(audiobend, tiny_bundle, *words)


def test_a_sound_too_short_or_silent_is_one_sentence(learnt, audiobend):
    sf.write("short.wav", torch.rand(1000).numpy() - 0.5, 44100)
    assert "0.74 s" in refused(audiobend, learnt, "--for-this-sound", "short.wav")


def test_nothing_is_overwritten_unasked(tiny_bundle, audiobend, tmp_path):
    (tmp_path / "mine.yaml").write_text("precious")
    error = refused(audiobend, tiny_bundle, SOUNDS, "--out", "mine.yaml")
    assert "add --overwrite" in error
    (tmp_path / "other.safetensors").write_text("precious")
    assert "other.safetensors: exists" in refused(audiobend, tiny_bundle, SOUNDS, "--out", "other.yaml")
    assert (tmp_path / "mine.yaml").read_text() == "precious"
    shutil.copy(SOUNDS / "pressure.flac", tmp_path / "p.flac")
    error = refused(audiobend, tiny_bundle, "p.flac", "--out", "p.flac", "--overwrite")
    assert "is also the input" in error


def test_another_models_files_are_refused_by_name(learnt, audiobend, tmp_path):
    bundle = shutil.copytree(learnt, tmp_path / "m")
    other = (bundle / "clusters.yaml").read_text().replace("fingerprint: ", "fingerprint: ffff")
    (bundle / "clusters.yaml").write_text(other)
    _, _, error = audiobend("layers", "--model", bundle)
    assert "these clusters are for the model ffff" in error
    words = ("--method", "pixels", "--samples", 2, "--no-describe", "--out", bundle / "clusters.yaml", "--overwrite")
    assert audiobend("cluster", bundle, SOUNDS, *words)[0] == 0
    assert audiobend("layers", "--model", bundle)[0] == 0
    words = ("--for-this-sound", SOUNDS / "pressure.flac", "--networks", learnt / "clusters.safetensors")
    assert "these networks are for the model" in refused(audiobend, "corpus-quarter", *words)


def test_a_render_takes_the_clusters_of_one_sound(learnt, audiobend):
    one = ("--for-this-sound", SOUNDS / "pressure.flac", "--clusters", "7,5,4,2", "--quiet")
    assert audiobend("cluster", learnt, *one) == (0, "", "")
    bend = "{layer: 1, transform: ablate, features: cluster, feature-param: 6}"
    Path("p.yaml").write_text(f"transforms: [{bend}]\n")
    words = ("render", SOUNDS / "pressure.flac", "out.wav", "--model", learnt, "--patch", "p.yaml", "--quality", "fast")
    _, _, error = audiobend(*words)
    assert "this layer has clusters 0..4" in error
    assert audiobend(*words, "--clusters", "clusters.yaml")[0] == 0
