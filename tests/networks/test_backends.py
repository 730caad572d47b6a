"""Every backend gives what the network gives, bent and unbent, in whole and in part."""

import importlib.util
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from audiobend.bending import Patch, resolve
from audiobend.bending.bend import LatentBend, WeightBend
from audiobend.bending.features import All, Random
from audiobend.bending.modulation import Modulation
from audiobend.bending.pointwise import is_pointwise, points_of
from audiobend.bending.reach import reach
from audiobend.bending.transform import TRANSFORMS
from audiobend.errors import ModelError
from audiobend.networks import bent
from audiobend.networks.backends import backend, has_bfloat16, worth_trying
from audiobend.networks.stages import rows_wanted
from audiobend.networks.subpixel import Part, Subpixel
from audiobend.speed import choose_backend, eight_bends

IS_MISSING = importlib.util.find_spec("openvino") is None and os.environ.get("CI") != "true"
OPENVINO = pytest.mark.skipif(IS_MISSING, reason="OpenVINO is not installed")
EVERY = [
    "torch",
    "torch-bf16",
    pytest.param("openvino", marks=OPENVINO),
    pytest.param("openvino-bf16", marks=OPENVINO),
]
EXACT = ["torch", pytest.param("openvino", marks=OPENVINO)]
TOLERANCE = {"torch": 1e-4, "openvino": 1e-4, "torch-bf16": 0.1, "openvino-bf16": 0.1}
SOME = Random(0.5)
PATCHES = {
    "nothing": Patch(),
    "points": Patch(seed=3)
    .add("e2", "negate", features=SOME, mix=0.2)
    .add(1, "scalar-multiply", {"factor": 1.5}, features=SOME)
    .add(2, "invert", mix=0.5)
    .add(2, "offset", {"delta": 0.3}, features=SOME, mix=0.4)
    .add(4, "ablate", features=SOME),
    "space": Patch(seed=3).add(2, "erode", {"radius": 2}, mix=0.7).add(3, "ablate", features=SOME),
    "space late": Patch().add(1, "scalar-multiply", {"factor": 1.2}).add(4, "rotate", {"angle": 20}),
    "neighbours": Patch()
    .add(2, "dilate", {"radius": 1})
    .add(3, "blur", {"sigma": 0.6})
    .add(4, "mean-filter", {"size": 4}),
    "moving reach": Patch(modulation=(Modulation("3-erode/radius", "sine", depth=3.0),)).add(3, "erode", {"radius": 2}),
    "last layer": Patch().add(5, "translate", {"y": 0.2}),
    "first layer": Patch().add("e1", "blur", {"sigma": 1.0}),
    "whole maps": Patch().add(3, "normalise").add(4, "smooth", {"amount": 0.5}),
    "code": Patch(latent=(LatentBend("offset", {"axis": 1, "amount": 0.5}),)).add("z", "negate", mix=0.1),
    "kernels": Patch(weights=(WeightBend(3, "invert"), WeightBend(5, "mean-filter"))).add(4, "dilate", {"radius": 1}),
    "first kernel": Patch(weights=(WeightBend("e1", "centre-tap"),)),
    "kernel after bend": Patch(weights=(WeightBend(4, "invert"),)).add(2, "ablate", mix=0.3),
    "eight": eight_bends(),
}


