"""Operations on the kernels of convolutions (Zheng 2022): the network itself is bent, then put back.

Kernels have the shape ``(out, in, height, width)``, those of transposed convolutions ``(in, out, height,
width)``; the operations work on the last two, and so on both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from audiobend.bending.checking import check_params
from audiobend.bending.filters import separable
from audiobend.bending.transform import Function, Number, Param, Transform
from audiobend.errors import TransformError, did_you_mean

WEIGHT_OPS: dict[str, Transform] = {}
"""The operations on kernels, by name."""


def _kernel(name: str, *params: Param) -> Callable[[Function], Function]:
    def register(function: Function) -> Function:
        description = (function.__doc__ or "").split("\n")[0]
        forms = (tuple(param.name for param in params),)
        WEIGHT_OPS[name] = Transform(name, "weights", params, function, description, forms=forms)
        return function

    return register


@_kernel("zeros")
def zeros(weight: Tensor) -> Tensor:
    """Silence the kernels."""
    return torch.zeros_like(weight)


@_kernel("ones")
def ones(weight: Tensor) -> Tensor:
    """Make each kernel a plain mean: 1 / (height * width), which is 1/9 for 3 by 3, as in Zheng's code."""
    return torch.full_like(weight, 1 / (weight.shape[-2] * weight.shape[-1]))


@_kernel("invert")
def invert(weight: Tensor) -> Tensor:
    """Change the sign of the kernels."""
    return -weight


@_kernel("transpose")
def transpose(weight: Tensor) -> Tensor:
    """Exchange rows and columns of each kernel."""
    _square("transpose", weight)
    return weight.transpose(-2, -1).clone()


@_kernel("rotate", Param("quarters", 1, 3, default=1, integer=True, help="quarter turns, counter-clockwise"))
def rotate(weight: Tensor, quarters: int) -> Tensor:
    """Turn each kernel counter-clockwise by quarter turns."""
    if quarters != 2:
        _square("rotate", weight)
    return torch.rot90(weight, quarters, (-2, -1))


@_kernel("mean-filter", Param("size", 1, 15, default=3, unit="cells", integer=True))
def mean_filter(weight: Tensor, size: int) -> Tensor:
    """Blur each kernel by the mean of a square; beyond its edges the edges go on."""
    return separable(weight, [1 / size] * size)


@_kernel("centre-tap")
def centre_tap(weight: Tensor) -> Tensor:
    """Keep only the middle weight of each kernel (Zheng's "skip filter row")."""
    out = torch.zeros_like(weight)
    row, column = (weight.shape[-2] - 1) // 2, (weight.shape[-1] - 1) // 2
    out[..., row, column] = weight[..., row, column]
    return out


def _square(name: str, weight: Tensor) -> None:
    if weight.shape[-2] != weight.shape[-1]:
        raise TransformError(f"{name}: kernels must be square, got {weight.shape[-2]} by {weight.shape[-1]}")


def check_weight(op: str, values: Mapping[str, object] | Sequence[object] | None = None) -> dict[str, Number]:
    """Check the values of an operation on kernels and complete them with the defaults: one number each.

    >>> check_weight("mean-filter")
    {'size': 3}
    """
    if op not in WEIGHT_OPS:
        raise TransformError(f"unknown operation on weights {op!r}{did_you_mean(op, WEIGHT_OPS)}")
    return check_params(WEIGHT_OPS[op], values)


def bend_weight(
    op: str,
    weight: Tensor,
    values: Mapping[str, object] | Sequence[object] | None = None,
    features: Sequence[int] | None = None,
) -> Tensor:
    """Return bent kernels; ``weight`` is not changed.

    Parameters
    ----------
    op : a name in `WEIGHT_OPS`
    weight : Tensor [shape=(out, in, height, width)]
    values : parameters by name, or a list in their order
    features : the indices along the first axis to bend, None for all

    >>> bend_weight("centre-tap", torch.ones(1, 1, 3, 3))[0, 0]
    tensor([[0., 0., 0.],
            [0., 1., 0.],
            [0., 0., 0.]])
    """
    numbers = check_weight(op, values)
    if weight.ndim != 4:
        raise TransformError(f"{op}: kernels must have 4 dimensions, got the shape {tuple(weight.shape)}")
    bent = WEIGHT_OPS[op].function(weight, **numbers)
    if features is None:
        return bent
    out = weight.clone()
    out[list(features)] = bent[list(features)]
    return out


@contextmanager
def bent_weights(
    module: nn.Module,
    paths: str | Sequence[str],
    op: str,
    values: Mapping[str, object] | Sequence[object] | None = None,
    features: Sequence[int] | None = None,
) -> Iterator[nn.Module]:
    """Bend parameters of a network while a ``with`` block runs; leaving it, also by an error, restores all.

    ``paths`` are names from ``module.named_parameters()``. Nothing is changed if a path or a value is wrong.

    >>> layer = nn.Conv2d(1, 1, 3)
    >>> with bent_weights(layer, "weight", "zeros"):
    ...     layer.weight.abs().sum().item()
    0.0
    """
    known = dict(module.named_parameters())
    chosen = [paths] if isinstance(paths, str) else list(paths)
    for path in chosen:
        if path not in known:
            raise TransformError(f"the network has no parameter {path!r}{did_you_mean(path, known)}")
    originals = {path: known[path].detach().clone() for path in chosen}
    bent = {path: bend_weight(op, original, values, features) for path, original in originals.items()}
    try:
        _write(known, bent)
        yield module
    finally:
        _write(known, originals)


@torch.no_grad()
def _write(parameters: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    for path, value in values.items():
        parameters[path].copy_(value)
