"""YAML and JSON from strangers: plain data only, no bombs, no surprises.

YAML 1.2's core rules: ``on`` and ``no`` are words, ``010`` is ten, ``1:30`` and dates are text. A key stands
once; NaN and infinity are refused; files, nesting and what aliases expand to are limited.
"""

import json
import math
import re
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml

from audiobend.errors import AudiobendError
from audiobend.io.files import PathLike, check_readable, reason, write_atomically

T = TypeVar("T")

MAX_BYTES = 2**20
MAX_DEPTH = 24
MAX_VALUES = 200_000

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DumperBase: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _RefusedError(Exception):
    """A document that breaks a rule of this module; its text is the rest of a sentence."""


class _Loader(_Base):    # type: ignore[misc]
    """Core schema, and every key once."""

    yaml_implicit_resolvers: dict[str, Any] = {}    # noqa: RUF012

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool | None):
                raise _RefusedError(f"line {key_node.start_mark.line + 1}: a key must be a word or a number")
            if key in seen:
                raise _RefusedError(f"line {key_node.start_mark.line + 1}: the key '{key}' stands twice")
            seen.add(key)
        construct: Any = yaml.constructor.BaseConstructor.construct_mapping    # no merge keys: bombs
        return construct(self, node, deep=deep)    # type: ignore[no-any-return]


class _Dumper(_DumperBase):    # type: ignore[misc]
    """Quotes only what the loader would take for something else."""

    yaml_implicit_resolvers: dict[str, Any] = {}    # noqa: RUF012

    def ignore_aliases(self, data: Any) -> bool:
        return True


_CORE = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "null": (r"~|null|Null|NULL|", "~nN\0"),
    "int": (r"[-+]?[0-9]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+0123456789.",
    ),
}
for _tag, (_pattern, _first) in _CORE.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}",
            re.compile(f"^(?:{_pattern})$"),
            ["" if letter == "\0" else letter for letter in _first],
        )
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))


def parse_document(text: str, *, error: type[AudiobendError], max_bytes: int = MAX_BYTES) -> Any:
    """Return the plain data of a YAML or JSON text; raise ``error`` with one sentence for a broken rule."""
    if len(text) > max_bytes:
        raise error(f"may hold {max_bytes // 1024} KiB at most, but holds {len(text) // 1024}")
    try:
        value = _parse_json(text) if text.lstrip()[:1] in ("{", "[") else _NOT_JSON
        if value is _NOT_JSON:
            value = _parse_yaml(text)
        _measure(value, {})
    except _RefusedError as problem:
        raise error(str(problem)) from None
    except yaml.YAMLError as problem:
        raise error(_in_words(problem)) from None
    except (RecursionError, MemoryError):
        raise error(_TOO_DEEP) from None
    except ValueError as problem:
        raise error(f"holds a number or date that cannot be read ({_one_line(str(problem))})") from None
    return value


def read_document(path: PathLike, *, error: type[AudiobendError], max_bytes: int = MAX_BYTES) -> Any:
    """As `parse_document`, from a UTF-8 file; every sentence begins with the file's name."""
    path = check_readable(path, error)
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as problem:
        raise error(f"{path}: cannot be read: {reason(problem)}") from None
    if len(data) > max_bytes:
        raise error(f"{path}: may hold {max_bytes // 1024} KiB at most")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"{path}: is not a text file (UTF-8)") from None
    if not text.strip():
        raise error(f"{path}: the file is empty")
    return named(path, lambda: parse_document(text, error=error, max_bytes=max_bytes), error=error)


def named(path: PathLike, read: Callable[[], T], *, error: type[AudiobendError]) -> T:
    """Run ``read``; raise ``error`` with a sentence that begins with the file's name."""
    try:
        return read()
    except AudiobendError as problem:
        raise error(f"{path}: {problem}") from None


def dump_document(value: Any) -> str:
    """Return YAML text that `parse_document` reads back as the same value."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110
    )
    return text


def write_document(path: PathLike, text: str, *, error: type[AudiobendError]) -> None:
    """Write a UTF-8 text, whole or not at all."""
    with write_atomically(Path(path), error=error) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


_NOT_JSON = object()
_TOO_DEEP = f"is nested too deeply ({MAX_DEPTH} levels are allowed)"


def _parse_json(text: str) -> Any:
    """JSON is YAML but for tabs, and is read a hundred times faster as JSON; give up where it is none."""
    try:
        return json.loads(text, object_pairs_hook=_pairs)
    except json.JSONDecodeError:
        return _NOT_JSON


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _RefusedError(f"the key '{next(key for key in keys if keys.count(key) > 1)}' stands twice")
    return result


def _parse_yaml(text: str) -> Any:
    """First the events, which take no stack and little memory, then the data."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _RefusedError(_TOO_DEEP)
        if count > MAX_VALUES:
            raise _RefusedError(f"holds more than {MAX_VALUES} values")
        if documents > 1:
            raise _RefusedError("holds more than one document (a line '---'); keep one in a file")
    return yaml.load(text, Loader=_Loader)    # a safe loader, only stricter


def _measure(value: Any, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Count values and levels as if aliases were written out; refuse what is no plain data."""
    if isinstance(value, float) and not math.isfinite(value):
        raise _RefusedError(f"holds {value}, which is not a number one can use")
    if value is None or isinstance(value, str | int | float):
        return 1, 0
    if not isinstance(value, dict | list):
        kind = type(value).__name__
        raise _RefusedError(f"holds a {kind}; only words, numbers, lists and mappings are allowed")
    if id(value) not in known:
        known[id(value)] = (0, 0)    # until it is counted: to meet it again inside of itself is a circle
        inside = [*value, *value.values()] if isinstance(value, dict) else value
        parts = [_measure(one, known) for one in inside]
        if (0, 0) in parts:
            raise _RefusedError("an alias stands inside of what it means")
        known[id(value)] = 1 + sum(n for n, _ in parts), 1 + max((levels for _, levels in parts), default=0)
    n_values, levels = known[id(value)]
    if n_values > MAX_VALUES:
        raise _RefusedError(f"holds more than {MAX_VALUES} values")
    if levels > MAX_DEPTH:
        raise _RefusedError(_TOO_DEEP)
    return n_values, levels


def _in_words(problem: yaml.YAMLError) -> str:
    mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    what = getattr(problem, "problem", None) or getattr(problem, "reason", None) or str(problem)
    return f"{where}is not YAML: {_one_line(what)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
