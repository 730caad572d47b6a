"""Values out of a document that someone else wrote: the right type, or a sentence."""

from collections.abc import Mapping
from typing import Any

from audiobend.bending.values import shown
from audiobend.errors import PatchError, did_you_mean


def check_keys(
    entry: Mapping[Any, Any],
    known: tuple[str, ...],
    where: str = "",
    suggested: tuple[str, ...] | None = None,
) -> None:
    """Refuse a key that nobody knows, with the nearest one."""
    for key in entry:
        if key not in known:
            raise PatchError(f"{where}unknown key '{key}'{did_you_mean(key, suggested or known)}")


def given(entry: Mapping[str, Any], key: str, default: Any) -> Any:
    """Return a value; a key without a value means the same as no key."""
    value = entry.get(key)
    return default if value is None else value


def text(entry: Mapping[str, Any], key: str, default: str) -> str:
    """Return a word or a line; numbers become words."""
    value = given(entry, key, default)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise PatchError(f"{key} must be a word, got {shown(value)}")
    return str(value)


def items(document: Mapping[str, Any], key: str) -> list[Any]:
    """Return a list; empty where the key is missing or has no value."""
    value = given(document, key, [])
    if not isinstance(value, list):
        raise PatchError(f"{key} must be a list (lines that begin with '- '), got {shown(value)}")
    return value


def real(value: Any, rule: str) -> float:
    """Return a number; ``rule`` says what it is for."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PatchError(f"{rule}; got {shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise PatchError(f"{rule}; got {shown(value)}") from None


def wholes(value: Any, rule: str, count: int | None = None) -> tuple[int, ...]:
    """Return a list of whole numbers, of ``count`` of them where that is given."""
    if (
        not isinstance(value, list)
        or any(type(one) is not int for one in value)
        or count not in (None, len(value))
    ):
        raise PatchError(f"{rule}; got {shown(value)}")
    return tuple(value)
