"""What a control surface has, whatever program it is made for: derived from the rows of the table and a model's places.

A surface plays one place at a time, chosen from all of them: a layer, with all of its features or one cluster. What
belongs to the whole sound stands beside it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from audiobend.bending.macros import N_MACROS
from audiobend.control import Context
from audiobend.osc.row import Row
from audiobend.osc.schema import PORT, rows

ANSWER_PORT = 9002
"""Where programs listen that cannot hear answers where they send from."""

MACROS = "macros"
"""The section of the macros."""
ControlKind = Literal["switch", "number", "button", "text"]
_PLACE, _LATENT = "layer/{layer}/{features}/", "latent/{axis}/"
_NOT_PLAYED = ("notify", "sync", "ping", "hello", "status", "dump")


@dataclass(frozen=True)
class Control:
    """One thing to turn, press or type into.

    Attributes
    ----------
    path : str
        Below ``/audiobend/``, or below a place.
    kind : str
        ``switch`` (0 or 1), ``number``, ``button`` (sends no value), ``text`` (words, as the address takes them).
    low, high, default : float
    integer : bool
    unit, words : str
        ``words`` says what it does.
    share : str
        The address of its twin for 0..1, as ``path``; its own where the range is 0..1 anyway.
    """

    path: str
    kind: ControlKind
    words: str
    low: float = 0.0
    high: float = 1.0
    default: float = 0.0
    integer: bool = False
    unit: str = ""
    share: str = ""

    @property
    def name(self) -> str:
        """The last part of the path, which says what it is: ``radius``, ``mix``."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Place:
    """A layer, with all of its features or one cluster: ``path`` as in addresses, ``label`` for people."""

    path: str
    label: str


@dataclass(frozen=True)
class Section:
    """Controls that belong together, by a name."""

    name: str
    words: str
    controls: tuple[Control, ...]


@dataclass(frozen=True)
class Surface:
    """Everything a client file is written from.

    Attributes
    ----------
    model : str
    host, port
        Where audiobend listens.
    places : tuple of Place
    transforms : tuple of Section
        One for each transform, the same at every place: its switch, its mix, its parameters.
    whole : tuple of Section
        What belongs to the whole sound.
    axes : int
    latent : tuple of Control
        What every axis of the latent code has.
    """

    model: str
    host: str
    port: int
    places: tuple[Place, ...]
    transforms: tuple[Section, ...]
    whole: tuple[Section, ...]
    axes: int
    latent: tuple[Control, ...]

    def axis_sections(self, most: int = 6) -> tuple[Section, ...]:
        """Return the first axes of the latent code, which are the most audible, with whole paths."""
        return tuple(
            Section(f"latent {axis}", "", tuple(_moved(one, f"latent/{axis}/") for one in self.latent))
            for axis in range(min(self.axes, most))
        )


def _moved(control: Control, prefix: str) -> Control:
    share = f"{prefix}{control.share}" if control.share else ""
    return replace(control, path=f"{prefix}{control.path}", share=share)


def surface(context: Context, host: str = "127.0.0.1", port: int = PORT) -> Surface:
    """Return the surface of a model.

    Parameters
    ----------
    context : Context
    host : str
        Where audiobend listens.
    port : int
    """
    table = rows(context)
    paths = {row.path for row in table}
    at_place = _sections(_PLACE, table, paths)
    numbers = {row.path for row in table if row.kind == "number"}
    fixed = [row for row in table if "{" not in row.path and row.access != "r" and row.path not in _NOT_PLAYED
             and row.path.rpartition("/")[0] not in numbers and row.path.count("/") < 3]
    fixed = [row for row in fixed if not any(row.path.startswith(f"{one}/") for one in numbers)]
    return Surface(
        context.model,
        host,
        port,
        tuple(_places(context)),
        tuple(_named(at_place, one.name, one.description) for one in context.transforms.values()),
        (*_whole(fixed, paths), _macros(table)),
        context.n_axes,
        tuple(one for of_op in _sections(_LATENT, table, paths).values() for one in of_op if one.kind == "number"),
    )


def _places(context: Context) -> Iterator[Place]:
    for layer in context.layers:
        yield Place(f"layer/{layer.name}/all", f"{layer.name} all")
        for cluster in range(context.n_clusters(layer.name)):
            label = context.cluster_label(layer.name, cluster)
            plain = f"cluster {cluster}"
            words = f"{layer.name} {plain}" + (f" ({label})" if label != plain else "")
            yield Place(f"layer/{layer.name}/cluster/{cluster}", words)


def _sections(prefix: str, table: Iterable[Row], paths: set[str]) -> dict[str, list[Control]]:
    """Return controls by the first part of their path after the prefix, without those of their parameters."""
    found: dict[str, list[Control]] = {}
    direct = (row for row in table if row.path.startswith(prefix) and row.path.count("/") <= prefix.count("/") + 1)
    for control in _controls(prefix, direct, paths):
        found.setdefault(control.path.partition("/")[0], []).append(control)
    return found


def _named(sections: dict[str, list[Control]], name: str, words: str) -> Section:
    return Section(name, words, tuple(sections[name]))


def _whole(fixed: list[Row], paths: set[str]) -> Iterator[Section]:
    """Yield what belongs to the whole sound: first the addresses of one part, then the others by their first part."""
    groups: dict[str, list[Row]] = {"output": []}
    for row in fixed:
        first = row.path.partition("/")[0]
        several = sum(one.path.startswith(f"{first}/") and one.kind != "norm" for one in fixed) > 0
        groups.setdefault(first if several else "output", []).append(row)
    for name, of_group in groups.items():
        yield Section(name, "", tuple(_controls("", of_group, paths)))


def _macros(table: Iterable[Row]) -> Section:
    (row,) = (row for row in table if row.path == "macro/{macro}")
    names = (row.path.format(macro=number) for number in range(1, N_MACROS + 1))
    return Section(MACROS, "each moves what it is bound to", tuple(_control(row, name, "") for name in names))


def _controls(prefix: str, table: Iterable[Row], paths: set[str]) -> Iterator[Control]:
    for row in table:
        if row.kind == "norm":
            continue
        path = row.path.removeprefix(prefix)
        if "{" in path:
            continue
        twin = f"{path}/norm" if f"{row.path}/norm" in paths else ""
        yield _control(row, path, twin)


def _control(row: Row, path: str, twin: str) -> Control:
    if row.kind == "switch":
        return Control(path, "switch", row.description, default=float(row.default or 0), share=path)
    if row.kind == "number" and row.param is not None:
        param = row.param
        share = twin or (path if (param.low, param.high) == (0, 1) else "")
        numbers = (float(param.low), float(param.high), float(param.default))
        return Control(path, "number", row.description, *numbers, param.integer, param.unit, share)
    is_button = row.kind == "action" and len(row.types) == row.optional
    return Control(path, "button" if is_button else "text", row.description)

