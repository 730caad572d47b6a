"""Names of everything in a patch that can be changed: ``fog/radius``, ``fog/mix``, ``output/detail``, ``seed``."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from audiobend.bending.features import Features, LayerName, parse_features
from audiobend.bending.transform import Param, get_transform
from audiobend.errors import AudiobendError, PatchError, did_you_mean

if TYPE_CHECKING:
    from audiobend.bending.patch import Output, Patch

T = TypeVar("T")

MIX = Param("mix", 0, 1, default=1, help="0 is untouched, 1 is fully bent")
OUTPUT_PARAMS = {
    "mix": Param("mix", 0, 1, default=1, help="dry to wet"),
    "detail": Param("detail", 0, 1, default=0, help="how much of what the network blurs is given back"),
    "gain_db": Param("gain_db", -60, 24, default=0, unit="dB"),
}
OUTPUT_SWITCHES = ("limiter", "match_level")
SEED = Param("seed", 0, 2**32 - 1, default=0, integer=True)


def find_param(patch: "Patch", target: str) -> Param:
    """Return the range of a target that takes numbers; `PatchError` with the nearest name."""
    owner, _, name = target.partition("/")
    if owner == "output":
        return _known(target, "output", name, OUTPUT_PARAMS)
    bend = patch.bend(owner)
    if name == "mix":
        return MIX
    entry = get_transform(bend.transform, patch.profile_of(bend))
    names = {key: param for param in entry.params for key in (param.name, *param.aliases)}
    return _known(target, entry.name, name, names, [*(param.name for param in entry.params), *_OF_BEND])


def get_value(patch: "Patch", target: str) -> Any:
    """Return the value of a target; a parameter that the patch does not name has its default."""
    owner, _, name = target.partition("/")
    if target == "seed":
        return patch.seed
    if owner == "output":
        _output_name(target, name, patch.output)
        return getattr(patch.output, name)
    bend = patch.bend(owner)
    if name in _OF_BEND:
        return getattr(bend, name)
    param = find_param(patch, target)
    default = int(param.default) if param.integer else float(param.default)
    return next((bend.params[key] for key in (param.name, *param.aliases) if key in bend.params), default)


def set_value(patch: "Patch", target: str, value: Any) -> "Patch":
    """Return a copy of the patch with one value changed; see `Patch.set`."""
    owner, _, name = target.partition("/")
    if target == "seed":
        return patch.replace(seed=number(value, target))
    if owner == "output":
        _output_name(target, name, patch.output)
        read = switch if name in OUTPUT_SWITCHES else number
        return patch.replace(output=replace(patch.output, **{name: read(value, target)}))
    bend = patch.bend(owner)
    if name in _OF_BEND:
        return patch.with_bend(replace(bend, **{name: _OF_BEND[name](value, target)}))
    param = find_param(patch, target)
    checked = told(owner, lambda: param.check(number(value, target), bend.transform))
    others = {key: old for key, old in bend.params.items() if key not in param.aliases}
    return patch.with_bend(replace(bend, params={**others, param.name: checked}))


def layer_name(value: object, where: str = "layer") -> LayerName:
    """Return a layer's name: a whole number as int, ``"e1"``, ``"z"`` and so on in small letters.

    >>> layer_name("3"), layer_name("E1")
    (3, 'e1')
    """
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        raise PatchError(f"{where} must be a number such as 3, or one of e1..e5, z, w; got {value!r}")
    text = str(value).strip().lower()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else text


def number(value: object, where: str) -> Any:
    """Read a number that may be text, as from a command line; `PatchError` where it is none."""
    if not isinstance(value, str):
        return value
    try:
        parsed = float(value)
    except ValueError:
        raise PatchError(f"{where} must be a number, got {value!r}") from None
    return int(parsed) if parsed.is_integer() else parsed


def switch(value: object, where: str) -> bool:
    """Read a switch: true or false, on or off, yes or no, 1 or 0."""
    words = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
    text = str(int(value)) if isinstance(value, float) and value in (0, 1) else str(value).strip().lower()
    if text not in words:
        raise PatchError(f"{where} must be true or false, got {value!r}")
    return words[text]


def told(where: str, check: Callable[[], T]) -> T:
    """Run a check; let its sentence begin with where the value stood."""
    try:
        return check()
    except AudiobendError as error:
        raise PatchError(f"{where}: {error}") from None


def _selection(value: Any, where: str) -> Features:
    if not isinstance(value, str):
        return value    # type: ignore[no-any-return]
    return told(where, lambda: parse_features(value))


_OF_BEND: dict[str, Callable[[Any, str], Any]] = {
    "mix": number,
    "on": switch,
    "layer": layer_name,
    "features": _selection,
}


def _output_name(target: str, name: str, output: "Output") -> None:
    _known(target, "output", name, {one.name: one for one in fields(output)})


def _known(
    target: str, owner: str, name: str, table: Mapping[str, T], names: Iterable[str] | None = None
) -> T:
    if name not in table:
        raise PatchError(f"{target}: {owner} has no '{name}'{did_you_mean(name, names or table)}")
    return table[name]
