"""What ``/audiobend/list/...`` tells: rows of plain values, one message each."""

from collections.abc import Callable

from audiobend.bending.macros import ends_of
from audiobend.bending.values import layer_name
from audiobend.control import Context, State
from audiobend.errors import ControlError, PatchError, did_you_mean
from audiobend.osc.encode import Sent
from audiobend.osc.values import features_text

Line = tuple[Sent, ...]


def lines(name: str, argument: str, state: State, context: Context) -> list[Line]:
    """Return the lines of a list; ``name`` such as ``list/layers``, ``argument`` a layer or a transform or empty."""
    return _LISTS[name](argument, state, context)


def _layers(_: str, state: State, context: Context) -> list[Line]:
    return [
        (str(one.name), one.n_features, one.height, one.width, context.n_clusters(one.name))
        for one in context.layers
    ]


def _clusters(layer: str, state: State, context: Context) -> list[Line]:
    names = {str(one.name): one.name for one in context.layers}
    key = str(layer_name(layer[:16])) if layer.strip() else ""
    if key not in names:
        raise PatchError(f"there is no layer '{layer[:16]}'{did_you_mean(layer[:16], names)}")
    count = context.n_clusters(names[key])
    return [(key, index, context.cluster_label(names[key], index)) for index in range(count)]


def _transforms(_: str, state: State, context: Context) -> list[Line]:
    return [(one.name, one.description, len(one.params)) for one in context.transforms.values()]


def _params(name: str, state: State, context: Context) -> list[Line]:
    if name not in context.transforms:
        raise ControlError(f"unknown transform '{name[:32]}'{did_you_mean(name[:32], context.transforms)}")
    return [
        (one.name, float(one.low), float(one.high), float(one.default), one.unit, int(one.integer))
        for one in context.transforms[name].params
    ]


def _bends(_: str, state: State, context: Context) -> list[Line]:
    return [
        (one.id, str(one.layer), one.transform, features_text(one.features), int(one.on))
        for one in state.patch.bends
    ]


def _macros(_: str, state: State, context: Context) -> list[Line]:
    patch = state.patch
    return [(one.number, one.target, *map(float, ends_of(patch, one))) for one in patch.macros]


_LISTS: dict[str, Callable[[str, State, Context], list[Line]]] = {
    "list/layers": _layers,
    "list/clusters": _clusters,
    "list/transforms": _transforms,
    "list/params": _params,
    "list/bends": _bends,
    "list/macros": _macros,
    "list/scenes": lambda _, state, context: [(name,) for name in state.scenes],
    "list/takes": lambda _, state, context: [(name,) for name in state.takes],
    "list/recordings": lambda _, state, context: [(name,) for name in state.recordings],
    "list/models": lambda _, state, context: [(name,) for name in context.models],
}
