"""Values that somebody gives a transform, checked by its parameters: named, inside their ranges, and complete."""

from collections.abc import Mapping, Sequence

from audiobend.bending.transform import Number, Param, Transform, Value, get_transform
from audiobend.bending.values import shown
from audiobend.errors import TransformError


def check_values(
    name: str | Transform,
    values: Mapping[str, object] | Sequence[object] | None = None,
    batch: int | None = None,
    profile: str = "default",
) -> dict[str, Value]:
    """Check parameter values and complete them with the defaults.

    Parameters
    ----------
    name : the transform's name, or the `Transform` itself
    values : a mapping from parameter names, or a list in the order of the parameters. Each value is a number,
        or a sequence or 1-D tensor with one number for each item of the batch.
    batch : int, the number of items, when it is known
    profile : ``default``, ``broad2020`` or ``zheng2022``

    Returns
    -------
    Every parameter by name, in order; a float or int, or a tuple of them (one for each item, not all equal).

    >>> check_values("scale", [2])
    {'k': 2.0, 'kx': 1.0, 'ky': 1.0}
    >>> check_values("rotate", {"angle": [0, 45, 90]}, batch=3)
    {'angle': (0.0, 45.0, 90.0)}
    """
    entry = get_transform(name, profile) if isinstance(name, str) else name
    checked = entry.defaults()
    for key, value in _named(entry, values).items():
        param = entry.param(key)
        checked[param.name] = check_value(param, value, entry.name, batch)
    return checked


def check_params(
    name: str | Transform,
    values: Mapping[str, object] | Sequence[object] | None = None,
    profile: str = "default",
) -> dict[str, Number]:
    """As `check_values`, where a patch keeps the values: one number each.

    >>> check_params("rotate", [45])
    {'angle': 45.0}
    """
    entry = get_transform(name, profile) if isinstance(name, str) else name
    checked: dict[str, Number] = {}
    for key, value in check_values(entry, values).items():
        if isinstance(value, tuple):
            raise TransformError(f"{entry.name}: {key} must be one number, got {len(value)}")
        checked[key] = value
    return checked


def check_value(param: Param, value: object, owner: str, batch: int | None = None) -> Value:
    """Check one value, or one for each item of the batch; equal ones become a single number."""
    many = _as_sequence(value)
    if many is None:
        return param.check(value, owner)
    if not many or (batch is not None and len(many) not in (1, batch)):
        wanted = f"each of the {batch} items" if batch is not None else "each item"
        raise TransformError(f"{owner}: {param.name} must be one value, or one for {wanted}, got {len(many)}")
    numbers = tuple(param.check(one, owner) for one in many)
    return numbers[0] if len(set(numbers)) == 1 else numbers


def _named(entry: Transform, values: Mapping[str, object] | Sequence[object] | None) -> Mapping[str, object]:
    """Give positional values their names."""
    if values is None:
        return {}
    if isinstance(values, Mapping):
        return values
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise TransformError(f"{entry.name}: parameters must be a list or a mapping, got {shown(values)}")
    for form in entry.forms:
        if len(form) == len(values):
            return dict(zip(form, values, strict=True))
    raise TransformError(f"{entry.name}: takes {_forms_in_words(entry)}, got {len(values)}")


def _forms_in_words(entry: Transform) -> str:
    forms = [" ".join(form) for form in entry.forms if form]
    if not forms:
        return "no values"
    count = len(entry.params)
    return f"{count} value{'s'[:count > 1]} ({forms[0]})" if len(forms) == 1 else f"({') or ('.join(forms)})"


def _as_sequence(value: object) -> Sequence[object] | None:
    """The items of a sequence, array or tensor; None for a single value."""
    if hasattr(value, "tolist"):    # tensors and arrays, also of no dimension
        value = value.tolist()
    return list(value) if isinstance(value, list | tuple) else None
