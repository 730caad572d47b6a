"""``audiobend export`` as a musician meets it."""

import json

import pytest
import torch

from audiobend.export.contract import check_contract

PATCH = """
audiobend: 1
name: low tide
seed: 5
transforms:
  - {id: fog, layer: 3, transform: erode, params: {radius: 1}}
  - {id: dust, layer: 2, transform: scalar-multiply, params: [2.0], features: random, feature-param: 0.25}
"""


@pytest.fixture
def patch(tmp_path):
    path = tmp_path / "low_tide.yaml"
    path.write_text(PATCH)
    return path


def test_a_patch_becomes_a_file_for_nn_with_its_help_patches(audiobend, tiny_bundle, patch, tmp_path):
    words = ("export", tiny_bundle, "--patch", patch, "--controls", "fog/radius,dust/mix", "--latency", "low")
    status, out, err = audiobend(*words, "--out", "low_tide.ts", "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert told["files"] == ["low_tide.ts", "low_tide-help.pd", "low_tide-help.maxpat"]
    assert (told["latency"], told["patch"], told["profile"]) == (768 + 1024 + 1024 + 220, "low tide", "low")
    found = check_contract(torch.jit.load(str(tmp_path / "low_tide.ts")))
    assert [one.name for one in found.attributes] == ["fog_radius", "dust_mix", "reset"]


def test_the_result_is_told_in_words(audiobend, tiny_bundle, patch):
    status, out, _ = audiobend(
        "export", tiny_bundle, "--patch", patch, "--format", "torchscript", "--controls", "fog/radius", "--out", "a.ts"
    )
    assert status == 0
    assert out.splitlines() == ["a.ts", "44100 Hz, latency 5084 samples (115 ms); to turn: fog_radius"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--controls", "fog/radios"), "did you mean 'radius'"),
        (("--controls", "frog/mix"), "there is no bend 'frog'"),
        (("--format", "neutone"), "must end in .nm"),
        (("--out", "nowhere/a.ts"), "the folder nowhere does not exist"),
        (("--patch", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(audiobend, tiny_bundle, patch, tmp_path, words, sentence):
    status, out, err = audiobend("export", tiny_bundle, "--patch", patch, "--out", "a.ts", *words)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1 and sentence in err
    assert [path.name for path in tmp_path.iterdir()] == ["low_tide.yaml"]


def test_files_that_are_there_are_only_replaced_when_asked(audiobend, tiny_bundle, patch, tmp_path):
    (tmp_path / "a-help.pd").write_text("mine")
    words = ("export", tiny_bundle, "--patch", patch, "--controls", "fog/radius", "--out", "a.ts")
    status, _, err = audiobend(*words)
    assert status == 2 and "a-help.pd: is there already; add --overwrite" in err
    assert not (tmp_path / "a.ts").exists()
    assert (tmp_path / "a-help.pd").read_text() == "mine"
    assert audiobend(*words, "--overwrite")[0] == 0
    assert (tmp_path / "a-help.pd").read_text() != "mine"


@pytest.mark.slow
def test_onnx_is_a_folder_with_a_manifest(audiobend, tiny_bundle, patch, tmp_path):
    pytest.importorskip("onnxruntime")
    status, out, err = audiobend(
        "export", tiny_bundle, "--patch", patch, "--format", "onnx", "--out", "low_tide", "--json"
    )
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert told["largest_difference"] <= 1e-4
    assert told["files"][-1] == "low_tide/manifest.json"
    assert {path.name for path in (tmp_path / "low_tide").iterdir()} == {
        "encoder.onnx", "decoder-1.onnx", "decoder-2.onnx", "decoder-3.onnx", "manifest.json"
    }    # fmt: skip
