"""``audiobend image`` as a picture maker meets it."""

import hashlib
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from PIL import Image

from tests.networks.checkpoint_files import nvlabs, rosinality, small_network, tensorflow

PATCH = """
audiobend: 1
name: test
seed: 5
transforms:
  - {id: turn, layer: 3, transform: rotate, params: {angle: 45}, features: random, feature-param: 0.5}
  - {id: dust, layer: m1, transform: scalar-multiply, params: [2.0], features: random, feature-param: 0.5}
latent: [{op: swap, seed: 9, levels: [2]}, {op: offset, axis: 0, amount: 1.0}]
weights: [{layer: 2, op: rotate, quarters: 1}]
"""


@pytest.fixture
def model(tmp_path) -> Path:
    path = tmp_path / "net.pkl"
    path.write_bytes(nvlabs(small_network()))
    return path


@pytest.fixture
def patch(tmp_path) -> Path:
    path = tmp_path / "patch.yaml"
    path.write_text(PATCH)
    return path


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path))


def digests(folder) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(Path(folder).iterdir()) if p.is_file()}


def test_the_same_seeds_give_the_same_bytes_and_a_patch_changes_them(audiobend, model, patch):
    for folder, more in (("a", []), ("b", []), ("c", ["--patch", patch]), ("d", ["--patch", patch])):
        status, out, error = audiobend("image", "generate", "--model", model, "--seeds", "0-2,7", "--out", folder,
                                       "--grid", *more)    # fmt: skip
        assert (status, error) == (0, "") and "4 pictures" in out
    assert digests("a") == digests("b") and digests("c") == digests("d")
    assert set(digests("a")) == {*(f"seed000{i}.png" for i in (0, 1, 2, 7)), "grid.png"}
    assert set(digests("c")) == {*digests("a"), "patch.yaml"}
    assert pixels("a/seed0000.png").shape == (16, 16, 3)
    assert not np.array_equal(pixels("a/seed0000.png"), pixels("c/seed0000.png"))
    assert np.array_equal(pixels("a/grid.png")[16:, 16:], pixels("a/seed0007.png"))


def test_a_seed_gives_the_same_picture_alone_and_among_others(audiobend, model):
    audiobend("image", "generate", "--model", model, "--seeds", "0-5", "--noise", "random", "--out", "many")
    audiobend("image", "generate", "--model", model, "--seeds", "4", "--noise", "random", "--out", "one")
    assert digests("one").items() <= digests("many").items()


def test_noise_truncation_and_directions_change_the_picture(audiobend, model, patch):
    seen = []
    for more in ([], ["--noise", "none"], ["--noise", "random"], ["--truncation", "0.3"], ["--truncation", "1"],
                 ["--truncation", "0.3", "--truncation-cutoff", "2"], ["--precision", "bf16"]):    # fmt: skip
        assert audiobend("image", "generate", "--model", model, "--out", "o", *more)[0] == 0
        seen.append(pixels("o/seed0000.png"))
    assert len({one.tobytes() for one in seen}) == len(seen)
    bent = []
    for kind in ("pca", "sefa"):
        words = ("--model", model, "--patch", patch, "--directions", kind)
        assert audiobend("image", "generate", *words, "--out", "o")[0] == 0
        bent.append(pixels("o/seed0000.png").tobytes())
    assert bent[0] != bent[1]


def test_a_saved_patch_holds_the_drawn_features_and_paints_the_same(audiobend, model, patch):
    audiobend("image", "generate", "--model", model, "--patch", patch, "--out", "a")
    text = Path("a/patch.yaml").read_text()
    assert "features: random" not in text and "feature-param: [" in text
    audiobend("image", "generate", "--model", model, "--patch", "a/patch.yaml", "--patch-seed", "5", "--out", "b")
    assert np.array_equal(pixels("a/seed0000.png"), pixels("b/seed0000.png"))