def windows(batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 1, 128, 513, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def truth(model, patch, x, times=None) -> tuple[torch.Tensor, torch.Tensor]:
    """What the network itself puts out, bent through its call sites, and unbent."""
    plan, network = model.resolve(patch), model.bent_network(patch)
    with bent(network, plan, times):
        code = plan.apply_latent(network.encode_mean(x), model.latent_axes, times=times)
        return network.decode(code), model.network(x)


def assert_near(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=tolerance)


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
@pytest.mark.parametrize("name", EXACT)
def test_a_backend_gives_what_the_network_gives(tiny_model, name, patch):
    x, plan = windows(), tiny_model.resolve(patch)
    found = backend(name, tiny_model, 2).reconstruct(x, plan)
    assert_near(found, truth(tiny_model, patch, x), 1e-4)


@pytest.mark.parametrize("name", ["torch-bf16", pytest.param("openvino-bf16", marks=OPENVINO)])
def test_bfloat16_is_near(tiny_model, name):
    x, plan = windows(), tiny_model.resolve(PATCHES["space"])
    found = backend(name, tiny_model, 2).reconstruct(x, plan)
    for one, other in zip(found, truth(tiny_model, PATCHES["space"], x), strict=True):
        assert (one - other).square().mean().sqrt() < 0.02 * other.square().mean().sqrt()


COLUMNS = (slice(112, 128), slice(0, 3), slice(61, 62), slice(120, 124))
OF_COLUMNS = [
    pytest.param("torch", patch, columns, id=f"torch-{patch}-{columns.start}-{columns.stop}")
    for patch in PATCHES for columns in COLUMNS
] + [
    # A graph is compiled for each; the fast part has each patch once, and all columns.
    pytest.param(
        "openvino", patch, columns, id=f"openvino-{patch}-{columns.start}-{columns.stop}",
        marks=[OPENVINO, *[pytest.mark.slow] * ((p + c) % len(COLUMNS) != 0)],
    )
    for p, patch in enumerate(PATCHES) for c, columns in enumerate(COLUMNS)
]    # fmt: skip


@pytest.mark.parametrize(("name", "patch", "columns"), OF_COLUMNS)
def test_some_columns_are_those_of_the_whole_window(tiny_model, name, patch, columns):
    patch = PATCHES[patch]
    x, plan = windows(1), tiny_model.resolve(patch)
    expected = [whole[:, :, columns] for whole in truth(tiny_model, patch, x)]
    assert_near(backend(name, tiny_model).reconstruct(x, plan, columns=columns), expected, 1e-4)


@pytest.mark.parametrize("name", EXACT)
def test_moving_parameters_move_for_each_window(tiny_model, name):
    patch = PATCHES["points"].replace(modulation=(Modulation("2-invert/mix", "sine", rate_hz=1.0, depth=0.4),))
    times = torch.tensor([0.25, 0.75], dtype=torch.float64)
    expected = truth(tiny_model, patch, windows(), times)
    found = backend(name, tiny_model, 2).reconstruct(windows(), tiny_model.resolve(patch), times)
    assert_near(found, expected, 1e-4)
    assert not torch.allclose(expected[0], truth(tiny_model, patch, windows())[0], atol=1e-3)


@pytest.mark.parametrize("name", EVERY)
def test_where_nothing_acts_bent_and_unbent_are_one(tiny_model, name):
    bent_windows, unbent = backend(name, tiny_model).reconstruct(windows(1), tiny_model.resolve(Patch()))
    assert bent_windows is unbent


@pytest.mark.parametrize("name", EVERY)
def test_a_backend_changes_neither_windows_nor_model_nor_what_it_gave_before(tiny_model, name):
    one, x, plan = backend(name, tiny_model), windows(1), tiny_model.resolve(PATCHES["points"])
    weights = {key: value.clone() for key, value in tiny_model.network.state_dict().items()}
    first = one.reconstruct(x, plan)
    kept = [part.clone() for part in first]
    one.reconstruct(windows(1) * 2, plan)
    assert torch.equal(x, windows(1))
    assert all(torch.equal(part, before) for part, before in zip(first, kept, strict=True))
    assert all(torch.equal(value, weights[key]) for key, value in tiny_model.network.state_dict().items())


@pytest.mark.parametrize("name", EVERY)
def test_another_number_of_windows_works_too(tiny_model, name):
    one, plan = backend(name, tiny_model, 1), tiny_model.resolve(PATCHES["points"])
    several = one.reconstruct(windows(3), plan)[0]
    torch.testing.assert_close(several[:1], one.reconstruct(windows(3)[:1], plan)[0], rtol=0, atol=TOLERANCE[name])


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
@OPENVINO
def test_a_prepared_plan_compiles_nothing_when_it_plays(tiny_model, patch, monkeypatch):
    one, plan = backend("openvino", tiny_model), tiny_model.resolve(patch)
    one.prepare(plan, slice(112, 128))
    monkeypatch.setattr("audiobend.networks.openvino_backend.GraphWriter.write", None)
    one.reconstruct(windows(1), plan, columns=slice(112, 128))


@OPENVINO
def test_turning_a_knob_of_a_pointwise_bend_compiles_nothing(tiny_model, monkeypatch):
    one, patch = backend("openvino", tiny_model), PATCHES["points"]
    one.prepare(tiny_model.resolve(patch))
    monkeypatch.setattr("audiobend.networks.openvino_backend.GraphWriter.write", None)
    turned = patch.set("1-scalar-multiply/factor", -3.0).set("2-offset/mix", 1.0).set("4-ablate/features", "random 0.2")
    assert_near(
        one.reconstruct(windows(1), tiny_model.resolve(turned)), truth(tiny_model, turned, windows(1)), 1e-4
    )


@pytest.mark.slow
@OPENVINO
def test_openvino_tells_nobody_that_it_runs():
    program = (
        "import sys; from audiobend.networks.openvino_backend import _openvino; _openvino(); "
        "sys.exit(any('openvino_telemetry' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_a_missing_or_misspelt_backend_is_named(tiny_model, monkeypatch):
    with pytest.raises(ModelError, match="did you mean 'torch-bf16'"):
        backend("torch-bf61", tiny_model)
    monkeypatch.setattr("audiobend.networks.backends.has_openvino", lambda: False)
    assert set(worth_trying()) <= {"torch", "torch-bf16"}
    with pytest.raises(ModelError, match=r"pip install 'audiobend\[openvino\]'"):
        backend("openvino", tiny_model)


def test_bfloat16_is_tried_only_where_the_processor_has_it(monkeypatch):
    monkeypatch.setattr("audiobend.networks.backends.has_bfloat16", lambda: False)
    assert worth_trying()[0] == "torch"
    assert not [name for name in worth_trying() if name.endswith("bf16")]
    assert has_bfloat16() in (True, False)


def test_the_fastest_backend_is_chosen_among_those_named(tiny_model, monkeypatch):
    seconds = {"torch": 2.0, "torch-bf16": 1.0}
    monkeypatch.setattr("audiobend.speed.network_seconds", lambda one, *_: seconds[one.name])
    chosen, costs = choose_backend(tiny_model, names=["torch", "torch-bf16"])
    assert chosen.name == "torch-bf16"
    assert costs == {"torch": 2000.0, "torch-bf16": 1000.0}
    assert choose_backend(tiny_model, names=["torch"])[0].name == "torch"


AXES = [(k, s, c) for k in range(2, 7) for s in range(1, 4) for c in range(3) if k >= s and c < k]


@pytest.mark.parametrize(("kernel", "stride", "cut"), AXES)
def test_a_transposed_convolution_is_an_ordinary_one_also_in_part(kernel, stride, cut):
    torch.manual_seed(0)
    transposed = nn.ConvTranspose2d(3, 2, (kernel, 5), (stride, 2), (cut, 2)).requires_grad_(False)
    x = torch.randn(2, 3, 7, 9)
    expected, subpixel = transposed(x), Subpixel(transposed)
    torch.testing.assert_close(subpixel(x), expected, rtol=0, atol=1e-5)
    for first, last in [(0, 1), (1, 4), (expected.shape[2] - 2, expected.shape[2])]:
        part = Part(7, range(7), range(first, last))
        torch.testing.assert_close(subpixel(x, part), expected[:, :, first:last], rtol=0, atol=1e-5)


def test_few_columns_need_few_rows_unless_a_bend_looks_further(tiny_model):
    from audiobend.networks.stages import Bending

    layers = tuple(layer.name for layer in tiny_model.network.layers())
    wanted = rows_wanted(range(112, 128))
    assert [len(rows) for rows in wanted[7:]] == [4, 6, 9, 16]
    spatial = Bending(tiny_model.resolve(Patch().add(3, "erode").add(4, "ablate")), layers, tiny_model.latent_axes)
    assert [len(rows) for rows in rows_wanted(range(112, 128), spatial)[7:]] == [5, 7, 9, 16]
    global_ = Bending(tiny_model.resolve(Patch().add(3, "rotate").add(4, "ablate")), layers, tiny_model.latent_axes)
    assert [len(rows) for rows in rows_wanted(range(112, 128), global_)[7:]] == [17, 32, 9, 16]


@pytest.mark.parametrize("seed", range(8))
def test_a_chain_of_pointwise_bends_is_one_formula(tiny_model, seed):
    random = torch.Generator().manual_seed(seed)
    names = ["ablate", "invert", "negate", "scalar-multiply", "offset", "binary-thresh"]
    order = [names[index] for index in torch.randperm(6, generator=random)]
    values = {"scalar-multiply": {"factor": -1.7}, "offset": {"delta": 0.6}, "binary-thresh": {"threshold": 0.1}}
    patch = Patch(seed=seed)
    for name in order:
        mix = float(torch.rand(1, generator=random))
        patch = patch.add(2, name, values.get(name), features=Random(0.6), mix=mix)
    plan = resolve(patch, tiny_model.network.layers())
    x = torch.randn(2, 16, 5, 7, generator=random)
    steps = plan.steps[2]
    assert is_pointwise(steps)
    scale, offset, jump, slope, level = (torch.from_numpy(a)[..., None, None] for a in points_of(steps, 16, 2).arrays())
    formula = scale * x + offset + jump * (slope * x + level > 0)
    torch.testing.assert_close(formula, plan.apply(2, x), rtol=1e-5, atol=1e-5)


def test_what_has_no_formula_is_not_taken_for_pointwise(tiny_model):
    layers = tiny_model.network.layers()
    twice = Patch().add(2, "binary-thresh", {"threshold": 0.1}).add(2, "binary-thresh", {"threshold": 0.5})
    for patch in (
        twice, Patch().add(2, "erode"), Patch().add(2, "noise"), Patch().add(2, "sin-disrupt"),
        Patch().add(2, "invert", with_norm=True),
    ):
        assert not is_pointwise(resolve(patch, layers).steps[2])


@pytest.fixture(scope="module")
def shipped():
    from audiobend.io.modelbundle import load_model

    return load_model()


@pytest.mark.parametrize(("name", "rms", "most"), [
    ("torch", 1e-4, 0.01),
    ("torch-bf16", 0.1, 1.0),
    pytest.param("openvino", 1e-4, 0.01, marks=OPENVINO),
    pytest.param("openvino-bf16", 0.1, 1.0, marks=OPENVINO),
])
def test_on_music_every_backend_sounds_the_same(shipped, music, name, rms, most):
    """Limits in dB, as the manual states them."""
    from audiobend.spectral.stft import stft

    spectrum, codec = stft(music[:1]).abs(), shipped.codec
    columns = codec.normalise(codec.to_db(spectrum, float(spectrum.max())))
    x = torch.stack([columns[:, :, first : first + 128].mT for first in range(0, 512, 128)])
    times = torch.zeros(4, dtype=torch.float64)
    found = backend(name, shipped, 4).reconstruct(x, shipped.resolve(eight_bends()), times)
    for one, other in zip(found, truth(shipped, eight_bends(), x, times), strict=True):
        error_db = (one - other) * codec.scale_db
        assert error_db.square().mean().sqrt() < rms
        assert error_db.abs().max() < most


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("features", [All(), SOME], ids=["all", "some"])
def test_no_bend_looks_further_than_it_says(tiny_model, name, features):
    far = {"radius": 3, "sigma": 0.9, "size": 4, "factor": 1.7, "delta": 0.4}
    params = {param.name: far[param.name] for param in TRANSFORMS[name].params if param.name in far}
    plan = resolve(Patch(seed=5).add(4, name, params, features=features, mix=0.8), tiny_model.network.layers())
    rows = reach(plan.steps.get(4, ()))
    if rows is None:
        assert name not in {"erode", "blur", "invert", "shuffle"}
        return
    x = torch.randn(1, 4, 64, 257, generator=torch.Generator().manual_seed(0))
    whole = plan.apply(4, x)
    for first, last in [(0, 9), (20, 31), (50, 64)]:
        start, end = max(first - rows, 0), min(last + rows, 64)
        part = plan.apply(4, x[:, :, start:end].contiguous())[:, :, first - start : last - start]
        torch.testing.assert_close(part, whole[:, :, first:last], rtol=0, atol=1e-6)


@OPENVINO
def test_graphs_do_not_pile_up_in_a_long_performance(tiny_model, monkeypatch):
    monkeypatch.setattr("audiobend.networks.openvino_backend.KEPT_GRAPHS", 6)
    one = backend("openvino", tiny_model)
    for layer in (1, 2, 3, 4, 5):
        patch = Patch().add(layer, "erode", {"radius": layer})
        found = one.reconstruct(windows(1), tiny_model.resolve(patch), columns=slice(112, 128))
        assert_near(found, [part[:, :, 112:] for part in truth(tiny_model, patch, windows(1))], 1e-4)
        assert len(one._plain._graphs) <= 6


CTRL_C_AFTER_BACKENDS_CAME_AND_WENT = """
import gc, os, signal, sys
import torch
from audiobend.bending import Patch
from audiobend.io.modelbundle import load_model
from audiobend.networks.backends import backend

signal.signal(signal.SIGINT, signal.default_int_handler)    # shells let what they run in the background ignore it
model = load_model(sys.argv[1])
overlapping = []
for _ in range(2):
    overlapping.append(backend("openvino", model))
    overlapping[-1].reconstruct(torch.zeros(1, 1, 128, 513), model.resolve(Patch()))
while overlapping:
    del overlapping[0]    # the older first, as when a performance changes its model
    gc.collect()
try:
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
except KeyboardInterrupt:
    print("heard")
"""


@pytest.mark.slow
@OPENVINO
def test_a_signal_is_heard_after_backends_came_and_went(tiny_bundle):
    """In a process of its own: what is tested ends the process where it goes wrong."""
    command = [sys.executable, "-c", CTRL_C_AFTER_BACKENDS_CAME_AND_WENT, str(tiny_bundle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr
