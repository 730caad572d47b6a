"""Applying a transform to activation maps: which features, how much, and values that vary inside a batch."""

from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral

import torch
from torch import Tensor

from audiobend.bending.checking import check_value, check_values
from audiobend.bending.memory import copy_of, out_for
from audiobend.bending.transform import Number, Param, Transform, Value, get_transform
from audiobend.errors import TransformError

MIX = Param("mix", 0, 1, default=1, help="how much of the bent maps replaces the unbent ones")

FeatureIndex = slice | Tensor | None
"""Checked features: all (None), a run of neighbours (slice), or a sorted index tensor."""


def apply_transform(
    name: str,
    x: Tensor,
    values: Mapping[str, object] | Sequence[object] | None = None,
    *,
    profile: str = "default",
    seed: int = 0,
    features: Sequence[int] | Tensor | None = None,
    mix: object = 1.0,
    other: Tensor | None = None,
    call: int = 0,
) -> Tensor:
    """Bend activation maps.

    Parameters
    ----------
    name : a name in `TRANSFORMS`
    x : Tensor [shape=(batch, feature, height, width)], floating point; it is not changed. On the spectrogram
        VAE height is time and width is frequency.
    values : parameters by name, or a list in their order; each one number, or one for each item of the batch
    profile : ``default``, ``broad2020`` or ``zheng2022``
    seed : decides what `shuffle`, `swap`, `blend` and `noise` draw
    features : indices of the features to bend, None for all; the others come back bit for bit
    mix : 0..1, one number or one for each item: ``x + mix * (T(x) - x)``; 0 is exactly x, 1 exactly T(x)
    other : the same layer of a second latent, for `swap` and `blend`
    call : the number of this call, for `noise` that is fresh every time

    Returns
    -------
    Tensor of the same shape, dtype and device.

    Raises `TransformError` for unknown names and values outside their ranges.

    >>> apply_transform("invert", torch.zeros(1, 2, 1, 2), features=[1])
    tensor([[[[0., 0.]],
    <BLANKLINE>
             [[1., 1.]]]])
    """
    if x.ndim != 4 or not x.is_floating_point():
        raise TransformError(
            "maps must be floating-point numbers of shape (batch, feature, height, width), "
            f"got {x.dtype} {tuple(x.shape)}"
        )
    if other is not None and (other.shape[1:] != x.shape[1:] or other.shape[0] not in (1, x.shape[0])):
        raise TransformError(f"the second maps must have shape {tuple(x.shape)}, got {tuple(other.shape)}")
    entry = get_transform(name, profile)
    batch = x.shape[0]
    return apply_checked(
        entry,
        x,
        check_values(entry, values, batch),
        features=check_features(features, x.shape[1], x.device),
        mix=check_value(MIX, mix, entry.name, batch),
        seed=seed,
        other=other,
        call=call,
    )


def check_features(
    features: Sequence[int] | Tensor | None, n_features: int, device: torch.device | None = None
) -> FeatureIndex:
    """Check feature indices and bring them into the form that is fastest to use; repeated indices count once.

    >>> check_features([2, 1, 3], 8)
    slice(1, 4, None)
    >>> check_features([9], 8)
    Traceback (most recent call last):
    audiobend.errors.TransformError: features must be in 0..7, got 9
    """
    if features is None:
        return None
    given = features.tolist() if isinstance(features, Tensor) else list(features)
    for index in given:
        if isinstance(index, bool) or not isinstance(index, Integral):
            raise TransformError(f"features must be whole numbers, got {index!r}")
        if not 0 <= int(index) < n_features:
            raise TransformError(f"features must be in 0..{n_features - 1}, got {index}")
    indices = sorted({int(index) for index in given})
    if len(indices) == n_features:
        return None
    if indices and indices[-1] - indices[0] == len(indices) - 1:
        return slice(indices[0], indices[-1] + 1)
    return torch.tensor(indices, dtype=torch.long, device=device)


def apply_checked(
    entry: Transform,
    x: Tensor,
    values: Mapping[str, Value],
    *,
    features: FeatureIndex = None,
    mix: Value = 1.0,
    seed: int = 0,
    other: Tensor | None = None,
    call: int = 0,
    inplace: bool = False,
) -> Tensor:
    """`apply_transform` without any check, for loops that must not wait.

    ``values`` come from `check_values`, ``features`` from `check_features`, ``mix`` is a number or a tuple.
    With ``inplace`` the maps ``x`` themselves are changed and returned.
    """
    if not any(isinstance(value, tuple) for value in (*values.values(), mix)):
        return _bend(entry, x, tuple(values.values()), features, mix, seed, other, call, inplace)    # type: ignore[arg-type]
    out = x if inplace else copy_of(x)
    for items, numbers, amount in _runs(values, mix, x.shape[0]):
        second = other if other is None or other.shape[0] == 1 else other[items]
        _bend(entry, out[items], numbers, features, amount, seed, second, call, inplace=True)
    return out


def _runs(
    values: Mapping[str, Value], mix: Value, batch: int
) -> Iterator[tuple[slice, tuple[Number, ...], Number]]:
    """Neighbouring items of the batch that share all values, as (slice, values, mix)."""
    columns = [value if isinstance(value, tuple) else (value,) * batch for value in (*values.values(), mix)]
    rows = list(zip(*columns, strict=True))
    start = 0
    for end in range(1, batch + 1):
        if end == batch or rows[end] != rows[start]:
            *numbers, amount = rows[start]
            yield slice(start, end), tuple(numbers), amount
            start = end


def _bend(
    entry: Transform,
    x: Tensor,
    numbers: tuple[Number, ...],
    features: FeatureIndex,
    mix: Number,
    seed: int,
    other: Tensor | None,
    call: int,
    inplace: bool,
) -> Tensor:
    """One set of values for all items."""
    if mix == 0 or x.numel() == 0:
        return x if inplace else copy_of(x)
    if entry.elementwise and mix == 1 and not isinstance(features, Tensor):
        if features is None:
            return entry.function(x, *numbers, out=x if inplace else out_for(x))
        out = x if inplace else copy_of(x)
        part = out[:, features]
        entry.function(part, *numbers, out=part)
        return out
    part = _take(x, features)
    if part.numel() == 0:
        return x if inplace else copy_of(x)
    if entry.whole:
        extra = {"seed": seed, "call": call} if entry.seeded else {}
        bent = entry.function(x, _indices(x, features), *numbers, other=other, **extra)
    else:
        bent = entry.function(part, *numbers)
    if mix != 1:
        bent = torch.sub(bent, part).mul_(mix).add_(part)
    return _put(x, features, bent, inplace)


def _take(x: Tensor, features: FeatureIndex) -> Tensor:
    if features is None:
        return x
    return x[:, features] if isinstance(features, slice) else x.index_select(1, features)


def _put(x: Tensor, features: FeatureIndex, bent: Tensor, inplace: bool) -> Tensor:
    if features is None:
        return x.copy_(bent) if inplace else bent
    out = x if inplace else copy_of(x)
    if isinstance(features, slice):
        out[:, features] = bent
        return out
    return out.index_copy_(1, features, bent)


def _indices(x: Tensor, features: FeatureIndex) -> Tensor:
    if isinstance(features, Tensor):
        return features
    everything = torch.arange(x.shape[1], device=x.device)
    return everything if features is None else everything[features]


def warm_up() -> None:
    """Load the compiled loops, which takes a second or two, so that no first bend has to wait for them."""
    for name in ("rotate", "erode"):
        apply_transform(name, torch.zeros(1, 1, 2, 2), [1])
