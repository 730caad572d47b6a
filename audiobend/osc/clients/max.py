"""A patch for Max (8 or later) without any packages: `max_patch`.

Every control makes its message with ``prepend``; when another place is chosen, ``sprintf`` tells all of them their new
addresses. What comes in is sent on by ``forward`` to ``receive`` objects that bear the addresses as names.
"""

from typing import Any

from audiobend.osc.clients.max_patcher import Patcher, listed, written
from audiobend.osc.clients.surface import ANSWER_PORT, Control, Surface
from audiobend.osc.encode import ROOT

_ROW, _TOP = 22.0, 70.0
_TRANSFORMS, _WHOLE, _WIDTH = 20.0, 900.0, 1290
PLACE = f"{ROOT[1:]}.place"


def max_patch(surface: Surface, answer_port: int = ANSWER_PORT) -> str:
    """Return the text of a ``.maxpat`` file; answers are expected at ``answer_port``."""
    patcher = Patcher(_WIDTH, round(_TOP + _ROW * (len(surface.transforms) + 3)))
    patcher.words(f"audiobend: {surface.model}", 20.0, 8.0, 300.0, 16.0)
    chosen = _choose(patcher, surface)
    connect(patcher, surface, answer_port, [chosen], _button(patcher, "connect", 640.0, 38.0))
    hear(patcher, answer_port)
    _transforms(patcher, surface)
    _whole(patcher, surface)
    for n, words in enumerate(("fail", "hello.reply")):
        shown = patcher.box("message", (330.0 + 290.0 * n, 10.0, 280.0, 20.0), text=words)
        patcher.chain(patcher.obj(f"r {ROOT}/{words}"), patcher.obj("prepend set"), shown)
    return written(patcher.data())


def connect(patcher: Patcher, surface: Surface, answer_port: int, first: list[str], button: str) -> None:
    """Send to audiobend, subscribe now and every minute, and when the button is pressed; then bang ``first``."""
    patcher.chain(patcher.obj(f"r {patcher.out}"), patcher.obj(f"udpsend {surface.host} {surface.port}"))
    begin = patcher.obj("t b b b")
    subscribe, ask = patcher.message(f"{ROOT}/notify 1 {answer_port}"), patcher.message(f"{ROOT}/*")
    hello = patcher.message(f"{ROOT}/hello")
    patcher.chain(patcher.obj("loadbang"), begin)
    patcher.chain(button, begin)
    patcher.chain(patcher.obj("loadmess 1"), patcher.obj("metro 60000"), subscribe)
    patcher.cord(begin, 2, subscribe, 0)
    for one in (ask, hello):
        patcher.cord(begin, 1, one, 0)
    for one in first:
        patcher.cord(begin, 0, one, 0)
    out = patcher.obj(f"s {patcher.out}")
    for one in (subscribe, ask, hello):
        patcher.chain(one, out)


def hear(patcher: Patcher, answer_port: int) -> None:
    """Send what comes in to the ``receive`` objects that bear its address as their name."""
    both = patcher.chain(patcher.obj(f"udpreceive {answer_port}"), patcher.obj("t l l"))
    address, value, forward = patcher.obj("zl.slice 1"), patcher.obj("zl.slice 1"), patcher.obj("forward")
    patcher.cord(both, 1, address, 0)
    patcher.chain(address, patcher.obj("prepend send"), forward)
    patcher.cord(both, 0, value, 0)
    patcher.cord(value, 1, forward, 0)


def fixed(patcher: Patcher, path: str, control: str, outlet: int = 0, speaks: str = "") -> None:
    """Give a control one address for good; ``speaks`` is the box that says its value, where it is not itself."""
    patcher.cord(speaks or control, outlet, prefix := patcher.obj(f"prepend {ROOT}/{path}"), 0)
    patcher.chain(prefix, patcher.obj(f"s {patcher.out}"))
    patcher.chain(patcher.obj(f"r {ROOT}/{path}"), patcher.obj("prepend set"), control)


def press(patcher: Patcher, path: str, button: str) -> None:
    """Give a button one address for good."""
    patcher.chain(button, patcher.message(f"{ROOT}/{path}"), patcher.obj(f"s {patcher.out}"))


