"""Addresses as a tree: what a part of an address means by itself, and what may follow it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from audiobend.bending import Bend, Cluster
from audiobend.bending.values import layer_name
from audiobend.control import Place
from audiobend.errors import did_you_mean
from audiobend.osc.encode import ROOT
from audiobend.osc.row import Row


@dataclass(frozen=True, slots=True)
class Leaf:
    """One address: its row, and the target that it sets, or an action."""

    address: str
    row: Row
    target: str = ""
    place: Place | None = None


@dataclass(slots=True)
class Node:
    """A part of an address: what it means by itself, and what may follow."""

    row: Row | None = None
    children: dict[str, "Node"] = field(default_factory=dict)

    def put(self, parts: Iterable[str], row: Row) -> None:
        """Add a row below."""
        node = self
        for part in parts:
            node = node.children.setdefault(part, Node())
        node.row = row


def subtree(rows: Iterable[Row], skip: int) -> Node:
    """Return a tree of rows without the first parts of their paths."""
    root = Node()
    for row in rows:
        root.put(row.path.split("/")[skip:], row)
    return root


def below(node: Node, names: list[str]) -> Iterator[tuple[list[str], Row]]:
    """Return every row at a node and under it, with the parts that lead there."""
    if node.row is not None:
        yield names, node.row
    for name, child in node.children.items():
        yield from below(child, [*names, name])


def leaf_at(parts: list[str], row: Row) -> Leaf:
    """Return an address with what it sets filled in."""
    address = "/".join([ROOT, *parts])
    match parts:
        case ["layer", layer, "all", transform, *_]:
            place = Place(layer_name(layer), None, transform)
        case ["layer", layer, "cluster", cluster, transform, *_]:
            place = Place(layer_name(layer), int(cluster), transform)
        case ["bend", id, *_]:
            return Leaf(address, row, row.target.replace("{bend}", id))
        case ["latent", axis, *_]:
            return Leaf(address, row, row.target.replace("{axis}", axis))
        case ["macro", number, *_]:
            return Leaf(address, row, row.target.replace("{macro}", number))
        case _:
            return Leaf(address, row, row.target)
    return Leaf(address, row, row.target.replace("{bend}", place.id), place)


def place_of(bend: Bend) -> Place | None:
    """Return the place whose bend this is; None where the patch named it, or it was moved."""
    features = bend.features.indices if isinstance(bend.features, Cluster) else (None,)
    cluster = features[0]
    if isinstance(cluster, str):
        return None
    place = Place(bend.layer, cluster, bend.transform)
    return place if (place.id, place.features) == (bend.id, bend.features) else None


def unknown(address: str, before: list[str], part: str, node: Node) -> str:
    """Say that there is no such address, and the nearest, or what there is at that point."""
    names: Mapping[str, Node] = node.children
    if not address.startswith(f"{ROOT}/"):
        return f"there is no address {address[:80]}; all begin with {ROOT}/"
    there = "/".join(before)
    if not part and names and node.row is None:
        return f"{there} needs more after it{did_you_mean('', _few(names))}"
    hint = did_you_mean(_nearest(part, names), names)
    near = hint.replace("did you mean '", f"did you mean '{there}/") if "did you mean" in hint else ""
    return f"there is no address {address[:120]}{near or did_you_mean('', _few(names))}"


def _nearest(part: str, names: Mapping[str, Node]) -> str:
    """Return the number that is nearest, where a number is given and numbers are all there is; else what is given."""
    numbers = [int(name) for name in names if name.isdigit()]
    if not (part.isascii() and part.isdigit()) or not numbers or len(numbers) < len(names):
        return part[:32]
    return str(min(numbers, key=lambda one: abs(one - int(part[:9]))))


def _few(names: Mapping[str, Node]) -> list[str]:
    shown = list(names)[:12]
    return [*shown, "..."] if len(names) > len(shown) else shown
