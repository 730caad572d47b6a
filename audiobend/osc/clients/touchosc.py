"""A layout for TouchOSC (Mk2): `touchosc_layout`. A page for every layer, and in it one for each of its clusters.

The file is compressed XML. Faders send shares 0..1 of their range, to the addresses that end in ``/norm``, because that
is what the app's own values are.
"""

import zlib
from collections.abc import Iterable, Sequence
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape

from audiobend.osc.clients.surface import MACROS, Control, Place, Section, Surface
from audiobend.osc.encode import ROOT

_WIDTH, _HEIGHT, _TAB = 1280, 800, 34
_COLUMNS = 3
_MOMENTARY, _TOGGLE = 0, 2

Rect = tuple[int, int, int, int]
_DARK, _GREY, _BLUE, _GREEN = (0.1, 0.1, 0.12, 1), (0.35, 0.35, 0.38, 1), (0.25, 0.55, 0.85, 1), (0.3, 0.75, 0.4, 1)


def touchosc_layout(surface: Surface) -> bytes:
    """Return a ``.tosc`` file."""
    return zlib.compress(layout_xml(surface).encode(), 9)


def layout_xml(surface: Surface) -> str:
    """Return what the file holds."""
    inner = (0, 0, _WIDTH, _HEIGHT - _TAB)
    deeper = (0, 0, _WIDTH, _HEIGHT - 2 * _TAB)
    layers: dict[str, list[Place]] = {}
    for place in surface.places:
        layers.setdefault(place.path.split("/")[1], []).append(place)
    macros = [one for one in surface.whole if one.name == MACROS]
    others = [one for one in surface.whole if one.name != MACROS]
    pages = [_page("whole", inner, _whole((*others, *surface.axis_sections()))), _page(MACROS, inner, _whole(macros))]
    for layer, places in layers.items():
        below = [_page(_tab(one), deeper, _transforms(surface.transforms, one), layer) for one in places]
        pages.append(_page(layer, inner, [_pager(f"pager {layer}", inner, below)]))
    whole = (0, 0, _WIDTH, _HEIGHT)
    root = _node("GROUP", "audiobend", whole, _DARK, [_pager("layers", whole, pages)])
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<lexml version='3'>{root}</lexml>"


def _tab(place: Place) -> str:
    *_, last = place.path.split("/")
    return place.label.partition(" cluster ")[2] or last


