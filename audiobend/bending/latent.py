"""Operations on the latent ``(batch, dim)`` or on W ``(batch, level, dim)`` (Zheng 2022; GANSpace 2020).

An axis is one number of the latent, or, with a ``basis`` of shape ``(k, dim)``, one of its rows: a principal
axis of the latents, say, which changes the sound more audibly than a single number. ``levels`` says which
levels of W change; the others come back bit for bit.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from audiobend.bending.checking import check_params
from audiobend.bending.transform import Function, Number, Param, Transform
from audiobend.errors import TransformError, did_you_mean

LATENT_OPS: dict[str, Transform] = {}
"""The operations that a patch may name under ``latent:``."""

NEEDS_ANOTHER = ("swap", "interpolate")
"""The operations that take another latent code, found by its seed; only networks that draw codes have any."""

Another = Callable[[int], Tensor]
"""Finds the latent of a seed, of the shape of the one that is bent, or with a batch of 1."""

ALL_AXES = -1

_AXIS = Param("axis", ALL_AXES, 8191, default=ALL_AXES, integer=True, help="its number, or 'all' (-1)")
_SEED = Param("seed", 0, 2**32 - 1, default=0, integer=True, help="whose code is taken")
_ONE_AXIS = Param("axis", 0, 8191, default=0, integer=True, help="its number")


def _latent(name: str, *params: Param, seeded: bool = False) -> Callable[[Function], Function]:
    def register(function: Function) -> Function:
        description = (function.__doc__ or "").split("\n")[0]
        forms = (tuple(param.name for param in params),)
        LATENT_OPS[name] = Transform(
            name, "latent", params, function, description, seeded=seeded, forms=forms
        )
        return function

    return register


def check_latent(op: str, values: Mapping[str, object] | Sequence[object] | None = None) -> dict[str, Number]:
    """Check the values of a latent operation and complete them with the defaults: one number each.

    >>> check_latent("scale", {"axis": "all", "factor": 2})
    {'axis': -1, 'factor': 2.0}
    >>> check_latent("ofset")
    Traceback (most recent call last):
    audiobend.errors.TransformError: unknown latent operation 'ofset'; did you mean 'offset'?
    """
    if op not in LATENT_OPS:
        raise TransformError(f"unknown latent operation {op!r}{did_you_mean(op, LATENT_OPS)}")
    entry = LATENT_OPS[op]
    if isinstance(values, Mapping) and values.get("axis") == "all" and _AXIS in entry.params:
        values = {**values, "axis": ALL_AXES}
    return check_params(entry, values)


def apply_latent(
    op: str,
    z: Tensor,
    values: Mapping[str, object] | Sequence[object] | None = None,
    *,
    basis: Tensor | None = None,
    levels: Sequence[int] | None = None,
    seed: int = 0,
    another: Another | None = None,
) -> Tensor:
    """Bend a latent by an operation of `LATENT_OPS`; ``z`` is not changed.

    ``seed`` draws noise; ``another`` finds the latent of a seed for `swap` and `interpolate`.

    >>> apply_latent("offset", torch.zeros(1, 3), {"axis": 1, "amount": 0.5})
    tensor([[0.0000, 0.5000, 0.0000]])
    """
    numbers = check_latent(op, values)
    n_axes = z.shape[-1] if basis is None else basis.shape[0]
    if numbers.get("axis", 0) >= n_axes:
        raise TransformError(f"{op}: axis must be in 0..{n_axes - 1} for this latent, got {numbers['axis']}")
    if op in NEEDS_ANOTHER:
        if another is None:
            raise TransformError(f"{op}: takes the code of another seed, and this network draws none")
        other = another(int(numbers["seed"])).to(z).expand_as(z)
        return swap(z, lerp(z, other, numbers.get("amount", 1.0)), levels=levels)
    extra: dict[str, object] = {"seed": seed} if LATENT_OPS[op].seeded else {"basis": basis}
    return LATENT_OPS[op].function(z, **numbers, levels=levels, **extra)


@_latent("offset", _ONE_AXIS, Param("amount", -100, 100, default=0, help="0 changes nothing"))
def offset(
    z: Tensor,
    axis: int,
    amount: float,
    *,
    basis: Tensor | None = None,
    levels: Sequence[int] | None = None,
) -> Tensor:
    """Move the latent along an axis."""
    return _at_levels(z, levels, lambda part: part + amount * _direction(part, axis, basis))


@_latent("scale", _AXIS, Param("factor", -10, 10, default=1, help="0 flattens, 1 changes nothing"))
def scale(
    z: Tensor,
    axis: int = ALL_AXES,
    factor: float = 1,
    *,
    basis: Tensor | None = None,
    levels: Sequence[int] | None = None,
    mean: Tensor | None = None,
) -> Tensor:
    """Stretch the latent along an axis, or all of it.

    It is stretched about 0, or about a ``mean`` of shape ``(dim,)``.
    """

    def stretched(part: Tensor) -> Tensor:
        centred = part if mean is None else part - mean
        if axis == ALL_AXES:
            moved = centred * factor
            return moved if mean is None else moved + mean
        direction = _direction(part, axis, basis)
        along = (centred * direction).sum(-1, keepdim=True) / direction.square().sum()
        return part + (factor - 1) * along * direction

    return _at_levels(z, levels, stretched)


@_latent("invert", _AXIS)
def invert(
    z: Tensor,
    axis: int = ALL_AXES,
    *,
    basis: Tensor | None = None,
    levels: Sequence[int] | None = None,
    mean: Tensor | None = None,
) -> Tensor:
    """Turn the latent over along an axis, or all of it.

    It is turned about 0, or about a ``mean`` of shape ``(dim,)``.
    """
    return scale(z, axis, -1, basis=basis, levels=levels, mean=mean)


@_latent(
    "noise",
    Param("sigma", 0, 10, default=0.1, help="standard deviation"),
    Param("replace", 0, 1, default=0, integer=True, help="0 adds the noise, 1 puts it in the latent's place"),
    seeded=True,
)
def noise(
    z: Tensor, sigma: float, replace: int = 0, *, seed: int = 0, levels: Sequence[int] | None = None
) -> Tensor:
    """Add Gaussian noise to the latent, or put it in its place; drawn by the seed, the same for all items."""
    drawn = torch.randn(z.shape[1:], generator=torch.Generator().manual_seed(seed)).to(z) * sigma
    noisy = drawn.expand_as(z).clone() if replace else z + drawn
    return noisy if levels is None else swap(z, noisy, levels=levels)


@_latent("swap", _SEED)
def swap(
    z: Tensor, other: Tensor, *, levels: Sequence[int] | None = None, axes: Sequence[int] | None = None
) -> Tensor:
    """Take levels, or axes, or both, of another latent of the same shape.

    >>> swap(torch.zeros(1, 3), torch.ones(1, 3), axes=[2])
    tensor([[0., 0., 1.]])
    """
    if axes is None:
        return _at_levels(z, levels, lambda part: other.clone() if levels is None else other[:, list(levels)])
    chosen = torch.zeros(z.shape[-1], dtype=torch.bool, device=z.device)
    chosen[list(axes)] = True
    return swap(z, torch.where(chosen, other, z), levels=levels)


@_latent("interpolate", _SEED, Param("amount", 0, 1, default=0.5, help="0 changes nothing, 1 is the other code"))
def lerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The point a share ``t`` of the way from ``a`` to ``b``; ``t`` is one number, or one for each item."""
    return torch.lerp(a, b, _column(t, a))


def slerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The point a share ``t`` of the great circle from ``a`` to ``b``; straight where both are in line.

    >>> slerp(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 0.5)
    tensor([[0.7071, 0.7071]])
    """
    share = _column(t, a)
    cosine = torch.nn.functional.cosine_similarity(a, b, dim=-1).unsqueeze(-1)
    angle = cosine.clamp(-1, 1).acos()
    sine = angle.sin()
    in_line = sine < 1e-4
    safe = torch.where(in_line, torch.ones_like(sine), sine)
    curved = (((1 - share) * angle).sin() * a + (share * angle).sin() * b) / safe
    return torch.where(in_line, torch.lerp(a, b, share.expand_as(a)), curved)


def _column(t: float | Tensor, z: Tensor) -> Tensor:
    share = torch.as_tensor(t, dtype=z.dtype, device=z.device)
    return share.reshape(-1, *[1] * (z.ndim - 1))


def _direction(z: Tensor, axis: int, basis: Tensor | None) -> Tensor:
    """The axis as a vector (dim,)."""
    if basis is not None:
        return basis[axis].to(z)
    return torch.nn.functional.one_hot(torch.tensor(axis), z.shape[-1]).to(z)


def _at_levels(z: Tensor, levels: Sequence[int] | None, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Change all of z, or only some levels of it, and leave ``z`` itself alone."""
    if levels is None:
        return change(z)
    if z.ndim != 3:
        raise TransformError(f"levels belong to latents of shape (batch, level, dim), got {tuple(z.shape)}")
    chosen = list(levels)
    wrong = [level for level in chosen if not 0 <= level < z.shape[1]]
    if wrong:
        raise TransformError(f"levels must be in 0..{z.shape[1] - 1}, got {wrong[0]}")
    out = z.clone()
    out[:, chosen] = change(z[:, chosen])
    return out
