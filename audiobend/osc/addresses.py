"""The table of addresses: which there are for a model and a patch, and what each of them means."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from audiobend.bending import Bend, Cluster, Patch, Transform, get_transform
from audiobend.bending.values import layer_name
from audiobend.control import Context, Place
from audiobend.errors import AudiobendError, ControlError, did_you_mean
from audiobend.osc.encode import ROOT
from audiobend.osc.match import PartPattern
from audiobend.osc.rows import (
    Row,
    bend_rows,
    latent_rows,
    layer_rows,
    output_rows,
    scene_rows,
    service_rows,
)

MAX_MATCHES = 512
MAX_STEPS = 100_000
MAX_HEAVY = 16
"""Scenes, morphs, models in one packet: each is checked as a whole, which takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One address: its row, and the target that it sets, or an action."""

    address: str
    row: Row
    target: str = ""
    place: Place | None = None


@dataclass
class Budget:
    """How much one packet may still cost: addresses found by patterns, steps taken, changes of everything at once."""

    matches: int = MAX_MATCHES
    steps: int = MAX_STEPS
    heavy: int = MAX_HEAVY

    @property
    def spent(self) -> int:
        """Steps and addresses that are used up."""
        return MAX_STEPS - self.steps + MAX_MATCHES - self.matches

    def spend(self, steps: int) -> None:
        """Take steps away; `ControlError` when there are none left."""
        self.steps -= steps
        if self.steps < 0:
            raise ControlError("the patterns of this packet take too long; send fewer or shorter ones")


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


class Table:
    """Every address of a model, and of the patch that sounds.

    Looking one up takes one dictionary access, or one for each part of it where it was never used before.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self._transforms = _subtree(layer_rows(context.transforms), skip=3)
        self._static = _subtree((*output_rows(), *scene_rows(), *service_rows()), skip=0).children
        self._static["layer"] = Node(None, {str(one.name): self._layer(one.name) for one in context.layers})
        axis = _subtree(latent_rows(), skip=2)
        self._static["latent"] = Node(None, {str(one): axis for one in range(context.n_axes)})
        self._found: dict[str, Leaf] = {}
        self._tree: tuple[Patch | None, Node] = (None, Node())

    def _layer(self, name: int | str) -> Node:
        clusters = {str(one): self._transforms for one in range(self.context.n_clusters(name))}
        return Node(None, {"all": self._transforms} | ({"cluster": Node(None, clusters)} if clusters else {}))

    def lookup(self, address: str, patch: Patch) -> Leaf:
        """Return what an address means; `ControlError` with the nearest there is."""
        known = self._found.get(address)
        if known is not None:
            return known
        node = self._root(patch)
        parts = address.split("/")[2:] if address.startswith(f"{ROOT}/") else []
        for depth, part in enumerate(parts):
            if part not in node.children:
                raise ControlError(_unknown(address, [ROOT, *parts[:depth]], part, node))
            node = node.children[part]
        if node.row is None or not parts:
            raise ControlError(_unknown(address, [ROOT, *parts], "", node))
        leaf = _leaf(parts, node.row)
        if parts[0] != "bend":    # a bend of the same id may be another one tomorrow
            self._found[address] = leaf
        return leaf

    def match(self, pattern: str, patch: Patch, budget: Budget) -> list[Leaf]:
        """Return every value that a pattern means; `ControlError` where there is none, or it costs too much.

        Actions, such as panic, are never meant by a pattern.
        """
        parts = pattern.split("/")
        at: list[tuple[list[str], Node]] = [([], self._root(patch))]
        for index, text in enumerate(parts):
            part = PartPattern.of(text)
            if index < 2:    # before and after the first slash: nothing, and the root's own name
                budget.spend(part.cost * len(ROOT))
                at = at if part.matches(("", ROOT[1:])[index]) else []
            else:
                at = _deeper(at, part, budget)
        rows = [(names, node.row) for names, node in at if node.row is not None and node.row.kind != "action"]
        budget.matches -= len(rows)
        if budget.matches < 0:
            raise ControlError(f"the patterns of one packet may mean {MAX_MATCHES} addresses, these mean more")
        if not rows:
            raise ControlError(f"no address that has a value matches {pattern[:120]}")
        return [_leaf(names, row) for names, row in rows]

    def leaves(self, patch: Patch) -> Iterator[Leaf]:
        """Return every address there is, in order."""
        waiting: list[tuple[list[str], Node]] = [([], self._root(patch))]
        while waiting:
            names, node = waiting.pop()
            if node.row is not None:
                yield _leaf(names, node.row)
            waiting.extend(([*names, name], child) for name, child in reversed(node.children.items()))

    def of_bend(self, bend: Bend, profile: str) -> list[Leaf]:
        """Return the addresses of one bend: those of its place where it was made on the fly, else those of its id."""
        place = _place_of(bend)
        if place is not None:
            features = ["all"] if place.cluster is None else ["cluster", str(place.cluster)]
            names, node = ["layer", str(place.layer), *features, place.transform], Node(None, self._static)
            for name in names:
                node = node.children.get(name, Node())
            if node.row is not None:
                return [_leaf([*names, *below], row) for below, row in _below(node, [])]
        known = _bend_node(_transform_of(bend, profile))
        return [_leaf(["bend", bend.id, *below], row) for below, row in _below(known, [])]

    def _root(self, patch: Patch) -> Node:
        """Return the tree with the bends of a patch."""
        if self._tree[0] is not patch:
            bends = {one.id: _bend_node(_transform_of(one, patch.profile_of(one))) for one in patch.bends}
            self._tree = (patch, Node(None, {**self._static, "bend": Node(None, bends)}))
        return self._tree[1]


