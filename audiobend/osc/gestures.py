"""Commands as messages: what `decode` reads, written; so that a performance can be kept and played again."""

from audiobend.bending.macros import macro_number
from audiobend.control import (
    AddBend,
    BindMacro,
    Command,
    DeleteScene,
    LoadScene,
    ModelLoaded,
    Morph,
    MorphFour,
    Panic,
    Redo,
    RemoveBend,
    RenameScene,
    SaveScene,
    Set,
    UnbindMacro,
    Undo,
)
from audiobend.osc.encode import ROOT, Sent
from audiobend.osc.values import plain

_PATHS = {
    "bypass": "bypass", "seed": "seed", "morph": "scene/morph/position", "difference": "difference", "solo": "solo",
    "order": "chain/order", "pad/x": "scene/pad/x", "pad/y": "scene/pad/y",
}
_GAIN = "gain_db"


def message_of(command: Command) -> tuple[str, tuple[Sent, ...]] | None:
    """Return the address and the arguments that mean a command; None where nothing of it is heard.

    >>> from audiobend.control import Place
    >>> message_of(Set("layer3.all.erode/radius", 2, Place(3, None, "erode")))
    ('/audiobend/layer/3/all/erode/radius', (2,))
    """
    match command:
        case Set("profile" | "input" | "output"):
            return None    # what it is played on is no gesture
        case Set():
            return f"{ROOT}/{_path(command)}", _values(command.value)
        case Panic():
            return f"{ROOT}/panic", ()
        case Undo():
            return f"{ROOT}/undo", ()
        case Redo():
            return f"{ROOT}/redo", ()
        case LoadScene(name, seconds):
            return f"{ROOT}/scene/load", (name, seconds)
        case SaveScene(name):
            return f"{ROOT}/scene/save", (name,)
        case DeleteScene(name):
            return f"{ROOT}/scene/delete", (name,)
        case Morph(a, b, position):
            return f"{ROOT}/scene/morph", (a, b, position)
        case MorphFour(a, b, c, d, x, y):
            return f"{ROOT}/scene/pad", (a, b, c, d, x, y)
        case RenameScene(name, to):
            return f"{ROOT}/scene/rename", (name, to)
        case AddBend(layer, transform, features):
            return f"{ROOT}/chain/add", (str(layer), transform, features)
        case RemoveBend(id):
            return f"{ROOT}/chain/remove", (id,)
        case BindMacro(number, target, low, high, place):
            named = target if place is None else _path(Set(target, None, place))
            return f"{ROOT}/macro/{number}/bind", (named,) if low is None or high is None else (named, low, high)
        case UnbindMacro(number, target):
            return f"{ROOT}/macro/{number}/unbind", (target,) if target else ()
        case ModelLoaded(name):
            return f"{ROOT}/model/load", (name,)
    return None    # takes, and models that are wanted but not there


def _path(command: Set) -> str:
    target, place = command.target, command.place
    if target in _PATHS:
        return _PATHS[target]
    owner, _, rest = target.partition("/")
    if owner == "output":
        return f"gain{rest[len(_GAIN) :]}" if rest.startswith(_GAIN) else rest
    if owner == "latent" or macro_number(target) is not None:
        return target
    if place is None:
        return f"bend/{target}"
    features = "all" if place.cluster is None else f"cluster/{place.cluster}"
    path = f"layer/{place.layer}/{features}/{place.transform}"
    return path if rest == "on" else f"{path}/{rest}"


def _values(value: object) -> tuple[Sent, ...]:
    return value if isinstance(value, tuple) else (plain(value),)


def scenes_of(command: Command) -> tuple[str, ...]:
    """Return the scenes that a command plays."""
    match command:
        case LoadScene(name, _):
            return (name,)
        case Morph(a, b):
            return a, b
        case MorphFour(a, b, c, d):
            return a, b, c, d
    return ()