def moving(patcher: Patcher, address: str, named: str, control: str) -> None:
    """Give a control an address that is told by a box; ``address`` is the one it begins with."""
    prefix, receive = patcher.obj(f"prepend {address}"), patcher.obj("receive")
    patcher.chain(control, prefix, patcher.obj(f"s {patcher.out}"))
    patcher.chain(named, prefix)
    patcher.chain(named, receive, patcher.obj("prepend set"), control)


def _button(patcher: Patcher, words: str, x: float, y: float) -> str:
    patcher.words(words, x + 24.0, y, 80.0)
    return patcher.box("button", (x, y, 20.0, 20.0))


def _choose(patcher: Patcher, surface: Surface) -> str:
    """Add the menu of places; return the message that chooses the first."""
    patcher.words("where", 20.0, 40.0, 50.0)
    labels = listed([one.label for one in surface.places])
    menu = patcher.box("umenu", (70.0, 38.0, 260.0, 22.0), items=labels, parameter_enable=0)
    paths = patcher.menu([one.path for one in surface.places])
    patcher.chain(menu, paths)
    order = patcher.obj("t l l l")
    patcher.cord(paths, 1, order, 0)
    patcher.cord(order, 2, patcher.obj(f"s {PLACE}"), 0)
    out = patcher.obj(f"s {patcher.out}")
    for outlet, stars in ((1, "*"), (0, "*/*")):
        ask = patcher.obj(f"sprintf {ROOT}/%s/{stars}")
        patcher.cord(order, outlet, ask, 0)
        patcher.chain(ask, out)
    first = patcher.message("0")
    patcher.chain(first, menu)
    return first


def _transforms(patcher: Patcher, surface: Surface) -> None:
    first = surface.places[0].path
    for row, section in enumerate(surface.transforms):
        y = _TOP + _ROW * row
        patcher.words(section.name, _TRANSFORMS, y, 110.0)
        x = _TRANSFORMS + 250.0
        for one in section.controls:
            if one.kind == "switch":
                box = patcher.box("toggle", (_TRANSFORMS + 112.0, y, 18.0, 18.0), annotation=one.words)
            elif one.name == "mix":
                box = _slider(patcher, one, (_TRANSFORMS + 138.0, y, 100.0, 18.0))
            else:
                patcher.words(one.name, x, y, 62.0)
                box = _number(patcher, one, (x + 62.0, y, 58.0, 20.0))
                x += 126.0
            named = patcher.obj(f"sprintf set {ROOT}/%s/{one.path}")
            patcher.chain(patcher.obj(f"r {PLACE}"), named)
            moving(patcher, f"{ROOT}/{first}/{one.path}", named, box)


def _whole(patcher: Patcher, surface: Surface) -> None:
    y = _TOP - 40.0
    for section in (*surface.whole, *surface.axis_sections()):
        patcher.words(section.name, _WHOLE, y, 200.0, 12.0)
        y += _ROW
        for one in section.controls:
            patcher.words(one.path, _WHOLE + 12.0, y, 140.0)
            _whole_control(patcher, one, y)
            y += _ROW


def _whole_control(patcher: Patcher, one: Control, y: float) -> None:
    x = _WHOLE + 156.0
    if one.kind == "switch":
        fixed(patcher, one.path, patcher.box("toggle", (x, y, 18.0, 18.0), annotation=one.words))
    elif one.kind == "number":
        fixed(patcher, one.path, _number(patcher, one, (x, y, 70.0, 20.0)))
    elif one.kind == "button":
        press(patcher, one.path, patcher.box("button", (x, y, 18.0, 18.0), annotation=one.words))
    else:
        box = patcher.box("textedit", (x, y, 200.0, 20.0), keymode=1, annotation=one.words)
        said = patcher.chain(box, patcher.obj("route text"), patcher.obj("tosymbol"), patcher.obj("fromsymbol"))
        fixed(patcher, one.path, box, speaks=said)


def _number(patcher: Patcher, one: Control, at: tuple[float, float, float, float]) -> str:
    limits: dict[str, Any] = {"minimum": one.low, "maximum": one.high}
    if one.integer:
        limits = {key: int(value) for key, value in limits.items()}
    kind = "number" if one.integer else "flonum"
    return patcher.box(kind, at, parameter_enable=0, annotation=one.words, **limits)


def _slider(patcher: Patcher, one: Control, at: tuple[float, float, float, float]) -> str:
    return patcher.box("slider", at, parameter_enable=0, floatoutput=1, min=one.low, size=one.high - one.low,
                       orientation=1, annotation=one.words)
