"""Values as people write them: a layer, a number or a switch, also as text from a command line."""

from collections.abc import Callable
from typing import Any, TypeVar

from audiobend.bending.features import LayerName
from audiobend.errors import AudiobendError, PatchError

T = TypeVar("T")

LAST_SEED = 2**32 - 1
_YES, _NO = ("true", "on", "yes", "1"), ("false", "off", "no", "0")


def shown(value: object) -> str:
    """Return a value as a sentence can show it, cut where it is long.

    >>> shown("3"), shown(10**80)
    ("'3'", '100000000000000000000000000000000000000000000000000000000...')
    """
    try:
        text = repr(value)
    except ValueError:    # Python writes no whole numbers of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def layer_name(value: object, where: str = "layer") -> LayerName:
    """Return a layer's name: a whole number as int, ``"e1"``, ``"z"`` and so on in small letters.

    >>> layer_name("3"), layer_name("E1")
    (3, 'e1')
    """
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        raise PatchError(f"{where} must be a number such as 3, or one of e1..e5, z, w; got {shown(value)}")
    text = str(value).strip().lower()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else text


def number(value: object, where: str) -> Any:
    """Read a number that may be text, as from a command line; `PatchError` where it is none."""
    if not isinstance(value, str):
        return value
    try:
        parsed = float(value)
    except ValueError:
        raise PatchError(f"{where} must be a number, got {shown(value)}") from None
    return int(parsed) if parsed.is_integer() else parsed


def seed_number(value: object, where: str = "seed") -> int:
    """Return a seed; `PatchError` where it is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and 0 <= value <= LAST_SEED and value == int(value):    # type: ignore[operator,call-overload]
        return int(value)    # type: ignore[call-overload,no-any-return]
    raise PatchError(f"{where} must be a whole number in 0..{LAST_SEED}, got {shown(value)}")


def switch(value: object, where: str) -> bool:
    """Read a switch: true or false, on or off, yes or no, 1 or 0."""
    text = str(int(value)) if isinstance(value, float) and value in (0, 1) else str(value).strip().lower()
    if text not in _YES and text not in _NO:
        raise PatchError(f"{where} must be true or false, got {shown(value)}")
    return text in _YES


def told(where: str, check: Callable[[], T]) -> T:
    """Run a check; let its sentence begin with where the value stood."""
    try:
        return check()
    except AudiobendError as error:
        raise PatchError(f"{where}: {error}") from None
