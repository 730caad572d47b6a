"""Picture models on disk, seeds, painters and the public function."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import audiobend as ab
from audiobend.bending import Clusters, Patch
from audiobend.errors import AudiobendError, ModelError, PatchError, PictureError
from audiobend.io.clusterfile import save_clusters
from audiobend.io.imagefile import read_facts, to_bytes, write_png
from audiobend.io.patchfile import parse_patch
from audiobend.io.picturemodel import convert, load_picture_model, save_picture_model
from audiobend.networks import bent
from audiobend.networks.stylegan2_model import PictureModel, mean_style, weights_fingerprint
from audiobend.picture import Painter
from audiobend.picture_files import sheet
from audiobend.picture_recipe import parse_seeds
from audiobend.picture_settings import PictureSettings
from tests.networks.checkpoint_files import mean_of, rosinality, small_network


@pytest.fixture
def model() -> PictureModel:
    network = small_network()
    return PictureModel("small", network, weights_fingerprint(network), mean_of(network))


@pytest.fixture
def bundle(model, tmp_path):
    save_picture_model(tmp_path / "mine", model, {})
    return tmp_path / "mine"


def test_a_bundle_gives_back_the_same_network(model, bundle):
    found = load_picture_model(bundle)
    assert found.fingerprint == model.fingerprint and torch.equal(found.mean, model.mean)
    assert found.network.architecture == model.network.architecture
    own = model.network.state_dict()
    assert all(torch.equal(value, own[name]) for name, value in found.network.state_dict().items())


def test_the_fingerprint_is_of_the_weights_alone(model, tmp_path):
    (tmp_path / "net.pt").write_bytes(rosinality(model.network))
    assert load_picture_model(tmp_path / "net.pt").fingerprint == model.fingerprint
    assert weights_fingerprint(small_network(1)) != model.fingerprint


def test_clusters_of_another_model_are_refused(model, bundle, tmp_path):
    labels = {layer: torch.arange(6) % 2 for layer in (0, "const")}
    path = tmp_path / "clusters.yaml"
    save_clusters(Clusters.from_labels(labels, fingerprint=model.fingerprint), path)
    found = load_picture_model(bundle, path)
    assert found.clusters is not None and found.clusters.n_clusters(0) == 2
    save_clusters(Clusters.from_labels(labels, fingerprint="f" * 16), path)
    with pytest.raises(PatchError, match="these clusters are for the model"):
        load_picture_model(bundle, path)


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        ("model.yaml", None, "is no model: there is no model.yaml"),
        ("model.yaml", "{", "cannot be read as YAML"),
        ("model.yaml", "audiobend-model: 2", "needs 'audiobend-model: 1'"),
        ("model.yaml", "audiobend-model: 1\narchitecture: {type: waves}", "of the type 'waves'"),
        ("model.yaml", "audiobend-model: 1\narchitecture: {type: stylegan2}", "architecture needs features, base"),
        ("model.yaml", "audiobend-model: 1\narchitecture: {type: stylegan2, features: [6, 5], base: [4, 4], latent: 8, "
         "style: 8, mapping: 2, classes: x}", "model.yaml"),
        ("model.yaml", "audiobend-model: 1\narchitecture: {type: stylegan2, features: [6, 5, 5], base: [4, 4], "
         "latent: 8, style: 8, mapping: 2, classes: 0}", "must be of the size"),
        ("weights.safetensors", None, "the weights are missing"),
        ("weights.safetensors", "junk", "this is no safetensors file"),
    ],
)    # fmt: skip
def test_a_damaged_bundle_is_told(bundle, file, change, expected):
    (bundle / file).unlink() if change is None else (bundle / file).write_text(change)
    with pytest.raises(ModelError, match=expected):
        load_picture_model(bundle)


def test_weights_of_another_model_are_told(bundle, tmp_path):
    other = small_network(1)
    save_picture_model(tmp_path / "other", PictureModel("other", other, weights_fingerprint(other)), {})
    (tmp_path / "other" / "weights.safetensors").replace(bundle / "weights.safetensors")
    with pytest.raises(ModelError, match="are of two models"):
        load_picture_model(bundle)


def test_converting_leaves_nothing_half_written(tmp_path):
    (tmp_path / "junk.pt").write_bytes(b"PK\x03\x04junk")
    with pytest.raises(ModelError):
        convert(tmp_path / "junk.pt", tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["junk.pt"]


def test_seeds_give_nvidias_codes(model):
    code = model.codes([3])[0]
    np.testing.assert_array_equal(code.numpy(), np.random.RandomState(3).randn(8).astype(np.float32))
    for wrong in (-1, 2**32, 1.5):
        with pytest.raises(AudiobendError, match="seed must be a whole number"):
            model.codes([wrong])


def test_the_mean_style_is_that_of_many_codes(model):
    with torch.no_grad():
        w = model.network.mapping(torch.randn(20000, 8, generator=torch.Generator().manual_seed(9)))
    assert torch.equal(mean_style(model.network), mean_style(model.network))
    torch.testing.assert_close(mean_style(model.network), w.mean(0), atol=0.05, rtol=0)


def test_generate_is_the_same_every_time_and_leaves_the_model_alone(model):
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    patch = Patch(seed=3).add(2, "noise", {"sigma": 1.0}).add("m1", "invert")
    first, again = (ab.generate(model, [5, 6], patch) for _ in range(2))
    assert torch.equal(first, again) and first.shape == (2, 3, 16, 16)
    assert torch.equal(first[1:], ab.generate(model, [6], patch))
    assert not torch.equal(first, ab.generate(model, [5, 6]))
    assert all(torch.equal(value, before[name]) for name, value in model.network.state_dict().items())


def test_styles_of_a_painter_painted_again_are_the_same_picture(model):
    painter = Painter(model)
    w = painter.styles([4])
    assert torch.equal(ab.generate(model, styles=w), ab.generate(model, [4]))


def test_what_moves_is_painted_at_its_time(model):
    patch = Patch().add(2, "scalar-multiply", {"factor": 1.0}, id="swell").set("swell/factor/lfo", "sine 0.25 0.2")
    painter = Painter(model, patch)
    w = painter.styles([1]).expand(3, -1, -1)
    pictures = painter.paint(w, [1, 1, 1], times=torch.tensor([0.0, 1.0, 4.0]))
    torch.testing.assert_close(pictures[0], pictures[2], atol=1e-4, rtol=0)    # a whole period later
    assert not torch.allclose(pictures[0], pictures[1], atol=1e-2)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"truncation": 3}, "truncation must be in -2..2"), ({"truncation": float("nan")}, "truncation must be"),
        ({"cutoff": -1}, "cutoff must be a level"), ({"noise": "loud"}, "noise must be const"),
        ({"precision": "int8"}, "unknown precision 'int8'"),
    ],
)    # fmt: skip
def test_wrong_settings_are_told(settings, expected):
    with pytest.raises(PictureError, match=expected):
        PictureSettings(**settings)


def test_a_model_without_a_mean_is_not_truncated_unasked(model):
    without = replace(model, mean=None)
    with pytest.raises(PictureError, match="has no latent_avg"):
        Painter(without)
    assert ab.generate(without, [0], settings=PictureSettings(truncation=1)).shape == (1, 3, 16, 16)


def test_bytes_of_a_picture():
    levels = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0, float("nan"), float("inf")])
    assert to_bytes(levels.expand(3, 1, -1))[0, :, 0].tolist() == [0, 0, 128, 255, 255, 128, 255]


def test_facts_survive_in_a_picture(tmp_path):
    facts = {"version": 1, "patch": "ü" * 3000, "list": [1, 2.5, None]}
    for name in ("a.png", "b.png"):
        write_png(tmp_path / name, np.zeros((2, 3, 3), np.uint8), facts)
    assert read_facts(tmp_path / "a.png") == facts
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_seeds_are_read_as_typed():
    assert parse_seeds("0-3, 9") == [0, 1, 2, 3, 9] and parse_seeds("4294967295") == [4294967295]
    for wrong in ("", "-1", "1-", "a", "4294967296", "0-4294967295", "1.5", "²"):
        with pytest.raises(PictureError):
            parse_seeds(wrong)


def test_a_sheet_puts_pictures_row_by_row():
    tiles = [np.full((2, 3, 3), i, np.uint8) for i in range(5)]
    assert sheet(tiles, 3)[::2, ::3, 0].tolist() == [[0, 1, 2], [3, 4, 0]]


@pytest.mark.parametrize(
    "bends",
    [
        "[{layer: 3, transform: rotate, params: [30], features: indices, feature-param: [1]}]",
        "[{layer: 1, transform: erode, params: [1], features: indices, feature-param: [0, 3]}, "
        "{layer: 1, transform: scalar-multiply, params: [2], features: indices, feature-param: [3], mix: 0.5}]",
        "[{layer: 2, transform: shuffle, features: indices, feature-param: [0, 3]}]",
        "[{layer: 2, transform: noise, params: [1], features: indices, feature-param: [0]}]",
        "[{layer: 2, transform: flip-h, features: indices, feature-param: [0], with-norm: true}]",
        "[{layer: 4, transform: invert}]",
        "[{layer: const, transform: rotate, params: [30], features: indices, feature-param: [1]}]",
        "[{layer: w, transform: ablate, features: indices, feature-param: [1]}]",
    ],
)
def test_bends_of_some_features_are_the_plans_own(model, bends):
    patch = parse_patch(f"{{transforms: {bends}, seed: 4}}")
    painter = Painter(model, patch)
    w = torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(0))
    before = w.clone()
    with torch.no_grad(), bent(model.network, model.resolve(patch)):
        expected = torch.cat([model.network.synthesis(w[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(painter.paint(w, [0, 1]), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(painter.paint(w, [0, 1]), expected, atol=1e-5, rtol=1e-5)
    assert torch.equal(w, before) and torch.equal(model.network.input.input, small_network().input.input)
