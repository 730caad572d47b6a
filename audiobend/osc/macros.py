"""What messages to macros ask for: their targets may be named as in a patch, or by an address."""

from collections.abc import Sequence

from audiobend.bending import Patch
from audiobend.bending.macros import find_number
from audiobend.control import BindMacro, Command, Place, UnbindMacro
from audiobend.errors import AudiobendError
from audiobend.osc.addresses import Table
from audiobend.osc.encode import ROOT
from audiobend.osc.parse import Argument
from audiobend.osc.tree import Leaf

BIND, UNBIND = "macro/{macro}/bind", "macro/{macro}/unbind"
_ADDRESSES = (f"{ROOT}/", "layer/", "bend/")


def macro_command(leaf: Leaf, values: Sequence[Argument], table: Table, patch: Patch) -> Command:
    """Return the command that ``/audiobend/macro/<n>/bind`` or ``/unbind`` with these values means."""
    number = int(leaf.target.split("/")[1])
    target, place = _meant(str(values[0]), table, patch) if values else ("", None)
    if leaf.row.path == UNBIND:
        return UnbindMacro(number, target)
    low, high = (*(float(one) for one in values[1:]), None, None)[:2]
    return BindMacro(number, target, low, high, place)


def _meant(target: str, table: Table, patch: Patch) -> tuple[str, Place | None]:
    """Return a target as a patch names it, and the place whose bend has it, where an address was given."""
    try:
        find_number(patch, target)
    except AudiobendError:
        try:
            leaf = table.lookup(f"{ROOT}/{target.removeprefix(ROOT).strip('/')}", patch)
        except AudiobendError:
            if target.startswith(_ADDRESSES):
                raise
            return target, None    # whoever carries it out says what is wrong
        if leaf.row.kind in ("number", "switch") and leaf.row.access == "rw":
            return leaf.target, leaf.place
    return target, None
