"""Bundles: what was saved is what is loaded, and nothing else is."""

import torch

from audiobend.io.modelbundle import list_models, load_model, save_model, weights_fingerprint
from audiobend.networks import SpectrogramVAE
from audiobend.spectral.codec import SpectrogramCodec


def test_a_bundle_comes_back(tiny_network, tiny_bundle):
    model = load_model(tiny_bundle)
    x = torch.randn(2, 1, 128, 513, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        # Kernels are stored in half precision.
        torch.testing.assert_close(model.network(x), tiny_network(x), rtol=1e-2, atol=5e-3)
    assert model.fingerprint == weights_fingerprint(tiny_bundle)
    assert model.clusters.label(3, 0) == "low band"
    assert model.card["architecture"]["width"] == 0.0625


def test_saving_again_replaces_the_bundle_and_leaves_nothing_else(tmp_path):
    for width in (0.015625, 0.03125):
        save_model(tmp_path / "m", SpectrogramVAE(width), SpectrogramCodec(), torch.eye(512)[:4], {"name": "m"})
        assert load_model(tmp_path / "m").network.width == width
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["model.yaml", "weights.safetensors"]


def test_every_shipped_model_loads_with_its_own_clusters():
    assert list_models()
    for name in list_models():
        model = load_model(name)
        assert model.clusters is not None
        assert model.clusters.fingerprint == model.fingerprint
        assert [model.clusters.n_clusters(layer) for layer in (1, 2, 3, 4)] == [5, 5, 4, 4]


def test_a_path_is_never_taken_for_a_shipped_models_name(tiny_bundle, tmp_path, monkeypatch):
    import shutil
    from pathlib import Path

    shipped = next(iter(list_models()))
    shutil.copytree(tiny_bundle, tmp_path / shipped)
    monkeypatch.chdir(tmp_path)
    assert load_model(Path(shipped)).network.width == 0.0625
    assert load_model(shipped).network.width != 0.0625


def test_a_bundle_can_lie_in_the_working_directory(tiny_network, tmp_path, monkeypatch):
    from pathlib import Path

    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save_model(Path(), tiny_network, SpectrogramCodec(), torch.eye(512)[:4], {"by": "Motörhead"})
    assert load_model(tmp_path / "here").card["by"] == "Motörhead"
