"""The table of addresses: which there are for a model and a patch, and what each of them means."""

from collections.abc import Iterator
from functools import lru_cache

from audiobend.bending import Bend, Patch, Transform, get_transform
from audiobend.bending.macros import N_MACROS
from audiobend.control import Context
from audiobend.errors import AudiobendError, ControlError
from audiobend.osc.encode import ROOT
from audiobend.osc.limits import MAX_MATCHES, Budget
from audiobend.osc.match import PartPattern
from audiobend.osc.rows import (
    bend_rows,
    chain_rows,
    latent_rows,
    layer_rows,
    macro_rows,
    output_rows,
    scene_rows,
    service_rows,
)
from audiobend.osc.tree import Leaf, Node, below, leaf_at, place_of, subtree, unknown


class Table:
    """Every address of a model, and of the patch that sounds.

    Looking one up takes one dictionary access, or one for each part of it where it was never used before.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self._transforms = subtree(layer_rows(context.transforms), skip=3)
        self._static = subtree((*output_rows(), *chain_rows(), *scene_rows(), *service_rows()), skip=0).children
        self._static["layer"] = Node(None, {str(one.name): self._layer(one.name) for one in context.layers})
        axis = subtree(latent_rows(), skip=2)
        self._static["latent"] = Node(None, {str(one): axis for one in range(context.n_axes)})
        macro = subtree(macro_rows(), skip=2)
        self._static["macro"] = Node(None, {str(one): macro for one in range(1, N_MACROS + 1)})
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
                raise ControlError(unknown(address, [ROOT, *parts[:depth]], part, node))
            node = node.children[part]
        if node.row is None or not parts:
            raise ControlError(unknown(address, [ROOT, *parts], "", node))
        leaf = leaf_at(parts, node.row)
        if parts[0] != "bend":    # a bend of the same id may be another one tomorrow
            self._found[address] = leaf
        return leaf

    def node(self, address: str, patch: Patch) -> tuple[list[str], Node]:
        """Return a place in the tree, with the parts that lead there below the root; `ControlError` where none is.

        ``""``, ``"/"`` and ``"/audiobend"`` are the root.
        """
        node, parts = self._root(patch), [part for part in address.split("/") if part][1:]
        if address.strip("/") and f"/{address.strip('/').partition('/')[0]}" != ROOT:
            raise ControlError(unknown(address, [], "", Node()))
        for depth, part in enumerate(parts):
            if part not in node.children:
                raise ControlError(unknown(address, [ROOT, *parts[:depth]], part, node))
            node = node.children[part]
        return parts, node

    def match(self, pattern: str, patch: Patch, budget: Budget) -> list[Leaf]:
        """Return every value that a pattern means; `ControlError` where there is none, or it costs too much.

        Actions, such as panic, are never meant by a pattern.
        """
        budget.spend(0)
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
        return [leaf_at(names, row) for names, row in rows]

    def leaves(self, patch: Patch) -> Iterator[Leaf]:
        """Return every address there is, in order."""
        waiting: list[tuple[list[str], Node]] = [([], self._root(patch))]
        while waiting:
            names, node = waiting.pop()
            if node.row is not None:
                yield leaf_at(names, node.row)
            waiting.extend(([*names, name], child) for name, child in reversed(node.children.items()))

    def of_bend(self, bend: Bend, profile: str) -> list[Leaf]:
        """Return the addresses of one bend: those of its place where it was made on the fly, else those of its id."""
        place = place_of(bend)
        if place is not None:
            features = ["all"] if place.cluster is None else ["cluster", str(place.cluster)]
            names, node = ["layer", str(place.layer), *features, place.transform], Node(None, self._static)
            for name in names:
                node = node.children.get(name, Node())
            if node.row is not None:
                return [leaf_at([*names, *below], row) for below, row in below(node, [])]
        known = _bend_node(_transform_of(bend, profile))
        return [leaf_at(["bend", bend.id, *below], row) for below, row in below(known, [])]

    def _root(self, patch: Patch) -> Node:
        """Return the tree with the bends of a patch."""
        if self._tree[0] is not patch:
            bends = {one.id: _bend_node(_transform_of(one, patch.profile_of(one))) for one in patch.bends}
            self._tree = (patch, Node(None, {**self._static, "bend": Node(None, bends)}))
        return self._tree[1]


def _transform_of(bend: Bend, profile: str) -> Transform | None:
    try:
        return get_transform(bend.transform, profile)
    except AudiobendError:
        return None


@lru_cache(maxsize=256)
def _bend_node_of(name: str, transform: Transform) -> Node:
    return subtree(bend_rows(transform), skip=2)


def _bend_node(transform: Transform | None) -> Node:
    return Node() if transform is None else _bend_node_of(transform.name, transform)


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
