"""Operations on the latent and on W."""

import math
from itertools import pairwise

import pytest
import torch

from audiobend.bending import LatentBend, Patch, latent, resolve
from audiobend.bending.latent import LATENT_OPS, apply_latent, check_latent
from audiobend.errors import PatchError, TransformError

Z = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
W = torch.randn(2, 18, 16, generator=torch.Generator().manual_seed(1))
BASIS = torch.linalg.qr(torch.randn(16, 16, generator=torch.Generator().manual_seed(2)))[0][:5]
VALUES = {
    "offset": {"axis": 3, "amount": 0.5},
    "scale": {"axis": 3, "factor": 2},
    "invert": {"axis": 3},
    "noise": {"sigma": 0.5},
}


def another(seed: int) -> torch.Tensor:
    """The code of a seed in a network that draws codes."""
    return torch.randn(1, 18, 16, generator=torch.Generator().manual_seed(seed))


def test_patches_know_these_operations():
    assert set(LATENT_OPS) == {*VALUES, "swap", "interpolate"}


def test_levels_are_swapped_with_another_seeds():
    bent = apply_latent("swap", W, {"seed": 5}, levels=[0, 1], another=another)
    assert torch.equal(bent[:, :2], another(5)[:, :2].expand(2, -1, -1)) and torch.equal(bent[:, 2:], W[:, 2:])


def test_a_code_is_interpolated_towards_another_seeds():
    half = apply_latent("interpolate", W, {"seed": 5, "amount": 0.25}, another=another)
    torch.testing.assert_close(half, 0.75 * W + 0.25 * another(5))
    assert torch.equal(apply_latent("interpolate", W, {"seed": 5, "amount": 0}, another=another), W)
    assert torch.equal(apply_latent("interpolate", W, {"seed": 5, "amount": 1}, another=another)[0], another(5)[0])


@pytest.mark.parametrize("op", ["swap", "interpolate"])
def test_another_seeds_code_is_refused_where_none_is_drawn(op):
    with pytest.raises(TransformError, match="this network draws none"):
        apply_latent(op, Z, {"seed": 5})
    with pytest.raises(PatchError, match="this model draws none"):
        resolve(Patch(latent=(LatentBend(op, {"seed": 5}),)), [])


@pytest.mark.parametrize("z", [Z, W], ids=["z", "w"])
@pytest.mark.parametrize("op", VALUES)
def test_shape_is_kept_and_the_input_is_not_mutated(op, z):
    before = z.clone()
    bent = apply_latent(op, z, VALUES[op])
    assert bent.shape == z.shape and not torch.equal(bent, z)
    bent.zero_()
    assert torch.equal(z, before)


@pytest.mark.parametrize("op", VALUES)
def test_only_the_chosen_levels_change(op):
    bent = apply_latent(op, W, VALUES[op], levels=[2, 6])
    kept = [level for level in range(18) if level not in (2, 6)]
    assert torch.equal(bent[:, kept], W[:, kept])
    assert torch.equal(bent[:, [2, 6]], apply_latent(op, W, VALUES[op])[:, [2, 6]])
    assert not torch.equal(bent[:, 2], W[:, 2])


@pytest.mark.parametrize("op", ["offset", "scale", "invert"])
def test_only_the_chosen_axis_changes(op):
    bent = apply_latent(op, Z, VALUES[op])
    assert torch.equal(bent.ne(Z).any(0).nonzero().flatten(), torch.tensor([3]))


@pytest.mark.parametrize("op", ["offset", "scale", "invert"])
def test_a_principal_axis_is_bent_in_its_own_coordinates(op):
    along_axes = apply_latent(op, Z, VALUES[op], basis=BASIS) @ BASIS.T
    torch.testing.assert_close(along_axes, apply_latent(op, Z @ BASIS.T, VALUES[op]))
    assert torch.linalg.vector_norm(apply_latent("offset", Z, [2, 0.5], basis=BASIS) - Z, dim=1).allclose(
        torch.tensor(0.5)
    )


def test_scale_and_invert_of_all_axes():
    torch.testing.assert_close(apply_latent("scale", Z, {"factor": 3}), 3 * Z)
    assert torch.equal(apply_latent("invert", Z, {"axis": "all"}), -Z)


