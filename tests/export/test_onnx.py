"""ONNX files: as torch in onnxruntime, and joined by the manifest alone as the bent network."""

import json

import numpy as np
import pytest
import torch

from audiobend.bending import LatentBend, Patch, WeightBend
from audiobend.bending.features import Range
from audiobend.errors import AudiobendError, ModelError
from audiobend.export import onnx_files
from audiobend.export.exporting import plan_export
from audiobend.export.onnx_files import MANIFEST, write_onnx
from audiobend.networks.backends import backend

onnxruntime = pytest.importorskip("onnxruntime")

PATCH = Patch(
    seed=3, latent=(LatentBend("offset", {"axis": 3, "amount": 0.7}),), weights=(WeightBend(4, "centre-tap"),)
).add("e2", "scalar-multiply", {"factor": 1.5}).add(3, "negate", mix=0.5)


@pytest.fixture(scope="module")
def folder(tiny_model, tmp_path_factory):
    out = tmp_path_factory.mktemp("onnx") / "low_tide"
    written = write_onnx(plan_export(tiny_model, PATCH, "onnx"), out)
    assert written.facts["largest_difference"] <= 1e-4
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in written.files)
    return out


def bent_by_hand(entry, x):
    """What a host does with one entry of ``then``, for the bends of this test."""
    if "latent" in entry:
        return x + entry["params"]["amount"] * np.array(entry["direction"], np.float32)
    part = x[:, entry["features"]]
    changed = {"scalar-multiply": lambda a, factor: a * factor, "negate": lambda a: -a}[entry["transform"]]
    out = x.copy()
    out[:, entry["features"]] = part + np.float32(entry["mix"]) * (changed(part, **entry["params"]) - part)
    return out


@pytest.mark.slow
def test_a_host_can_join_the_files_by_the_manifest_alone(folder, tiny_model):
    manifest = json.loads((folder / MANIFEST).read_text())
    x = torch.randn(3, 1, 128, 513, generator=torch.Generator().manual_seed(0))

    def run(chain):
        now = x.numpy()
        for piece in chain:
            assert list(now.shape[1:]) == piece["input"][1:]
            session = onnxruntime.InferenceSession(str(folder / piece["file"]), providers=["CPUExecutionProvider"])
            (now,) = session.run(None, {"input": now})
            for entry in piece.get("then", []):
                now = bent_by_hand(entry, now)
        return torch.from_numpy(now)

    bent, unbent = backend("torch", tiny_model).reconstruct(x, tiny_model.resolve(PATCH))
    assert (bent - unbent).abs().max() > 1e-3
    assert (run(manifest["bent"]) - bent).abs().max() <= 1e-4
    assert (run(manifest["unbent"]) - unbent).abs().max() <= 1e-4


@pytest.mark.slow
def test_files_are_cut_where_the_patch_bends(folder):
    manifest = json.loads((folder / MANIFEST).read_text())
    assert [piece["layer"] for piece in manifest["bent"]] == ["e2", "z", 3, 5]
    assert [piece["file"] for piece in manifest["unbent"]] == [
        "encoder-1.onnx", "encoder-2.onnx", "decoder-1.onnx", "decoder-2.onnx"
    ]    # fmt: skip
    assert manifest["bent"][-1]["file"] == "decoder-2-bent.onnx"
    assert len(manifest["codec"]["mean_db"]) == 513


@pytest.mark.slow
def test_a_host_is_told_which_feature_takes_the_place_of_which(tiny_model, tmp_path):
    patch = Patch(seed=2).add(2, "shuffle", features=Range(2, 9))
    write_onnx(plan_export(tiny_model, patch, "onnx"), tmp_path / "out")
    (entry,) = [one for piece in json.loads((tmp_path / "out" / MANIFEST).read_text())["bent"] for one in piece["then"]]
    x = torch.randn(1, 16, 17, 65, generator=torch.Generator().manual_seed(0))
    bent = x.clone()
    bent[:, entry["features"]] = x[:, entry["source"]]
    assert not torch.equal(bent, x)
    assert torch.equal(bent, tiny_model.resolve(patch).apply(2, x))


@pytest.mark.slow
def test_a_file_that_is_not_as_torch_is_not_kept(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_files, "TOLERANCE", 0.0)
    with pytest.raises(ModelError, match="away from torch"):
        write_onnx(plan_export(tiny_model, PATCH, "onnx"), tmp_path / "low_tide")
    assert not list(tmp_path.iterdir())


def test_a_folder_of_something_else_is_left_alone(tiny_model, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(AudiobendError, match="holds no ONNX export"):
        write_onnx(plan_export(tiny_model, PATCH, "onnx"), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
