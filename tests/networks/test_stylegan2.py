"""The generator is StyleGAN2's: the originals' own numbers, the paper's arithmetic, and bends that leave no trace."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from audiobend.bending import Indices, Patch, Range, check_values
from audiobend.errors import ModelError, PatchError
from audiobend.io.clusterfile import parse_clusters
from audiobend.io.patchfile import parse_patch
from audiobend.io.picturemodel import load_picture_model
from audiobend.networks import bent
from audiobend.networks.stylegan2 import Architecture, StyleGAN2, drawn_noise, standard_features
from audiobend.networks.stylegan2_directions import directions, factorised, principal_axes
from audiobend.networks.stylegan2_model import PictureModel, truncate
from audiobend.picture import Painter
from audiobend.picture_settings import PictureSettings
from tests.networks.checkpoint_files import mean_of, small_network
from tests.networks.naive_stylegan2 import mapped, painted

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "golden" / "stylegan2"


def golden(name: str) -> dict[str, np.ndarray]:
    full = SHARED / f"{name}.npz"
    return dict(np.load(full if full.is_file() else HERE / f"golden_{name}.npz"))


ROSINALITY, ADA = golden("rosinality64"), golden("ada64")
BENT = [case for case in json.loads(str(ROSINALITY["bent_meta_json"])) if case["key"] in ROSINALITY]


@pytest.fixture(scope="module", autouse=True)
def _no_grad():
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def rosinality():
    return load_picture_model(HERE / "golden_rosinality64.pt")


@pytest.fixture(scope="module")
def ada():
    return load_picture_model(HERE / "golden_ada64.pkl")


def close(result: torch.Tensor, expected: np.ndarray, tolerance: float = 1e-4) -> None:
    torch.testing.assert_close(result, torch.from_numpy(expected), atol=tolerance, rtol=0)


def small_model(**sizes) -> PictureModel:
    network = small_network(**sizes)
    return PictureModel("small", network, "0" * 16, mean_of(network))


# The originals' own numbers


def test_pictures_of_the_pytorch_port_are_reproduced(rosinality):
    network, mean = rosinality.network, rosinality.mean
    w = network.mapping(torch.from_numpy(ROSINALITY["z"]))
    close(w, ROSINALITY["w"], 1e-5)
    levels = network.levels(w)
    close(network.synthesis(levels), ROSINALITY["img_bufnoise"])
    close(network.synthesis(levels, "none"), ROSINALITY["img_zeronoise"])
    close(network.synthesis(truncate(levels, mean, 0.7)), ROSINALITY["img_trunc0.7"])
    mixed = torch.cat([levels[:1, :3], levels[1:, 3:]], dim=1)
    close(network.synthesis(mixed), ROSINALITY["img_mix_inject3"])


def test_pictures_of_nvidias_network_are_reproduced(ada):
    w = ada.network.levels(ada.network.mapping(torch.from_numpy(ADA["z"])))
    close(w, ADA["w"], 1e-5)
    close(truncate(w, ada.mean, 0.7), ADA["w_psi0.7"], 1e-5)
    for name in ("img_const", "img_const_unfused"):
        if name in ADA:
            close(ada.network.synthesis(w), ADA[name])


def test_activation_maps_of_both_originals_are_reproduced(rosinality, ada):
    for model, arrays in ((rosinality, ROSINALITY), (ada, ADA)):
        seen = {}

        class Record:
            layers = range(9)

            def apply(self, layer, x, *, times=None, call=0, seen=seen):
                seen[layer] = x.clone()
                return x

        with bent(model.network, Record()):
            model.network(torch.from_numpy(arrays["z"][:1]))
        names = {f"act_layer{i}": i for i in range(9)} | {"act_b4.conv1": 0}
        names |= {f"act_b{4 * 2**i}.conv{k}": 2 * i - 1 + k for i in range(1, 5) for k in (0, 1)}
        compared = [close(seen[layer], arrays[name]) for name, layer in names.items() if name in arrays]
        assert len(compared) >= 5


@pytest.mark.parametrize("case", BENT, ids=lambda case: case["key"])
def test_bent_pictures_of_the_original_are_reproduced(case, rosinality):
    patch = Patch(profile="broad2020")
    for entry, indices in zip(case["transforms"], case["indices"], strict=True):
        values = check_values(entry["transform"], entry["params"], profile="broad2020")
        patch = patch.add(entry["layer"], entry["transform"], values, features=Indices(tuple(indices)))
    painter = Painter(rosinality, patch, PictureSettings(truncation=1))
    close(painter.paint(painter.of_codes(torch.from_numpy(ROSINALITY["z"][:1])), [0]), ROSINALITY[case["key"]])


@pytest.mark.parametrize("case", BENT, ids=lambda case: case["key"])
def test_the_originals_own_patch_files_pick_the_same_clusters(case, rosinality):
    clusters = parse_clusters(str(ROSINALITY["clusters_json"]))
    model = PictureModel("golden", rosinality.network, "0", rosinality.mean, clusters)
    patch = parse_patch(json.dumps({"profile": "broad2020", "transforms": case["transforms"]}))
    plan = model.resolve(patch)
    for bend, entry, indices in zip(patch.bends, case["transforms"], case["indices"], strict=True):
        if entry["features"] != "random" and bend.layer != 0:
            assert plan.features_of(bend.id) == tuple(sorted(indices))


def test_factorised_directions_are_the_originals(rosinality):
    found = factorised(rosinality.network)
    close((found @ torch.from_numpy(ROSINALITY["sefa_eigvec"])).diagonal().abs(), np.ones(64, np.float32), 1e-3)


# The paper's arithmetic

NOISES = ("const", "random", "none", "listed")


@pytest.mark.parametrize(("noise", "truncated", "mixed"), list(itertools.product(NOISES, (False, True), (False, True))))
def test_every_mode_of_noise_truncation_and_mixing_is_the_papers(noise, truncated, mixed):
    network = small_network()
    state, one = network.state_dict(), network.architecture
    z = torch.randn(2, one.n_latent, generator=torch.Generator().manual_seed(1))
    w = network.levels(network.mapping(z))
    for i in range(2):
        torch.testing.assert_close(w[i, 0], mapped(state, z[i]), atol=1e-5, rtol=1e-5)
    if truncated:
        w = truncate(w, mean_of(network), 0.6, cutoff=4)
        torch.testing.assert_close(w[0, 3], mean_of(network) + 0.6 * (mapped(state, z[0]) - mean_of(network)))
        torch.testing.assert_close(w[0, 4], mapped(state, z[0]))
    if mixed:
        w = torch.stack([torch.cat([w[0, :2], w[1, 2:]]), w[1]])
    sizes = [one.map_size(layer) for layer in range(one.n_layers)]
    listed = [torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(2)) for size in sizes]
    pictures = network.synthesis(w, listed if noise == "listed" else noise, seeds=[7, 8])
    for i, seed in enumerate((7, 8)):
        maps = {
            "const": [state[f"noises.noise_{layer}"] for layer in range(one.n_layers)],
            "random": [drawn_noise(seed, layer, size) for layer, size in enumerate(sizes)],
            "none": [None] * one.n_layers,
            "listed": listed,
        }[noise]
        torch.testing.assert_close(pictures[i].double(), painted(state, w[i], maps), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("base", [(4, 4), (3, 5), (4, 8)])
@pytest.mark.parametrize("sizes", [2, 3, 5])
def test_pictures_have_the_size_that_the_constant_and_the_layers_give(base, sizes):
    network = small_network(base=base, features=(5, 4, 4, 3, 2)[:sizes])
    factor = 2 ** (sizes - 1)
    pictures = network(torch.randn(2, 8))
    assert tuple(pictures.shape) == (2, 3, base[0] * factor, base[1] * factor)
    state = network.state_dict()
    w = network.levels(network.mapping(torch.ones(1, 8)))
    noise = [state[f"noises.noise_{layer}"] for layer in range(2 * sizes - 1)]
    torch.testing.assert_close(network.synthesis(w)[0].double(), painted(state, w[0], noise), atol=1e-5, rtol=1e-5)


def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch():
    network = small_network()
    w = network.levels(network.mapping(torch.randn(5, 8)))
    together = network.synthesis(w)
    alone = torch.cat([network.synthesis(w[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_half_precision_paints_nearly_the_same():
    model = small_model()
    full, half = (Painter(model, None, PictureSettings(precision=one)) for one in ("fp32", "bf16"))
    a, b = full.paint(full.styles([1]), [1]), half.paint(half.styles([1]), [1])
    assert b.dtype == torch.float32
    assert (a - b).square().mean().sqrt() < 0.03 * a.std()
    assert model.network.conv1.conv.weight.dtype == torch.float32


def test_published_sizes():
    assert standard_features(1024) == (512, 512, 512, 512, 512, 256, 128, 64, 32)
    one = Architecture(standard_features(1024))
    assert (one.size, one.n_levels, one.n_layers, one.map_size(16)) == ((1024, 1024), 18, 17, (1024, 1024))


def test_gradients_reach_every_weight():
    network = small_network().requires_grad_(True)
    with torch.enable_grad():
        network(torch.randn(2, 8)).square().mean().backward()
    assert [name for name, value in network.named_parameters() if value.grad is None] == []


def test_classes_are_drawn_and_must_be_named():
    network = small_network(n_classes=3)
    z = torch.randn(1, 8)
    a, b = (network.mapping(z, torch.tensor([label])) for label in (0, 2))
    assert not torch.allclose(a, b)
    with pytest.raises(ModelError, match=r"this model draws classes 0\.\.2"):
        network.mapping(z)


# Directions


def test_principal_axes_are_orthogonal_as_long_as_one_deviation_and_always_the_same():
    network = small_network(n_style=8)
    axes = principal_axes(network, 4000)
    lengths = axes.norm(dim=1)
    assert torch.equal(axes, principal_axes(network, 4000)) and bool((lengths.diff() <= 0).all())
    products = axes @ axes.T
    assert (products - products.diag().diag()).abs().max() < 1e-4 * products.max()
    w = network.mapping(torch.randn(20000, 8, generator=torch.Generator().manual_seed(5)))
    along = (w - w.mean(0)) @ (axes[0] / lengths[0])
    assert abs(along.std() / lengths[0] - 1) < 0.05


def test_unknown_directions_are_refused():
    with pytest.raises(ModelError, match="there are no directions 'pcs'; did you mean 'pca'"):
        directions(small_network(), "pcs")


# Bends

MAPS = {"z": (8, 1, 1), "m1": (8, 1, 1), "m2": (8, 1, 1), "w": (8, 6, 1), "const": (6, 4, 4), 0: (6, 4, 4),
        1: (5, 8, 8), 2: (5, 8, 8), 3: (4, 16, 16), 4: (4, 16, 16)}    # fmt: skip


def test_layers_have_the_maps_they_promise_in_the_order_in_which_they_run():
    network, seen = small_network(), {}
    assert {one.name: (one.n_features, one.height, one.width) for one in network.layers()} == MAPS

    class Record:
        layers = tuple(MAPS)

        def apply(self, layer, x, *, times=None, call=0):
            seen[layer] = tuple(x.shape)
            return x

    with bent(network, Record()):
        network(torch.randn(2, 8))
    assert list(seen) == list(MAPS)
    assert {name: shape[1:] for name, shape in seen.items()} == MAPS and {shape[0] for shape in seen.values()} == {2}


@pytest.mark.parametrize("layer", MAPS)
def test_a_bend_at_any_layer_changes_the_picture_and_leaves_no_trace(layer):
    model = small_model()
    plain = Painter(model)
    before = plain.paint(plain.styles([0]), [0])
    some = Range(0, 3)    # a code that is louder as a whole is the same code
    painter = Painter(model, Patch().add(layer, "scalar-multiply", {"factor": 3.0}, features=some))
    assert not torch.allclose(painter.paint(painter.styles([0]), [0]), before, atol=1e-3)
    assert torch.equal(plain.paint(plain.styles([0]), [0]), before)


def test_what_is_bent_at_a_layer_is_what_follows():
    model = small_model()
    painter = Painter(model, Patch().add(4, "ablate"))
    w = painter.styles([0])
    biases = [model.network.get_parameter(f"{name}.bias") for name in ("to_rgb1", "to_rgbs.0", "to_rgbs.1")]
    smaller = Painter(model)
    unbent, ablated = smaller.paint(w, [0]), painter.paint(w, [0])
    assert not torch.allclose(unbent, ablated)
    silent = Painter(model, parse_patch("transforms: [" + ",".join(
        f"{{layer: {layer}, transform: ablate}}" for layer in range(5)) + "]"))    # fmt: skip
    flat = silent.paint(w, [0])
    assert torch.allclose(flat[0, :, 8, 8], sum(biases).flatten(), atol=1e-5)    # colours are never bent


@pytest.mark.parametrize(
    "entry",
    ["op: zeros", "op: ones", "op: invert", "op: transpose", "op: rotate, quarters: 1", "op: rotate, quarters: 3",
     "op: mean-filter, size: 3", "op: centre-tap"],
)    # fmt: skip
def test_kernels_are_bent_and_the_model_stays_as_it_was(entry):
    model = small_model()
    state = {name: value.clone() for name, value in model.network.state_dict().items()}
    plain = Painter(model)
    w = plain.styles([0])
    before = plain.paint(w, [0])
    patch = parse_patch(f"{{transforms: [], weights: [{{layer: 3, {entry}}}]}}")
    assert not torch.allclose(Painter(model, patch).paint(w, [0]), before, atol=1e-4)
    assert all(torch.equal(value, state[name]) for name, value in model.network.state_dict().items())
    assert torch.equal(plain.paint(w, [0]), before)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("op: swap, seed: 5, levels: [0, 3]", lambda w, other: torch.stack([other, w, w, other, w, w])),
        ("op: interpolate, seed: 5, amount: 0.25", lambda w, other: (0.75 * w + 0.25 * other).expand(6, -1)),
        ("op: invert, levels: [2]", lambda w, other: torch.stack([w, w, -w, w, w, w])),
    ],
)
def test_levels_of_w_are_bent(entry, expected):
    model = small_model()
    w, other = Painter(model).styles([0, 5])[:, 0]
    painter = Painter(model, parse_patch(f"{{transforms: [], latent: [{{{entry}}}]}}"))
    torch.testing.assert_close(painter.styles([0])[0], expected(w, other), atol=1e-5, rtol=1e-5)


def test_noise_replaces_levels_of_w_by_the_seed():
    model, entry = small_model(), "latent: [{op: noise, sigma: 1, replace: 1, levels: [1]}]"
    first, again, other = (
        Painter(model, parse_patch(f"{{transforms: [], seed: {seed}, {entry}}}")).styles([0])[0] for seed in (1, 1, 2)
    )
    plain = Painter(model).styles([0])[0]
    assert torch.equal(first, again) and torch.equal(first[0], plain[0]) and not torch.equal(first[1], plain[1])
    assert not torch.equal(first[1], other[1])


@pytest.mark.parametrize("kind", ["pca", "sefa"])
def test_latent_controls_move_along_the_chosen_directions(kind):
    network = small_network()
    model = PictureModel("small", network, "0" * 16, mean_of(network), directions=kind)
    painter = Painter(model, Patch().set("latent/1/offset", 2.0))
    moved = painter.styles([0]) - Painter(model).styles([0])
    torch.testing.assert_close(moved[0], (2 * directions(network, kind)[1]).expand(6, -1), atol=1e-5, rtol=1e-5)


def test_templates_bend_the_constant_and_the_convolutions():
    text = """
    - {resolution: 4, install_after: Conv0_up, layers: [{operation: invert, name: a, with_norm: false}]}
    - {resolution: 16, install_after: Conv0_up, layers: [{operation: erosion, name: b, with_norm: true}]}
    """
    plan = small_model().resolve(parse_patch(text))
    assert set(plan.layers) == {"const", 3}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("transforms: [{layer: 9, transform: ablate}]", r"transforms\[0\]: layer 9: this model has layers .*0\.\.4"),
        ("{transforms: [], latent: [{op: invert, levels: [6]}]}", r"latent\[0\]: invert: levels must be in 0\.\.5"),
        ("{transforms: [], latent: [{op: offset, axis: 8, amount: 1}]}", r"axis must be in 0\.\.7 for this model"),
        ("{transforms: [], weights: [{layer: w, op: zeros}]}", r"weights\[0\]: layer w has no kernels"),
        ("transforms: [{layer: 1, transform: ablate, features: cluster, feature-param: 0}]", "needs clusters"),
        ("[{resolution: 128, install_after: Conv1, layers: [{operation: block, name: a, with_norm: false}]}]",
         "layer 10: this model has layers"),
    ],
)    # fmt: skip
def test_a_patch_that_does_not_fit_is_refused(text, sentence):
    with pytest.raises(PatchError, match=sentence):
        small_model().resolve(parse_patch(text))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda one: one.synthesis(torch.zeros(1, 5, 8)), r"w must be \(batch, 6, 8\)"),
        (lambda one: one.synthesis(torch.zeros(1, 6, 8), "loud"), "noise must be const, random or none"),
        (lambda one: one.synthesis(torch.zeros(1, 6, 8), [None]), "noise needs 5 maps"),
        (lambda one: one.synthesis(torch.zeros(2, 6, 8), "random", [1]), "needs a seed for each of 2 pictures"),
        (lambda one: Architecture((8,)), "needs two sizes or more"),
        (lambda one: Architecture((8,) * 12), "pictures can be 4096 pixels"),
        (lambda one: StyleGAN2(Architecture((8, 0))), "needs two sizes or more"),
    ],
)
def test_wrong_arguments_are_told(call, sentence):
    with pytest.raises(ModelError, match=sentence):
        call(small_network())