def test_invert_about_a_mean_keeps_the_mean():
    mean = Z[0]
    torch.testing.assert_close(latent.invert(Z, mean=mean), 2 * mean - Z)
    once = latent.invert(Z, 2, basis=BASIS, mean=mean)
    torch.testing.assert_close(latent.invert(once, 2, basis=BASIS, mean=mean), Z)
    torch.testing.assert_close(once[0], mean)


def test_noise_is_decided_by_the_seed_and_can_replace():
    first = apply_latent("noise", Z, {"sigma": 1}, seed=3)
    assert torch.equal(first, apply_latent("noise", Z, {"sigma": 1}, seed=3))
    assert not torch.equal(first, apply_latent("noise", Z, {"sigma": 1}, seed=4))
    replaced = apply_latent("noise", W, {"sigma": 1, "replace": 1}, seed=3, levels=[4])
    torch.testing.assert_close(replaced[0, 4], replaced[1, 4])
    torch.testing.assert_close(apply_latent("noise", Z, {"sigma": 1, "replace": 1}, seed=3) + Z, first)


def test_swap_takes_levels_and_axes_of_the_other():
    other = W + 1
    swapped = latent.swap(W, other, levels=range(8))
    assert torch.equal(swapped[:, :8], other[:, :8]) and torch.equal(swapped[:, 8:], W[:, 8:])
    some = latent.swap(W, other, levels=[1], axes=[0, 5])
    assert some.ne(W).nonzero().tolist() == [[item, 1, axis] for item in (0, 1) for axis in (0, 5)]
    whole = latent.swap(W, other)
    assert torch.equal(whole, other) and whole is not other


@pytest.mark.parametrize("way", [latent.lerp, latent.slerp])
def test_interpolation_starts_and_ends_where_it_says(way):
    a, b = Z, Z.flip(0) + 0.1
    torch.testing.assert_close(way(a, b, 0), a)
    torch.testing.assert_close(way(a, b, 1.0), b)
    each = way(a, b, torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(each[1:2], way(a[1:2], b[1:2], 0.5))
    torch.testing.assert_close(each[[0, 2]], torch.stack([a[0], b[2]]))


def test_slerp_stays_on_the_sphere_at_an_even_pace():
    a, b = (torch.nn.functional.normalize(z, dim=-1) for z in (W, W.flip(1)))
    points = [latent.slerp(a, b, share / 4) for share in range(5)]
    for point in points:
        torch.testing.assert_close(point.norm(dim=-1), torch.ones(2, 18))
    steps = [(p * q).sum(-1).clamp(-1, 1).acos() for p, q in pairwise(points)]
    torch.testing.assert_close(steps[0], steps[3], atol=1e-3, rtol=1e-3)


def test_slerp_of_vectors_in_line_is_straight():
    torch.testing.assert_close(latent.slerp(Z, 2 * Z, 0.5), 1.5 * Z)
    assert latent.slerp(Z, torch.zeros_like(Z), 0.5).isfinite().all()


SENTENCES = [
    (("ofset", Z, None, {}), "unknown latent operation 'ofset'; did you mean 'offset'?"),
    (("offset", Z, {"axis": 16}, {}), "offset: axis must be in 0..15 for this latent, got 16"),
    (("offset", Z, {"axis": 5}, {"basis": BASIS}), "offset: axis must be in 0..4 for this latent, got 5"),
    (("offset", Z, {"axis": "all"}, {}), "offset: axis must be a number, got 'all'"),
    (("noise", Z, {"sigma": math.nan}, {}), "noise: sigma must be in 0..10, got nan"),
    (("invert", Z, [], {}), "invert: takes 1 value (axis), got 0"),
    (
        ("invert", Z, None, {"levels": [0]}),
        "levels belong to latents of shape (batch, level, dim), got (3, 16)",
    ),
    (("invert", W, None, {"levels": [18]}), "levels must be in 0..17, got 18"),
]


@pytest.mark.parametrize(("call", "sentence"), SENTENCES, ids=lambda v: str(v)[-30:])
def test_mistakes_are_refused_with_a_sentence(call, sentence):
    op, z, values, where = call
    with pytest.raises(TransformError) as error:
        apply_latent(op, z, values, **where)
    assert str(error.value) == sentence


def test_values_of_patches_are_checked_without_a_latent():
    assert check_latent("offset", [3, 0.5]) == {"axis": 3, "amount": 0.5}
    assert check_latent("invert") == {"axis": -1}
