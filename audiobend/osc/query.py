"""The table of addresses as OSCQuery has it (Vidvox, OSC Query Proposal, third revision): nodes as JSON.

A node that is large is written piece by piece, so that whoever sends it can do other things in between.
"""

import json
from collections.abc import Iterator
from typing import Any

from audiobend.control import State
from audiobend.errors import AudiobendError
from audiobend.osc.addresses import Table
from audiobend.osc.encode import ROOT
from audiobend.osc.row import Row
from audiobend.osc.tree import Leaf, Node, leaf_at
from audiobend.osc.values import wire_values

ATTRIBUTES = ("FULL_PATH", "CONTENTS", "TYPE", "ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT")
EXTENSIONS = ("ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT", "LISTEN", "IGNORE", "PATH_CHANGED", "OSC_STREAMING")
_UNITS = {"dB": "gain.db", "degrees": "angle.degree", "radians": "angle.radian", "Hz": "time.frequency.hz"}
_READ, _WRITE = 1, 2
_ASKED = ("scene/load", "model/load")
"""Actions that have a value: the name that was loaded last."""


def host_info(port: int, query_port: int, address: str) -> dict[str, Any]:
    """Return what ``?HOST_INFO`` tells.

    Parameters
    ----------
    port : int
        Of OSC over UDP.
    query_port : int
    address : str
        IP address of both.
    """
    return {
        "NAME": "audiobend",
        "OSC_IP": address,
        "OSC_PORT": port,
        "OSC_TRANSPORT": "UDP",
        "WS_IP": address,
        "WS_PORT": query_port,
        "EXTENSIONS": dict.fromkeys(EXTENSIONS, True),
    }


def attributes(table: Table, state: State, path: str) -> dict[str, Any]:
    """Return what one node is by itself, without what lies below; `ControlError` where there is none."""
    parts, node = table.node(path, state.patch)
    if not path.strip("/"):
        return {"FULL_PATH": "/", "ACCESS": 0, "DESCRIPTION": "the root of all addresses"}
    return _about(parts, node, Values(state))


def pieces(table: Table, state: State, path: str) -> Iterator[str]:
    """Yield the JSON text of a node and all that lies below it, one node at a time; `ControlError` where there is none.

    Parameters
    ----------
    table : Table
    state : State
        Where values are read, and which bends there are.
    path : str
        ``/`` or an address, or the part of one.
    """
    parts, node = table.node(path, state.patch)
    if path.strip("/"):
        yield from _text(parts, node, Values(state))
        return
    about = json.dumps(attributes(table, state, "/"))
    yield f'{about[:-1]}, "CONTENTS": {{"{ROOT[1:]}": '
    yield from _text([], node, Values(state))
    yield "}}"


class Values:
    """Reads values of one state; what is the same at every place that nobody has touched is read once.

    Parameters
    ----------
    state : State
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._touched = {bend.id for bend in state.patch.bends}
        self._untouched: dict[str, list[Any] | None] = {}

    def of(self, leaf: Leaf) -> list[Any] | None:
        """Return the value of an address as a list of its arguments; None where it has none."""
        if leaf.place is None or leaf.place.id in self._touched:
            return self._read(leaf)
        if leaf.row.path not in self._untouched:
            self._untouched[leaf.row.path] = self._read(leaf)
        return self._untouched[leaf.row.path]

    def _read(self, leaf: Leaf) -> list[Any] | None:
        row, state = leaf.row, self._state
        if row.kind == "action":
            return [state.scene if row.path == "scene/load" else state.model] if row.path in _ASKED else None
        try:
            return list(wire_values(leaf, state))
        except AudiobendError:
            return None    # such as the position of a morph where there is none


def _text(parts: list[str], node: Node, known: Values) -> Iterator[str]:
    about = json.dumps(_about(parts, node, known))
    if not node.children:
        yield about
        return
    yield f'{about[:-1]}, "CONTENTS": {{'
    for n, (name, child) in enumerate(node.children.items()):
        yield f"{', ' if n else ''}{json.dumps(name)}: "
        yield from _text([*parts, name], child, known)
    yield "}}"


def _about(parts: list[str], node: Node, known: Values) -> dict[str, Any]:
    path = "/".join([ROOT, *parts])
    if node.row is None:
        return {"FULL_PATH": path, "ACCESS": 0}
    leaf = leaf_at(parts, node.row)
    found = {"FULL_PATH": path, "DESCRIPTION": node.row.description, **_kind(node.row)}
    value = known.of(leaf)
    if value is not None:
        found["VALUE"] = value
    return found


def _kind(row: Row) -> dict[str, Any]:
    """Return what is the same wherever a row stands."""
    is_asked = row.path in _ASKED
    access = _WRITE if row.kind == "action" else {"r": _READ, "w": _WRITE, "rw": _READ | _WRITE}[row.access]
    found: dict[str, Any] = {"ACCESS": access | _READ if is_asked else access}
    if row.types != "*":
        found["TYPE"] = row.types
    if row.kind == "lfo":
        numbers = [{"MIN": one.low, "MAX": one.high} for one in row.params]
        found["RANGE"] = [{"VALS": list(row.choices)}, *numbers]
    elif row.kind in ("switch", "norm"):
        found["RANGE"] = [{"MIN": 0, "MAX": 1}]
    elif row.param is not None:
        found["RANGE"] = [{"MIN": row.param.low, "MAX": row.param.high}]
    if row.kind == "number" and row.param is not None and row.param.unit in _UNITS:
        found["UNIT"] = [_UNITS[row.param.unit]]
    return found
