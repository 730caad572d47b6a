"""An exported generator against the project's own: the same pictures, in an interpreter that has torch alone."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from audiobend.bending import Cluster, Clusters, LatentBend, Modulation, Patch, Random, WeightBend
from audiobend.errors import PatchError, PictureError
from audiobend.export.nn_tilde import FACTS
from audiobend.export.pictures import picture_module, plan_picture_export, write_pictures
from audiobend.networks.stylegan2_model import PictureModel, weights_fingerprint
from audiobend.picture import Painter
from audiobend.picture_settings import PictureSettings
from tests.networks.checkpoint_files import mean_of, nvlabs, small_network

EXACT = 1e-5
SEEDS = [1, 2, 3]
PAINTER = Path(__file__).with_name("bare_painter.py")

EYES = (
    Patch(name="eyes", seed=7)
    .add(2, "rotate", {"angle": 30}, id="turn", features=Random(0.5))
    .add(3, "erode", {"radius": 1}, id="wear", mix=0.6)
    .add(1, "scalar-multiply", {"factor": 2.0}, id="dust", features=Cluster((0,)))
)
EVERYWHERE = (
    Patch(seed=2)
    .add("z", "negate", id="z", features=Random(0.5))
    .add("m1", "scalar-multiply", {"factor": 1.3}, id="m")
    .add("w", "shuffle", id="w", mix=0.5)
    .add("const", "flip-h", id="const")
    .add(0, "noise", {"sigma": 0.2}, id="noise")
    .add(1, "blur", {"sigma": 0.8}, id="blur", with_norm=True)
    .add(4, "translate", {"x": 0.2, "y": -0.1}, id="move")
)
DEEP = Patch(
    seed=5,
    latent=(
        LatentBend("swap", {"seed": 12}, levels=(4, 5)),
        LatentBend("interpolate", {"seed": 3, "amount": 0.4}, levels=(0, 1)),
        LatentBend("offset", {"axis": 0, "amount": 1.5}),
        LatentBend("scale", {"axis": 1, "factor": 2.0}, levels=(2,)),
        LatentBend("invert", {"axis": 2}),
        LatentBend("noise", {"sigma": 0.3}, levels=(3,)),
        LatentBend("scale", {"factor": 0.9}),
    ),
    weights=(WeightBend(2, "rotate", {"quarters": 1}), WeightBend(0, "mean-filter")),
)
MOVED = replace(EYES, modulation=(Modulation("turn/angle", "sine", 0.3, 20.0, 0.1),))
PATCHES = {"nothing": Patch(), "eyes": EYES, "everywhere": EVERYWHERE, "deep": DEEP, "moved": MOVED}


@pytest.fixture(scope="module")
def model() -> PictureModel:
    network = small_network()
    labels = {1: torch.arange(5) % 2}
    fingerprint = weights_fingerprint(network)
    return PictureModel(
        "small", network, fingerprint, mean_of(network), Clusters.from_labels(labels, fingerprint=fingerprint)
    )


def painted(model, patch, truncation=0.7, times=None, **settings):
    painter = Painter(model, patch, PictureSettings(truncation=truncation, **settings))
    when = None if times is None else torch.full((len(SEEDS),), times)
    return painter.paint(painter.styles(SEEDS, when), SEEDS, when)


def test_files_paint_what_audiobend_paints_with_torch_alone(model, tmp_path):
    jobs, expected = [], []
    for name, patch in PATCHES.items():
        file = tmp_path / f"{name}.ts"
        write_pictures(plan_picture_export(model, patch), file)
        jobs.append((str(file), model.codes(SEEDS), 0.7, []))
        expected.append(painted(model, patch))
    jobs.append((jobs[1][0], model.codes(SEEDS), 1.0, [("noise", "none"), ("wear_mix", 0.1), ("turn_on", 0)]))
    changed = EYES.set("wear/mix", 0.1).set("turn/on", False)
    expected.append(painted(model, changed, 1.0, noise="none"))
    jobs.append((jobs[4][0], model.codes(SEEDS), 0.4, [("time", 1.7)]))
    expected.append(painted(model, MOVED, 0.4, times=1.7))
    torch.save(jobs, tmp_path / "job.pt")
    words = [sys.executable, "-W", "ignore", PAINTER, tmp_path / "job.pt", tmp_path / "result.pt"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env={"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-2000:]
    plain = expected[0]
    for (file, *_), found, wanted in zip(jobs, torch.load(tmp_path / "result.pt"), expected, strict=True):
        assert (found - wanted).abs().max() <= EXACT, file
        assert "nothing" in file or (wanted - plain).abs().max() > 0.01, file


@pytest.mark.parametrize(
    "sizes", [{"base": (4, 6)}, {"n_classes": 3}, {"features": (4, 3), "n_latent": 5}], ids=["wide", "classes", "tiny"]
)
def test_every_kind_of_generator_can_be_exported(sizes):
    network = small_network(**sizes)
    model = PictureModel("other", network, weights_fingerprint(network), mean_of(network))
    label = 2 if sizes.get("n_classes") else 0
    module = picture_module(plan_picture_export(model, Patch().add(1, "invert", mix=0.3), label=label, cutoff=2))
    wanted = painted(model, Patch().add(1, "invert", mix=0.3), label=label, cutoff=2)
    with torch.inference_mode():
        found = torch.cat([module(one[None]) for one in model.codes(SEEDS)])
    assert (found - wanted).abs().max() <= EXACT


def test_random_noise_is_drawn_by_the_host_and_is_as_strong_as_the_model_says(model):
    module = picture_module(plan_picture_export(model, Patch(), noise="random"))
    codes = model.codes([1])
    with torch.inference_mode():
        torch.manual_seed(0)
        first, second = module(codes), module(codes)
        torch.manual_seed(0)
        again = module(codes)
        module.set_noise("none")
        plain = module(codes)
        with pytest.raises(torch.jit.Error, match="none, const or random"):
            module.set_noise("loud")
    assert torch.equal(first, again) and not torch.equal(first, second)
    many = torch.cat([painted(model, Patch(), noise="random")[0][None], first])
    assert 0.3 < float((many[1] - plain[0]).std() / (many[0] - plain[0]).std()) < 3


def test_a_file_says_what_it_is(model, tmp_path):
    written = write_pictures(plan_picture_export(model, EYES, controls="turn/angle,wear/mix"), tmp_path / "eyes.ts")
    extra = {FACTS: ""}
    module = torch.jit.load(str(tmp_path / "eyes.ts"), _extra_files=extra)
    facts = json.loads(extra[FACTS])
    assert facts == json.loads(json.dumps(written.facts))
    assert (facts["patch"], facts["size"], facts["latent"], facts["levels"]) == ("eyes", [16, 16], 8, 6)
    assert [one["target"] for one in facts["controls"]] == ["turn/angle", "wear/mix"]
    assert module.get_attributes() == ["turn_angle", "wear_mix"]
    assert module.set_turn_angle(1000.0) == 0 and module.get_turn_angle() == (360.0,)


def test_codes_and_styles_of_another_model_are_refused(model):
    module = picture_module(plan_picture_export(model, Patch()))
    with pytest.raises(torch.jit.Error, match=r"codes must be \(batch, 8\)"):
        module(torch.zeros(1, 9))
    with pytest.raises(torch.jit.Error, match=r"styles must be \(batch, 6, 8\)"):
        module.paint(torch.zeros(1, 5, 8))


@pytest.mark.parametrize(
    ("patch", "options", "error", "sentence"),
    [
        (EYES, {"format": "nn~"}, PictureError, "'nn~' is for sound; a picture model is exported with --format torch"),
        (EYES, {"format": "onnx"}, PictureError, "'onnx' is for sound"),
        (EYES, {"controls": "output/mix"}, PatchError, "output/mix: belongs to sound"),
        (EYES, {"controls": "turn/angel"}, PatchError, "did you mean 'angle'"),
        (EYES, {"controls": "turn/features"}, PatchError, "drawn when the file is made"),
        (EYES, {"label": 3}, PictureError, "the class must be in 0..0"),
        (EYES, {"noise": "loud"}, PictureError, "unknown noise 'loud'"),
        (
            replace(EYES, modulation=(Modulation("turn/angle", "follow", 3.0, 20.0, 0.0),)), {}, PatchError,
            "turn/angle follows the input's loudness",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_is_refused_by_name(model, patch, options, error, sentence):
    with pytest.raises(error, match=sentence):
        plan_picture_export(model, patch, **options)


def test_the_command_writes_one_file_and_says_what_can_be_turned(audiobend, tmp_path):
    (tmp_path / "net.pkl").write_bytes(nvlabs(small_network()))
    (tmp_path / "eyes.yaml").write_text(
        "audiobend: 1\ntransforms:\n  - {id: turn, layer: 2, transform: rotate, params: {angle: 30}}\n"
    )
    words = ("export", "net.pkl", "--patch", "eyes.yaml", "--out", "eyes.ts")
    status, out, err = audiobend(*words)
    assert (status, err) == (0, "")
    assert out.splitlines() == ["eyes.ts", "16 by 16 pixels from codes of 8; to turn: turn_on, turn_mix, turn_angle"]
    status, out, err = audiobend(*words, "--format", "nn~", "--overwrite")
    assert (status, out) == (2, "") and "'nn~' is for sound" in err
    assert audiobend(*words, "--overwrite", "--json")[0] == 0
