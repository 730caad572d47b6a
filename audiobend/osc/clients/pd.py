"""A patch for Pure Data without any externals (0.52 or later): `pd_patch`.

Every control sends to a name of its own, such as ``audiobend/erode/radius``, and shows what comes to that name with
``/see`` after it; so other patches play it by ``[send audiobend/erode/radius]``.
"""

from collections.abc import Iterable

from audiobend.osc.clients.pd_canvas import Canvas
from audiobend.osc.clients.surface import Control, Surface
from audiobend.osc.encode import ROOT

_ROW = 20
_TOP = 60
_PLACES, _TRANSFORMS, _WHOLE = 20, 260, 900
_FIRST_PARAM, _PARAM = 240, 130
_OUT, _PLACE = f"{ROOT[1:]}.out", f"{ROOT[1:]}.place"


def pd_patch(surface: Surface) -> str:
    """Return the text of a ``.pd`` file."""
    rows = max(len(surface.places), len(surface.transforms)) + 4
    canvas = Canvas(width=_WHOLE + 380, height=_TOP + _ROW * rows + 60)
    canvas.comment(f"audiobend: {surface.model}", 20, 8)
    canvas.comment("what is chosen on the left is what the switches in the middle play; "
                   "the right side belongs to the whole sound", 20, 26)
    _show_places(canvas, surface)
    _show_transforms(canvas, surface)
    _show_whole(canvas, surface)
    bottom = _TOP + _ROW * rows
    for n, part in enumerate((_network(surface), _sending(surface), _choosing(surface), _hearing(surface))):
        canvas.inside(part, 20 + 120 * n, bottom)
    return canvas.text


def _name(path: str) -> str:
    return f"{ROOT[1:]}/{path}"


def _show_places(canvas: Canvas, surface: Surface) -> None:
    canvas.background(_PLACES - 8, _TOP - 20, 230, 15 * len(surface.places) + 34, "where")
    canvas.choice(_PLACE, _PLACES, _TOP + 6, len(surface.places))
    for n, place in enumerate(surface.places):
        canvas.comment(place.label.replace(" (", " - ", 1).removesuffix(")"), _PLACES + 20, _TOP + 4 + 15 * n)


