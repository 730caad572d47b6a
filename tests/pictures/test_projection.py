"""The search for a picture's styles: what it finds, what it keeps, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from audiobend.errors import PictureError
from audiobend.io.imagefile import read_noise, to_bytes
from audiobend.picture import Painter
from audiobend.picture_files import paint_one
from audiobend.picture_project.files import read_target, save_projected
from audiobend.picture_project.likeness import edges, halves, roughness, seen_unlikeness, signal_to_noise, unlikeness
from audiobend.picture_project.projecting import Search, project
from audiobend.picture_recipe import Job

SIZE = (16, 16)


def target_of(model, seed=4):
    painter = Painter(model)
    return painter.paint(painter.styles([seed]), [seed])[0].clamp(-1, 1)


def test_a_picture_of_the_model_is_found_again(small_model):
    target = target_of(small_model)
    mean = small_model.network.synthesis(small_model.network.levels(small_model.mean[None]))[0]
    for space in ("w", "w+"):
        found = project(small_model, target, Search(steps=150, space=space))
        assert found.likeness_db > signal_to_noise(mean, target) + 8
        assert found.w.shape == (6, 8) and found.noise is None
    assert project(small_model, target, Search(steps=150, space="w")).w.unique(dim=0).shape[0] == 1


def test_the_same_seed_finds_the_same_and_another_something_else(small_model):
    target = target_of(small_model)
    first, again, other = (project(small_model, target, Search(steps=5, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first.w, again.w) and not torch.equal(first.w, other.w)


def test_more_steps_come_nearer_and_noise_nearer_still(small_model):
    target = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1    # nothing the model knows
    few, many, noisy = (
        project(small_model, target, Search(steps=steps, with_noise=noise)).likeness_db
        for steps, noise in ((2, False), (120, False), (120, True))
    )
    assert few < many < noisy


def test_the_model_stays_as_it_was(small_model):
    before = {name: value.clone() for name, value in small_model.network.state_dict().items()}
    project(small_model, target_of(small_model), Search(steps=3, with_noise=True))
    assert all(torch.equal(value, before[name]) for name, value in small_model.network.state_dict().items())
    assert not any(one.requires_grad for one in small_model.network.parameters())


def test_what_was_found_is_painted_again_from_its_file(small_model, tmp_path):
    found = project(small_model, target_of(small_model), Search(steps=3, with_noise=True))
    for name in ("a.npz", "b.npz"):
        save_projected(tmp_path / name, found)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    sizes = [small_model.network.architecture.map_size(layer) for layer in range(5)]
    noise = read_noise(tmp_path / "a.npz", sizes)
    assert np.array_equal(paint_one(Painter(small_model), Job(0, found.w, noise)), to_bytes(found.picture))
    assert not np.array_equal(paint_one(Painter(small_model), Job(0, found.w)), to_bytes(found.picture))


def test_unlikeness_is_none_for_the_same_and_counts_colours_and_edges():
    picture = torch.rand(1, 3, 32, 16, generator=torch.Generator().manual_seed(0))
    loss = unlikeness(picture)
    assert float(loss(picture)) == 0
    assert float(loss(picture + 0.5)) == pytest.approx(0.5, abs=1e-5)    # colours alone: edges are the same
    assert float(loss(picture.flip(3))) > 0
    assert [one.shape[2] for one in halves(picture)] == [32, 16][: len(halves(picture))]
    down, right = edges(torch.arange(4.0).reshape(1, 1, 2, 2))
    assert down.flatten().tolist() == [2, 2] and right.flatten().tolist() == [1, 1]


def test_noise_that_looks_like_a_picture_is_rough():
    white = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    picture = torch.linspace(-1.7, 1.7, 32).expand(1, 1, 32, 32)
    assert float(roughness([picture])) > 10 * float(roughness([white]))


def test_vgg16_sees_what_differs_and_leads_the_search(small_model, tmp_path):
    from tests.clustering.test_vgg16 import Slim

    torch.manual_seed(0)
    torch.save(Slim().state_dict(), tmp_path / "vgg16.pth")
    target = target_of(small_model)
    loss = seen_unlikeness(target[None], tmp_path / "vgg16.pth")
    assert float(loss(target[None])) == 0 and float(loss(target_of(small_model, 5)[None])) > 0
    with_it, without = (project(small_model, target, Search(steps=4, vgg16=path))
                        for path in (tmp_path / "vgg16.pth", None))    # fmt: skip
    assert not torch.equal(with_it.w, without.w)


def test_pictures_are_cut_about_their_middle_turned_upright_and_fitted(tmp_path):
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert float(read_target(tmp_path / "wide.png", SIZE)[:, :, 4:12].mean()) > 0.9
    exif = Image.Exif()
    exif[0x0112] = 6    # turned by a quarter
    top = np.zeros((16, 16, 3), np.uint8)
    top[:, :8] = 255
    Image.fromarray(top).save(tmp_path / "turned.jpg", exif=exif)
    assert float(read_target(tmp_path / "turned.jpg", SIZE)[:, :6].mean()) > 0.8
    Image.new("LA", (5, 7)).save(tmp_path / "grey.png")
    assert read_target(tmp_path / "grey.png", SIZE).shape == (3, 16, 16)


@pytest.mark.parametrize(
    ("search", "expected"),
    [({"steps": 0}, "--steps must be"), ({"rate": 0}, "--rate in"), ({"space": "z"}, "the space must be w or w+")],
)
def test_wrong_words_are_told(search, expected):
    with pytest.raises(PictureError, match=expected):
        Search(**search)


def test_project_then_generate_paints_what_was_found(audiobend, model_file):
    audiobend("image", "generate", "--model", model_file, "--seeds", "4", "--out", "a")
    words = ("image", "project", "--model", model_file, "a/seed0004.png", "--steps", "40", "--noise", "--json")
    for name in ("w.npz", "v.npz"):
        status, out, error = audiobend(*words, "--out", name, "--compare", "both.png")
        assert (status, error) == (0, "")
        assert json.loads(out)["likeness_db"] > 15
    assert Path("w.npz").read_bytes() == Path("v.npz").read_bytes()
    assert audiobend("image", "generate", "--model", model_file, "--latent", "w.npz", "--out", "b")[0] == 0
    both, made = (np.asarray(Image.open(name)) for name in ("both.png", "b/style0000.png"))
    assert np.array_equal(both[:, :16], np.asarray(Image.open("a/seed0004.png")))
    assert np.array_equal(both[:, 16:], made)
    assert audiobend("image", "generate", "--again", "b/style0000.png", "--out", "c")[0] == 0
    assert Path("c/style0000.png").read_bytes() == Path("b/style0000.png").read_bytes()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["junk.png", "--out", "w.npz"], "junk.png: this is no picture that can be read"),
        (["cut.png", "--out", "w.npz"], "cut.png: this is no picture that can be read"),
        (["no.png", "--out", "w.npz"], "there is no such file"), (["empty.png", "--out", "w.npz"], "the file is empty"),
        (["ok.png", "--out", "w.txt"], "must end in .npz"), (["ok.png", "--out", "no/w.npz"], "does not exist"),
        (["ok.png", "--out", "theirs.npz"], "was not written by audiobend"),
        (["ok.png", "--out", "w.npz", "--compare", "ok.png"], "is also the input"),
        (["ok.png", "--out", "w.npz", "--vgg16", "junk.png"], "cannot be read as the weights of a VGG16"),
        (["ok.png", "--out", "w.npz", "--device", "toaster"], "there is no device 'toaster'"),
        (["ok.png", "--out", "w.npz", "--rate", "0"], "--rate in"),
    ],
)    # fmt: skip
def test_a_mistake_is_one_sentence_and_writes_nothing(audiobend, model_file, words, expected):
    Path("junk.png").write_bytes(b"junk" * 99)
    Path("empty.png").write_bytes(b"")
    Path("theirs.npz").write_bytes(b"mine")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save("ok.png")
    Path("cut.png").write_bytes(Path("ok.png").read_bytes()[:600])
    before = {path: path.stat().st_size for path in Path().rglob("*")}
    status, out, error = audiobend("image", "project", "--model", model_file, *words)
    assert status == 2 and out == "" and expected in error and error.count("\n") == 1
    assert {path: path.stat().st_size for path in Path().rglob("*")} == before


@pytest.mark.parametrize("damage", ["shape", "missing", "nan"])
def test_noise_of_another_model_is_told(audiobend, model_file, small_model, damage):
    arrays = {f"noise_{layer}": np.zeros((1, 1, *small_model.network.architecture.map_size(layer)), np.float16)
              for layer in range(5)}    # fmt: skip
    if damage == "missing":
        del arrays["noise_3"]
    else:
        arrays["noise_3"] = np.full((1, 1, 4, 4) if damage == "shape" else (1, 1, 16, 16), np.nan, np.float16)
    np.savez("w.npz", w=np.zeros((1, 6, 8), np.float32), **arrays)
    status, _, error = audiobend("image", "generate", "--model", model_file, "--latent", "w.npz", "--out", "o")
    assert status == 2 and "'noise_3' must be" in error