def _transforms(sections: Sequence[Section], place: Place) -> Iterable[str]:
    """Return a block for each transform: its switch, its name, and a fader for each of its numbers."""
    rows = -(-len(sections) // _COLUMNS)
    width, height = _WIDTH // _COLUMNS, (_HEIGHT - 2 * _TAB) // rows
    for n, section in enumerate(sections):
        left, top = width * (n // rows), height * (n % rows)
        faders = [one for one in section.controls if one.kind == "number" and one.share]
        words = f"{section.name}: {' '.join(one.name for one in faders)}"
        yield _label(f"{place.path}/{section.name}", words, (left + 6, top + 2, width - 12, 18))
        for one in section.controls:
            if one.kind == "switch":
                yield _button(f"{place.path}/{one.path}", (left + 6, top + 22, 60, height - 28), _TOGGLE)
        wide = min(110, (width - 80) // max(1, len(faders)))
        for k, one in enumerate(faders):
            at = (left + 72 + wide * k, top + 22, wide - 6, height - 28)
            yield _fader(f"{place.path}/{one.share}", at, _share_of(one))


def _whole(sections: Iterable[Section]) -> Iterable[str]:
    found = [one for section in sections for one in section.controls]
    controls = [one for one in found if one.kind in ("switch", "button") or one.share]
    rows = 10
    for n, one in enumerate(controls):
        left, top = 12 + 420 * (n // rows), 8 + 74 * (n % rows)
        yield _label(one.path, one.path, (left, top, 400, 18))
        at = (left, top + 20, 380 if one.kind == "number" else 80, 46)
        if one.kind == "number":
            yield _fader(one.share, at, _share_of(one))
        else:
            yield _button(one.path, at, _TOGGLE if one.kind == "switch" else _MOMENTARY)


def _share_of(control: Control) -> float:
    return (control.default - control.low) / (control.high - control.low)


def _page(label: str, frame: Rect, inside: Iterable[str], above: str = "") -> str:
    colours = {"tabColorOff": (0.25, 0.25, 0.25, 1), "tabColorOn": _BLUE, "textColorOff": (1, 1, 1, 1),
               "textColorOn": (1, 1, 1, 1)}
    more = _property("s", "tabLabel", label) + "".join(_colour(key, value) for key, value in colours.items())
    return _node("GROUP", f"{above}/{label}", frame, _DARK, inside, more)


def _pager(name: str, frame: Rect, pages: Iterable[str]) -> str:
    sizes = {"tabbarSize": _TAB, "textSizeOff": 14, "textSizeOn": 14}
    flags = {"tabLabels": 1, "tabbar": 1, "tabbarDoubleTap": 0}
    more = "".join(_property("i", key, value) for key, value in sizes.items())
    more += "".join(_property("b", key, value) for key, value in flags.items())
    return _node("PAGER", name, frame, _DARK, pages, more, _value("page", 0))


def _label(path: str, text: str, frame: Rect) -> str:
    more = _property("i", "textSize", 13) + _property("i", "textAlignH", 1) + _colour("textColor", (1, 1, 1, 1))
    more += _property("b", "background", 0) + _property("b", "interactive", 0)
    return _node("LABEL", f"label {path}", frame, _DARK, (), more, _value("text", text))


def _button(path: str, frame: Rect, kind: int) -> str:
    more = _property("i", "buttonType", kind)
    # A momentary button sends when it is pressed, not when it is let go.
    condition = "ANY" if kind == _TOGGLE else "RISE"
    return _node("BUTTON", path, frame, _GREEN, (), more, _value("x", 0), _osc(path, condition, "INTEGER"))


def _fader(path: str, frame: Rect, share: float) -> str:
    more = _property("i", "orientation", 1)    # lying
    return _node("FADER", path, frame, _BLUE, (), more, _value("x", f"{share:.6g}"), _osc(path, "ANY", "FLOAT"))


def _osc(path: str, condition: str, kind: str) -> str:
    trigger = f"<trigger><var>x</var><condition>{condition}</condition></trigger>"
    flags = "<enabled>1</enabled><send>1</send><receive>1</receive><feedback>0</feedback>"
    flags += "<connections>00001</connections>"
    address = _partial("CONSTANT", "STRING", f"{ROOT}/{path}")
    return (f"<messages><osc>{flags}<triggers>{trigger}</triggers><path>{address}</path>"
            f"<arguments>{_partial('VALUE', kind, 'x')}</arguments></osc></messages>")


def _partial(kind: str, conversion: str, value: str) -> str:
    what = f"<type>{kind}</type><conversion>{conversion}</conversion><value>{escape(value)}</value>"
    return f"<partial>{what}<scaleMin>0</scaleMin><scaleMax>1</scaleMax></partial>"


def _node(
    kind: str,
    name: str,
    frame: Rect,
    colour: tuple[float, float, float, float],
    inside: Iterable[str] = (),
    more: str = "",
    values: str = "",
    messages: str = "",
) -> str:
    properties = _property("s", "name", name) + _frame(frame) + _colour("color", colour) + more
    children = "".join(inside)
    id = uuid5(NAMESPACE_URL, f"{kind} {name} {frame}")
    return (f"<node ID='{id}' type='{kind}'><properties>{properties}</properties>"
            f"<values>{_value('touch', 'false')}{values}</values>{messages}"
            f"{f'<children>{children}</children>' if children else ''}</node>")


def _property(kind: str, key: str, value: object) -> str:
    return f"<property type='{kind}'><key>{key}</key><value>{escape(str(value))}</value></property>"


def _frame(frame: Rect) -> str:
    parts = "".join(f"<{key}>{value}</{key}>" for key, value in zip("xywh", frame, strict=True))
    return f"<property type='r'><key>frame</key><value>{parts}</value></property>"


def _colour(key: str, colour: tuple[float, float, float, float]) -> str:
    parts = "".join(f"<{letter}>{value}</{letter}>" for letter, value in zip("rgba", colour, strict=True))
    return f"<property type='c'><key>{key}</key><value>{parts}</value></property>"


def _value(key: str, default: object) -> str:
    locks = "<locked>0</locked><lockedDefaultCurrent>0</lockedDefaultCurrent>"
    start = f"<default>{escape(str(default))}</default><defaultPull>0</defaultPull>"
    return f"<value><key>{key}</key>{locks}{start}</value>"