def _show_transforms(canvas: Canvas, surface: Surface) -> None:
    canvas.background(_TRANSFORMS - 8, _TOP - 20, _WHOLE - _TRANSFORMS - 8, _ROW * len(surface.transforms) + 34,
                      "what: on - mix - its numbers")
    for row, section in enumerate(surface.transforms):
        y = _TOP + 6 + _ROW * row
        canvas.comment(section.name, _TRANSFORMS, y)
        numbers = [one for one in section.controls if one.kind == "number" and one.name != "mix"]
        for one in section.controls:
            if one.kind == "switch":
                canvas.switch(_name(one.path), _TRANSFORMS + 120, y)
            elif one.name == "mix":
                canvas.slider(_name(one.path), _TRANSFORMS + 145, y, one.low, one.high)
        for n, one in enumerate(numbers):
            x = _TRANSFORMS + _FIRST_PARAM + 60 + min(_PARAM, 360 // len(numbers)) * n
            canvas.number(_name(one.path), x, y, one.low, one.high, one.name)


def _show_whole(canvas: Canvas, surface: Surface) -> None:
    sections = [*surface.whole, *surface.axis_sections()]
    y = _TOP
    for section in sections:
        canvas.background(_WHOLE, y - 20, 360, 24 + _ROW * len(section.controls), section.name)
        for one in section.controls:
            canvas.comment(one.path, _WHOLE + 10, y)
            _show_control(canvas, one, _WHOLE + 170, y)
            y += _ROW
        y += 28
    canvas.words(_name("heard"), _WHOLE + 70, y, 40, "heard")


def _show_control(canvas: Canvas, control: Control, x: int, y: int) -> None:
    name = _name(control.path)
    if control.kind == "switch":
        canvas.switch(name, x, y)
    elif control.kind == "button":
        canvas.button(name, x, y)
    elif control.kind == "text":
        canvas.words(name, x, y)
    elif control.high - control.low > 1000:
        canvas.number(name, x, y, control.low, control.high)
    else:
        canvas.slider(name, x, y, control.low, control.high)


def _whole(surface: Surface) -> Iterable[Control]:
    for section in (*surface.whole, *surface.axis_sections()):
        yield from section.controls


def _network(surface: Surface) -> Canvas:
    """Connects at once, subscribes, and asks for everything."""
    canvas = Canvas("network")
    start, connect = canvas.obj("loadbang"), canvas.msg(f"connect {surface.host} {surface.port}")
    socket = canvas.obj("netsend -u -b")
    canvas.chain(start, connect, socket)
    canvas.chain(canvas.obj(f"r {_OUT}"), canvas.obj("list prepend send"), canvas.obj("list trim"), socket)
    order = canvas.objs(["sel 1", "t b b b"])[-1]
    canvas.cord(socket, 0, order - 1, 0)
    one, subscribe = canvas.msg("1"), canvas.obj(f"oscformat {ROOT[1:]} notify")
    ask, first = canvas.obj(f"oscformat {ROOT[1:]} *"), canvas.msg("0")
    out, place = canvas.obj(f"s {_OUT}"), canvas.obj(f"s {_PLACE}")
    canvas.cord(order, 2, one, 0)
    canvas.chain(one, subscribe, out)
    canvas.cord(order, 1, ask, 0)
    canvas.chain(ask, out)
    canvas.cord(order, 0, first, 0)
    canvas.chain(first, place)
    # The parts of an address come as words; written out and read again, numbers are numbers.
    again = ["list trim", "fudiformat -u", "fudiparse"]
    read = canvas.objs(["oscparse", *again, f"route {ROOT[1:]}", f"s {_name('in')}"])
    canvas.cord(socket, 1, read[0], 0)
    return canvas


def _sending(surface: Surface) -> Canvas:
    """Makes messages of what the controls say: at the chosen place, or for the whole sound."""
    canvas = Canvas("sending", 900, 800)
    split = canvas.objs([f"r {_OUT}.place", "list split 1"])[-1]
    where = canvas.obj("list prepend")
    path = canvas.obj(f"r {_PLACE}.path")
    message = canvas.objs([f"list prepend set {ROOT[1:]}", "list trim", "oscformat", f"s {_OUT}"])
    canvas.cord(split, 1, where, 0)
    canvas.cord(path, 0, where, 1)
    canvas.chain(where, message[0])
    canvas.cord(split, 0, message[2], 0)
    at_place = canvas.obj(f"s {_OUT}.place")
    for section in surface.transforms:
        for one in section.controls:
            canvas.chain(canvas.obj(f"r {_name(one.path)}"), canvas.obj(f"list append {_parts(one.path)}"), at_place)
    out = canvas.obj(f"s {_OUT}")
    for one in _whole(surface):
        said = canvas.obj(f"r {_name(one.path)}")
        if one.kind == "text":    # a single word is no list by itself
            said = canvas.chain(said, canvas.obj("list prepend"))
        canvas.chain(said, canvas.obj(f"oscformat {ROOT[1:]} {_parts(one.path)}"), out)
    return canvas


def _choosing(surface: Surface) -> Canvas:
    """Another place: its path is remembered, and its values are asked for."""
    canvas = Canvas("choosing", 900, 800)
    chosen = canvas.objs([f"r {_PLACE}", "t f f f"])[-1]
    shown = canvas.objs(["s " + f"{_name('at')}"])[0]
    canvas.cord(chosen, 2, shown, 0)
    see = [canvas.msg("set \\$1"), canvas.obj(f"s {_PLACE}/see")]
    canvas.cord(chosen, 1, see[0], 0)
    canvas.chain(*see)
    numbers = " ".join(map(str, range(len(surface.places))))
    select = canvas.obj(f"sel {numbers}")
    canvas.cord(chosen, 0, select, 0)
    path = canvas.objs(["t l l l"])[0]
    remember = canvas.obj(f"s {_PLACE}.path")
    canvas.cord(path, 2, remember, 0)
    for n, place in enumerate(surface.places):
        message = canvas.msg(f"list {_parts(place.path)}")
        canvas.cord(select, n, message, 0)
        canvas.cord(message, 0, path, 0)
    for outlet, stars in ((1, "*"), (0, "* *")):
        ask = canvas.objs([f"list append {stars}", f"list prepend set {ROOT[1:]}", "list trim", "t b a"])
        format_ = canvas.obj("oscformat")
        canvas.cord(path, outlet, ask[0], 0)
        canvas.cord(ask[-1], 1, format_, 0)
        canvas.cord(ask[-1], 0, format_, 0)
        canvas.chain(format_, canvas.obj(f"s {_OUT}"))
    return canvas


def _hearing(surface: Surface) -> Canvas:
    """Shows what audiobend says: of the chosen place, and of the whole sound."""
    canvas = Canvas("hearing", 900, 800)
    received = canvas.obj(f"r {_name('in')}")
    chosen, here = canvas.obj(f"r {_name('at')}"), canvas.obj("route 0")
    canvas.cord(chosen, 0, here, 1)
    leaves: dict[tuple[str, ...], int] = {}
    for n, place in enumerate(surface.places):
        numbered = canvas.obj(f"list prepend {n}")
        canvas.chain(numbered, here)
        leaves[tuple(place.path.split("/"))] = numbered
    for one in _whole(surface):
        if one.kind in ("switch", "number"):
            leaves[tuple(one.path.split("/"))] = _shown(canvas, one)
    for words in ("fail", "done", "hello.reply"):
        told = canvas.objs([f"list prepend set {words}", "list trim", f"s {_name('heard')}/see"])
        leaves[words,] = told[0]
    _route(canvas, received, 0, leaves)
    at_place = {
        tuple(one.path.split("/")): _shown(canvas, one) for section in surface.transforms for one in section.controls
    }
    _route(canvas, here, 0, at_place)
    return canvas


def _shown(canvas: Canvas, control: Control) -> int:
    """Return the box to which the value of a control is sent; what is no number, such as a norm, is passed over."""
    number = canvas.obj("route float")
    canvas.chain(number, canvas.msg("set \\$1"), canvas.obj(f"s {_name(control.path)}/see"))
    return number


def _route(canvas: Canvas, source: int, outlet: int, leaves: dict[tuple[str, ...], int]) -> None:
    """Lead each message to the box of its address; the parts of an address are told apart one after the other."""
    if () in leaves:    # an address that goes on, such as a switch with its mix
        canvas.cord(source, outlet, leaves[()], 0)
    heads = list(dict.fromkeys(parts[0] for parts in leaves if parts))
    for kind in (_is_number, lambda head: not _is_number(head)):    # one object knows numbers or words
        chosen = [head for head in heads if kind(head)]
        if not chosen:
            continue
        route = canvas.obj(f"route {' '.join(chosen)}")
        canvas.cord(source, outlet, route, 0)
        for n, head in enumerate(chosen):
            below = {parts[1:]: box for parts, box in leaves.items() if parts[:1] == (head,)}
            _route(canvas, route, n, below)


def _is_number(part: str) -> bool:
    return part.isdecimal()


def _parts(path: str) -> str:
    return path.replace("/", " ")