def _place_of(bend: Bend) -> Place | None:
    """Return the place whose bend this is; None where the patch named it, or it was moved."""
    features = bend.features.indices if isinstance(bend.features, Cluster) else (None,)
    cluster = features[0]
    if isinstance(cluster, str):
        return None
    place = Place(bend.layer, cluster, bend.transform)
    return place if (place.id, place.features) == (bend.id, bend.features) else None


def _subtree(rows: Iterable[Row], skip: int) -> Node:
    """Return a tree of rows without the first parts of their paths."""
    root = Node()
    for row in rows:
        root.put(row.path.split("/")[skip:], row)
    return root


def _transform_of(bend: Bend, profile: str) -> Transform | None:
    try:
        return get_transform(bend.transform, profile)
    except AudiobendError:
        return None


@lru_cache(maxsize=256)
def _bend_node_of(name: str, transform: Transform) -> Node:
    return _subtree(bend_rows(transform), skip=2)


def _bend_node(transform: Transform | None) -> Node:
    return Node() if transform is None else _bend_node_of(transform.name, transform)


def _below(node: Node, names: list[str]) -> Iterator[tuple[list[str], Row]]:
    if node.row is not None:
        yield names, node.row
    for name, child in node.children.items():
        yield from _below(child, [*names, name])


def _deeper(at: list[tuple[list[str], Node]], part: PartPattern, budget: Budget) -> list[tuple[list[str], Node]]:
    """Return the nodes one level down whose names the pattern means; each name is looked at once."""
    known: dict[str, bool] = {}
    found = []
    for names, node in at:
        budget.spend(len(node.children))
        for name, child in node.children.items():
            if name not in known:
                budget.spend(part.cost * (len(name) + 1))
                known[name] = part.matches(name)
            if known[name]:
                found.append(([*names, name], child))
    return found


def _leaf(parts: list[str], row: Row) -> Leaf:
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
        case _:
            return Leaf(address, row, row.target)
    return Leaf(address, row, row.target.replace("{bend}", place.id), place)


def _unknown(address: str, before: list[str], part: str, node: Node) -> str:
    """Say that there is no such address, and the nearest, or what there is at that point."""
    names: Mapping[str, Node] = node.children
    if not address.startswith(f"{ROOT}/"):
        return f"there is no address {address[:80]}; all begin with {ROOT}/"
    there = "/".join(before)
    if not part and names:
        return f"{there} needs more after it{did_you_mean('', _few(names))}"
    hint = did_you_mean(part[:32], names)
    near = hint.replace("did you mean '", f"did you mean '{there}/") if "did you mean" in hint else ""
    return f"there is no address {address[:120]}{near or did_you_mean('', _few(names))}"


def _few(names: Mapping[str, Node]) -> list[str]:
    shown = list(names)[:12]
    return [*shown, "..."] if len(names) > len(shown) else shown
