"""Patchers of Max as data: boxes with their inlets and outlets, and cords between them."""

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from audiobend.osc.encode import ROOT

_PORTS: Mapping[str, tuple[int, int]] = {
    "comment": (1, 0), "panel": (1, 0), "button": (1, 1), "toggle": (1, 1), "flonum": (1, 2), "number": (1, 2),
    "slider": (1, 1), "message": (2, 1), "umenu": (1, 3), "textedit": (1, 4),
    "live.comment": (1, 0), "live.dial": (1, 2), "live.menu": (1, 3), "live.toggle": (1, 1), "live.button": (1, 1),
    "udpsend": (1, 0), "udpreceive": (1, 1), "loadbang": (1, 1), "loadmess": (1, 1), "metro": (2, 1),
    "zl.slice": (2, 2), "prepend": (1, 1), "forward": (1, 0), "send": (1, 0), "s": (1, 0), "r": (0, 1),
    "receive": (1, 1), "tosymbol": (2, 1), "fromsymbol": (2, 1), "plugin~": (2, 2), "plugout~": (2, 2),
    "live.thisdevice": (1, 3),
}
"""Inlets and outlets by class, or by the first word of an object."""


def ports(text: str) -> tuple[int, int]:
    """Return how many inlets and outlets an object has.

    >>> ports("t b b l"), ports("sprintf set /a/%s/%s"), ports("r name"), ports("pak s s")
    ((1, 3), (2, 1), (0, 1), (2, 1))
    """
    word, *arguments = text.split()
    if word == "t":
        return 1, len(arguments)
    if word == "route":
        return len(arguments) + 1, len(arguments) + 1
    if word == "pak":
        return len(arguments), 1
    if word == "sprintf":
        return max(1, len(re.findall("%s", text))), 1
    return _PORTS[word]


class Patcher:
    """A patcher that is filled box by box; adding one returns its id.

    Parameters
    ----------
    width, height : int
        Of the window in presentation mode.
    out : str
        Name of the ``send`` that leads to audiobend.
    """

    def __init__(self, width: int, height: int, out: str = f"{ROOT[1:]}.out") -> None:
        self._size, self.out = (width, height), out
        self._boxes: list[dict[str, Any]] = []
        self._lines: list[dict[str, Any]] = []
        self._hidden = 0

    def box(self, maxclass: str, at: tuple[float, float, float, float], **more: Any) -> str:
        """Add what is seen in presentation mode, at left, top, width, height."""
        self._boxes.append(self._known(maxclass, *_PORTS[maxclass], list(at), more))
        self._boxes[-1] |= {"presentation": 1, "presentation_rect": list(at)}
        return str(self._boxes[-1]["id"])

    def words(self, text: str, x: float, y: float, width: float, size: float = 11.0, live: bool = False) -> str:
        """Add words."""
        kind = "live.comment" if live else "comment"
        return self.box(kind, (x, y, width, 18.0), text=text, fontsize=size)

    def parameter(
        self, maxclass: str, at: tuple[float, float, float, float], name: str, short: str, **values: Any
    ) -> str:
        """Add a control that Live saves and automates; ``values`` such as ``mmin`` without their ``parameter_``."""
        about = {"longname": name, "shortname": short, "linknames": 1} | values
        valueof = {f"parameter_{key}": value for key, value in about.items()}
        saved = {"valueof": valueof}
        return self.box(maxclass, at, parameter_enable=1, varname=name, saved_attribute_attributes=saved)

    def obj(self, text: str) -> str:
        """Add an object that is seen while patching only."""
        return self._place("newobj", *ports(text), text)

    def external(self, text: str, inlets: int, outlets: int, at: tuple[float, float, float, float]) -> str:
        """Add an object of another package, seen in presentation mode too, with the inlets and outlets it has."""
        self._boxes.append(self._known("newobj", inlets, outlets, list(at), {"text": text}))
        self._boxes[-1] |= {"presentation": 1, "presentation_rect": list(at)}
        return str(self._boxes[-1]["id"])

    def message(self, text: str) -> str:
        """Add a message that is seen while patching only."""
        return self._place("message", 2, 1, text)

    def menu(self, items: list[str]) -> str:
        """Add a menu, seen while patching only, that turns a number into words (its second outlet)."""
        id = self._place("umenu", 1, 3, "")
        self._boxes[-1]["items"] = listed(items)
        return id

    def cord(self, source: str, outlet: int, target: str, inlet: int) -> None:
        """Join an outlet to an inlet."""
        self._lines.append({"patchline": {"source": [source, outlet], "destination": [target, inlet]}})

    def chain(self, *boxes: str) -> str:
        """Join first outlets to first inlets, one after the other; return the last box."""
        for source, target in pairwise(boxes):
            self.cord(source, 0, target, 0)
        return boxes[-1]

    def data(self, **more: Any) -> dict[str, Any]:
        """Return the patcher as its file has it."""
        head = {
            "fileversion": 1,
            "appversion": {"major": 8, "minor": 6, "revision": 0, "architecture": "x64", "modernui": 1},
            "classnamespace": "box",
            "rect": [60.0, 80.0, float(self._size[0]), float(self._size[1])],
            "openinpresentation": 1,
            "default_fontsize": 11.0,
            "default_fontname": "Arial",
        }
        boxes = [{"box": one} for one in self._boxes]
        return {"patcher": {**head, **more, "boxes": boxes, "lines": self._lines}}

    def resize(self, width: int) -> None:
        """Make the window wider or narrower."""
        self._size = (width, self._size[1])

    @property
    def parameters(self) -> dict[str, Any]:
        """The names under which Live knows the controls, by their box."""
        named = {one["id"]: one["saved_attribute_attributes"]["valueof"]
                 for one in self._boxes if "parameter_enable" in one}
        return {id: [one["parameter_longname"], one["parameter_shortname"], 0] for id, one in named.items()}

    def _place(self, maxclass: str, inlets: int, outlets: int, text: str) -> str:
        """Add a box below what is seen, in columns."""
        column, row = divmod(self._hidden, 40)
        self._hidden += 1
        at = [20.0 + 300.0 * column, self._size[1] + 40.0 + 26.0 * row, min(280.0, 30.0 + 6.2 * len(text)), 22.0]
        self._boxes.append(self._known(maxclass, inlets, outlets, at, {"text": text} if text else {}))
        return str(self._boxes[-1]["id"])

    def _known(
        self, maxclass: str, inlets: int, outlets: int, at: list[float], more: dict[str, Any]
    ) -> dict[str, Any]:
        box = {"id": f"obj-{len(self._boxes) + 1}", "maxclass": maxclass, "numinlets": inlets, "numoutlets": outlets,
               "patching_rect": at}
        return box | ({"outlettype": [""] * outlets} if outlets else {}) | more


def written(data: Mapping[str, Any]) -> str:
    """Return a patcher as text, one box and one cord a line."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace('{"box":', '\n{"box":').replace('{"patchline":', '\n{"patchline":') + "\n"


def listed(items: list[str]) -> list[str]:
    """Return the items of a menu as its box has them: with commas between.

    >>> listed(["a", "b"])
    ['a', ',', 'b']
    """
    return [word for item in items for word in (item.replace(",", ""), ",")][:-1]