def test_a_picture_is_made_again_from_its_own_file(audiobend, model, patch):
    np.savez("w.npz", w=np.random.default_rng(0).normal(size=(2, 8)).astype(np.float32))
    audiobend("image", "generate", "--model", model, "--patch", patch, "--out", "a", "--noise", "random")
    audiobend("image", "generate", "--model", model, "--patch", patch, "--out", "a", "--latent", "w.npz")
    for name in ("seed0000.png", "style0001.png"):
        assert audiobend("image", "generate", "--again", f"a/{name}", "--out", "again")[0] == 0
        assert Path("again", name).read_bytes() == Path("a", name).read_bytes()
    other = Path("other.pt")
    other.write_bytes(rosinality(small_network(1)))
    status, _, error = audiobend("image", "generate", "--again", "a/seed0000.png", "--model", other, "--out", "again")
    assert status == 2 and "the picture was made by the model" in error


def test_styles_from_a_file_are_painted_untruncated(audiobend, model):
    w = torch.randn(1, 6, 8, generator=torch.Generator().manual_seed(0))
    np.savez("w.npz", w=w.numpy())
    np.save("w.npy", w.numpy())
    for name in ("w.npz", "w.npy"):
        status, _, _ = audiobend("image", "generate", "--model", model, "--latent", name, "--out", name[:-1])
        assert status == 0
    with torch.no_grad():
        expected = ((small_network().synthesis(w)[0] + 1) * 127.5).round().clamp(0, 255).permute(1, 2, 0)
    assert np.array_equal(pixels("w.np/style0000.png"), expected.byte().numpy())


