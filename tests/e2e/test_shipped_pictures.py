"""The shipped model of pictures is worth bending: it paints from its name, and each layer does something of its own."""

import json
import re
import shlex
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from audiobend.bending import Cluster, Patch, Random
from audiobend.io.modelbundle import list_models, list_picture_models
from audiobend.io.patchfile import load_patch
from audiobend.io.picturemodel import DEFAULT_PICTURE_MODEL, load_picture_model
from audiobend.picture import generate
from audiobend.picture_settings import PictureSettings

ROOT = Path(__file__).parents[2]
PATCHES = sorted((ROOT / "examples" / "patches" / "pictures").glob("*.yaml"))
WHOLE = PictureSettings(truncation=1.0)
MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def model():
    return load_picture_model()


def pictures_of(model, patch=None, n=8):
    return generate(model, list(range(n)), patch, WHOLE)


def test_pictures_are_painted_without_naming_a_model(audiobend, tmp_path):
    assert audiobend("image", "generate", "--seeds", "0-3", "--out", "a", "--grid")[0] == 0
    words = ("image", "generate", "--model", DEFAULT_PICTURE_MODEL, "--seeds", "0-3", "--out", "b", "--grid")
    assert audiobend(*words)[0] == 0
    assert Image.open("a/seed0000.png").size == (64, 64)
    assert Path("a/grid.png").read_bytes() == Path("b/grid.png").read_bytes()


def test_the_model_is_small_and_says_what_it_was_made_of():
    folder = list_picture_models()[DEFAULT_PICTURE_MODEL]
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    assert sum(sizes) < 20 * MEBIBYTE
    everything = [path for bundle in (ROOT / "models").iterdir() for path in bundle.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in everything) < 80 * MEBIBYTE
    card = (folder / "card.md").read_text()
    known = yaml.safe_load((folder / "model.yaml").read_text())
    for word in ("Licence of the weights", "Attribution", "CC BY-SA 4.0", "training/train_stylegan2.py"):
        assert word in card
    for file in known["training"]["files"]:
        assert file in card


def test_models_of_sound_and_of_pictures_are_listed_apart(audiobend):
    assert DEFAULT_PICTURE_MODEL not in list_models()
    status, out, _ = audiobend("models")
    assert status == 0 and DEFAULT_PICTURE_MODEL in out and "corpus-quarter" in out
    status, _, err = audiobend("eval", DEFAULT_PICTURE_MODEL, "music")
    assert status == 2 and "is a model of pictures" in err


def test_layers_and_patches_of_a_model_of_pictures_are_told_as_those_of_sound_are(audiobend, model):
    out = audiobend("layers", DEFAULT_PICTURE_MODEL, "--json")[1]
    told = {str(one["layer"]): one for one in json.loads(out)}
    for layer in model.network.layers():
        facts = told[str(layer.name)]
        down, across = layer.axes
        assert (facts["features"], facts[down], facts[across]) == (layer.n_features, layer.height, layer.width)
    assert len(told["5"]["clusters"]) == model.clusters.of_layer(5).n_clusters
    patch = ROOT / "examples/patches/pictures/strings.yaml"
    assert audiobend("check", patch, "--model", DEFAULT_PICTURE_MODEL)[0] == 0
    assert "layer" in audiobend("check", patch)[2]    # there is no such layer in a model of sound


def test_pictures_differ_and_use_the_whole_range(model):
    painted = pictures_of(model, n=16)
    assert painted.min() < -0.9 and painted.max() > 0.8
    apart = torch.pdist(painted.flatten(1)) / painted[0].numel() ** 0.5
    assert apart.min() > 0.1    # no two are the same
    assert painted.std(dim=(2, 3)).mean() > 0.2    # and none is flat


def test_ablating_a_quarter_of_each_layer_changes_pictures_each_in_its_own_way(model):
    plain = pictures_of(model)
    patches = [Patch(seed=1).add(layer, "ablate", features=Random(0.25)) for layer in range(1, 9)]
    bent = [pictures_of(model, patch) - plain for patch in patches]
    for one in bent:
        assert one.square().mean() > 0.003 * plain.square().mean()
    alike = torch.corrcoef(torch.stack([one.flatten() for one in bent]))
    assert (alike - torch.eye(8)).abs().max() < 0.9


def test_clusters_fit_the_model_and_can_be_bent(model):
    assert model.clusters is not None and model.clusters.fingerprint == model.fingerprint
    plain = pictures_of(model, n=2)
    for layer in range(1, 9):
        assert model.clusters.n_clusters(layer) >= 2
        bent = pictures_of(model, Patch().add(layer, "scalar-multiply", {"factor": 3}, features=Cluster((0,))), n=2)
        assert not torch.equal(bent, plain)


def test_one_cluster_draws_attacks_and_another_long_notes(model):
    def uprightness(name):
        pictures = pictures_of(model, ROOT / "examples/patches/pictures" / f"{name}.yaml" if name else None, n=16)
        return pictures.diff(dim=-1).abs().mean() / pictures.diff(dim=-2).abs().mean()

    plain = uprightness(None)
    assert uprightness("attacks") > 1.2 * plain
    assert uprightness("strings") < 0.8 * plain


def test_every_patch_for_pictures_fits_and_shows(model):
    plain = pictures_of(model)
    assert len(PATCHES) >= 3
    assert len({load_patch(path).name for path in PATCHES}) == len(PATCHES)
    for path in PATCHES:
        change = pictures_of(model, load_patch(path)) - plain
        assert change.square().mean() > 0.02 * plain.square().mean(), path.stem


@pytest.mark.slow
def test_the_commands_about_the_shipped_model_run(audiobend, monkeypatch, tmp_path):
    page = (ROOT / "docs" / "pictures.md").read_text()
    for folder in ("examples", "models"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    commands = re.findall(
        r"^audiobend (.*)$", "".join(re.findall(r"```shell\n(.*?)```", page, re.DOTALL)), re.MULTILINE
    )
    assert commands
    for command in commands:
        status, _, error = audiobend(*shlex.split(command, comments=True))
        assert (status, error) == (0, ""), command