def test_variations_are_made_again_by_the_manifests_commands(audiobend, model, patch):
    words = ("--model", model, "--patch", patch, "--seeds", "0,3")
    status, _, error = audiobend("image", "generate", *words, "--variations", "2", "--out", "v")
    assert (status, error) == (0, "")
    entries = json.loads(Path("v/variations.json").read_text())["variations"]
    assert len(entries) == 4 and len({entry["sha256"] for entry in entries}) == 4
    for entry in entries:
        assert hashlib.sha256(Path("v", entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
        assert audiobend(*shlex.split(entry["command"])[1:])[0] == 0
        made = Path("again", Path(entry["file"]).name)
        assert hashlib.sha256(made.read_bytes()).hexdigest() == entry["sha256"]
        assert "features: random" not in Path("v", entry["patch"]).read_text()


@pytest.mark.parametrize("write", [rosinality, nvlabs, tensorflow])
def test_a_converted_model_paints_the_same_and_keeps_its_fingerprint(audiobend, tmp_path, write):
    source = tmp_path / "net.pkl"
    source.write_bytes(write(small_network()))
    status, out, error = audiobend("image", "convert", source, "--out", "models/mine", "--json")
    assert (status, error) == (0, "")
    facts = json.loads(out)
    assert (facts["height"], facts["width"], facts["layers"], facts["mean_was_computed"]) == (16, 16, 5, False)
    assert {p.name for p in Path("models/mine").iterdir()} == {"model.yaml", "weights.safetensors"}
    audiobend("image", "generate", "--model", source, "--seeds", "0-1", "--out", "a")
    audiobend("image", "generate", "--model", "models/mine", "--seeds", "0-1", "--out", "b")
    for name in ("seed0000.png", "seed0001.png"):
        assert np.array_equal(pixels(f"a/{name}"), pixels(f"b/{name}"))
    assert audiobend("image", "generate", "--again", "a/seed0001.png", "--model", "models/mine", "--out", "c")[0] == 0
    assert np.array_equal(pixels("a/seed0001.png"), pixels("c/seed0001.png"))


def test_a_mean_that_a_file_lacks_is_asked_for_or_worked_out(audiobend, tmp_path):
    source = tmp_path / "net.pt"
    source.write_bytes(rosinality(small_network(), latent_avg=None))
    status, _, error = audiobend("image", "generate", "--model", source, "--out", "o")
    assert status == 2 and "has no latent_avg" in error and "--truncation 1" in error and not Path("o").exists()
    assert audiobend("image", "generate", "--model", source, "--truncation", "1", "--out", "o")[0] == 0
    status, out, _ = audiobend("image", "convert", source, "--out", "mine")
    assert status == 0 and "no latent_avg" in out
    assert audiobend("image", "generate", "--model", "mine", "--out", "o")[0] == 0


def test_strips_show_the_transform_at_every_layer(audiobend, model):
    words = ("image", "strips", "--model", model, "--transform", "rotate", "--values", "90", "--seeds", "0,3")
    status, out, error = audiobend(*words, "--out", "strip.png")
    assert (status, error, out.strip()) == (0, "", "strip.png")
    strip = pixels("strip.png")[-32:]
    assert strip.shape == (32, 5 * 16, 3)
    audiobend("image", "generate", "--model", model, "--seeds", "0,3", "--out", "plain")
    assert np.array_equal(strip[:16, :16], pixels("plain/seed0000.png"))
    assert np.array_equal(strip[16:, :16], pixels("plain/seed0003.png"))
    Path("bend.yaml").write_text("transforms: [{layer: 2, transform: rotate, params: [90]}]")
    audiobend("image", "generate", "--model", model, "--patch", "bend.yaml", "--out", "bent")
    assert np.array_equal(strip[:16, 32:48], pixels("bent/seed0000.png"))


def test_json_is_one_document_and_quiet_is_silent(audiobend, model):
    words = ("image", "generate", "--model", model, "--seeds", "3", "--out", "o")
    status, out, error = audiobend(*words, "--json")
    assert (status, error) == (0, "")
    assert json.loads(out)["pictures"] == [{"file": "o/seed0003.png", "seed": 3, "height": 16, "width": 16}]
    assert audiobend(*words, "--quiet") == (0, "", "")


def test_files_of_others_are_not_overwritten(audiobend, model):
    Path("o").mkdir()
    Image.new("RGB", (4, 4)).save("o/seed0001.png")
    before = digests("o")
    words = ("image", "generate", "--model", model, "--seeds", "0-1", "--out", "o")
    status, _, error = audiobend(*words)
    assert status == 2 and "was not written by audiobend; add --overwrite" in error and digests("o") == before
    assert audiobend(*words, "--overwrite")[0] == 0
    assert audiobend(*words)[0] == 0    # our own are replaced
    Path("kept").mkdir()
    Path("kept/model.yaml").write_text("mine")
    status, _, error = audiobend("image", "convert", model, "--out", "kept")
    assert status == 2 and "none of pictures" in error and Path("kept/model.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["generate", "--model", "nope", "--out", "o"], "there is no such model"),
        (["generate", "--model", "junk.pkl", "--out", "o"], "junk.pkl: this is no file of a network"),
        (["generate", "--model", "sg3.pkl", "--out", "o"], "sg3.pkl: this is a StyleGAN3 network"),
        (["generate", "--model", "torn.pt", "--out", "o"], "torn.pt: 'noises.noise_4' must be of the size"),
        (["generate", "--model", "sg1.pkl", "--out", "o"], "sg1.pkl: this is a StyleGAN1 network"),
        (["generate", "--model", "corpus-quarter", "--out", "o"], "there is no such model"),
        (["generate", "--model", "net.pkl", "--latent", "big.npz", "--out", "o"], "'w' must be (6, 8)"),
        (["generate", "--model", "net.pkl", "--seeds", "5-2", "--out", "o"], "--seeds must be whole numbers"),
        (["generate", "--model", "net.pkl", "--seeds", "1,1", "--out", "o"], "got 1 twice"),
        (["generate", "--model", "net.pkl", "--truncation", "9", "--out", "o"], "truncation"),
        (["generate", "--model", "net.pkl", "--noise", "loud", "--out", "o"], "noise"),
        (["generate", "--model", "net.pkl", "--class", "3", "--out", "o"], "this model has no classes"),
        (["generate", "--model", "net.pkl", "--device", "toaster", "--out", "o"], "there is no device 'toaster'"),
        (["generate", "--model", "net.pkl", "--patch", "far.yaml", "--out", "o"], "far.yaml: transforms[0]: layer 16"),
        (["generate", "--model", "net.pkl", "--latent", "wrong.npz", "--out", "o"], "'w' must be (6, 8)"),
        (["generate", "--model", "net.pkl", "--latent", "junk.pkl", "--out", "o"], "no .npz or .npy file"),
        (["generate", "--model", "net.pkl", "--latent", "objects.npy", "--out", "o"], "no .npz or .npy file"),
        (["generate", "--model", "net.pkl", "--out", "junk.pkl"], "this folder cannot be made"),
        (["generate", "--again", "junk.pkl", "--out", "o"], "this is no PNG picture"),
        (["generate", "--again", "plain.png", "--out", "o"], "does not say how it was made"),
        (["strips", "--model", "net.pkl", "--transform", "rotat", "--out", "s.png"], "did you mean 'rotate'"),
        (["strips", "--model", "net.pkl", "--transform", "rotate", "--values", "400", "--out", "s.png"], "0..360"),
        (["strips", "--model", "net.pkl", "--transform", "rotate", "--values", "x", "--out", "s.png"], "--values"),
        (["strips", "--model", "net.pkl", "--transform", "flip-h", "--layers", "5-9", "--out", "s.png"], "layer 5"),
        (["strips", "--model", "net.pkl", "--transform", "flip-h", "--out", "s.jpg"], "must end in .png"),
        (["convert", "junk.pkl", "--out", "m"], "this is no file of a network"),
        (["convert", "missing.pkl", "--out", "m"], "there is no such file"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(audiobend, model, words, expected):
    Path("junk.pkl").write_bytes(b"GIF89a" * 50)
    Path("sg1.pkl").write_bytes(tensorflow(small_network(), function="G_style"))
    renamed = nvlabs(small_network()).replace(b"\x8c\x02b4", b"\x8c\x02L0").replace(b"\x8c\x02b8", b"\x8c\x02L1")
    Path("sg3.pkl").write_bytes(renamed)
    network = small_network()
    network.noises.noise_4 = torch.zeros(1, 1, 32, 32)
    Path("torn.pt").write_bytes(rosinality(network))
    np.savez("big.npz", w=np.zeros((1, 18, 512), np.float32))
    Path("far.yaml").write_text("transforms: [{layer: 16, transform: ablate}]")
    np.savez("wrong.npz", w=np.zeros((1, 5, 8), np.float32))
    np.save("objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    Image.new("RGB", (4, 4)).save("plain.png")
    before = sorted(Path().rglob("*"))
    status, out, error = audiobend("image", *words)
    assert status == 2 and out == "" and expected in error
    assert error.count("\n") == 1 and "Traceback" not in error
    assert sorted(Path().rglob("*")) == before


@pytest.mark.slow
def test_the_page_on_pictures_runs_from_top_to_bottom(audiobend, tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "pictures.md").read_text()
    network = small_network(features=(12, 10, 8, 6, 4))
    (tmp_path / "ffhq.pkl").write_bytes(nvlabs(network))
    # Where the model is not shipped, a folder of its name stands for it.
    assert audiobend("image", "convert", "ffhq.pkl", "--out", "tiles-64", "--quiet")[0] == 0
    sf.write("track.wav", np.random.default_rng(0).normal(0, 0.1, 22050).astype(np.float32), 22050)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 90, 3), dtype=np.uint8)).save("face.png")
    (patch,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "eyes.yaml").write_text(patch)
    commands = re.findall(r"^audiobend (.*)$", "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL)), re.MULTILINE)
    assert len(commands) >= 16
    shorter = {"--steps 300": "--steps 2", "--seconds 12": "--seconds 1", "--seconds 8": "--seconds 1"}
    for command in commands:
        for long, short in shorter.items():
            command = command.replace(long, short)
        if command.startswith("cluster"):
            command += " --samples 8"
        status, _, error = audiobend(*shlex.split(command))
        assert status == 0 and (error == "" or "image live" in command), command
    assert Path("again/seed0000.png").read_bytes() == Path("many/02/seed0000.png").read_bytes()
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    found: dict = {}
    exec(program, found)
    assert tuple(found["pictures"].shape) == (2, 3, 64, 64)
