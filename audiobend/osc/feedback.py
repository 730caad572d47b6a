"""What subscribers are told: every address whose value has changed, but not to the one who changed it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audiobend.bending import Bend
from audiobend.bending.macros import N_MACROS
from audiobend.bending.modulation import OFF
from audiobend.bending.movement import canonical, is_movement, moved_by
from audiobend.control import State
from audiobend.control.reading import BOUND
from audiobend.errors import AudiobendError
from audiobend.osc.addresses import Table
from audiobend.osc.encode import ROOT, Sent
from audiobend.osc.subscribers import Peer
from audiobend.osc.tree import Leaf
from audiobend.osc.values import as_sent, wire_values

_FIXED = (
    *("mix", "detail", "gain", "gain/norm", "limiter", "match_level", "bypass", "seed"),
    *("difference", "solo", "chain/order"),
    *("scene/count", "take/name", "take/playing", "recording/name", "profile", "input", "output"),
    *(f"macro/{number}" for number in range(1, N_MACROS + 1)),
)
_COUNTED = ("undo/count", "redo/count")
"""Told last: they follow from what was turned."""
_OUTPUT = ("mix", "detail", "gain")


@dataclass(frozen=True, slots=True)
class Told:
    """The value of an address as it was last told."""

    address: str
    target: str
    args: tuple[Sent, ...]


@dataclass(frozen=True, slots=True)
class _OfBend:
    """What there is to tell of a bend, and the addresses of what may move its parameters."""

    bend: Bend
    told: list[Told]
    movements: list[Leaf]


class Values:
    """All values in use, by address: the output's, those of every bend in the patch, and of what moves them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._bends: dict[str, _OfBend] = {}

    def of(self, state: State) -> dict[str, Told]:
        """Return what there is to tell of a state."""
        found = {one.address: one for one in self._fixed(state)}
        moved = {canonical(state.patch, one.target) for one in state.patch.modulation}
        kept: dict[str, _OfBend] = {}
        for bend in state.patch.bends:
            before = self._bends.get(bend.id)
            kept[bend.id] = before if before is not None and before.bend is bend else self._bend(bend, state)
            found.update((one.address, one) for one in kept[bend.id].told)
            found.update((one.address, one) for one in _movements(kept[bend.id].movements, moved, state))
        self._bends = kept
        return found | {one.address: one for one in self._plain(_COUNTED, state)}

    def _fixed(self, state: State) -> Iterator[Told]:
        latent = {(one.params.get("axis"), one.op) for one in state.patch.latent}
        axes = [f"latent/{axis}/{op}" for axis, op in latent if axis is not None]
        moved = {one.target for one in state.patch.modulation}
        moving = [
            f"{path}/lfo{part}"
            for path in (*_OUTPUT, *axes)
            if (path if path in axes else f"output/{'gain_db' if path == 'gain' else path}") in moved
            for part in ("", "/rate", "/depth", "/phase")
        ]
        yield from self._plain((*_FIXED, *axes, *(f"{axis}/norm" for axis in axes), *moving), state)
        bound = {one.number for one in state.patch.macros}
        yield from self._plain((f"macro/{number}{BOUND}" for number in sorted(bound)), state)
        at = state.morph
        if at is not None:
            yield Told(f"{ROOT}/scene/morph", "morph", (at.a, at.b, at.position))
            yield Told(f"{ROOT}/scene/morph/position", "morph", (at.position,))
        pad = state.pad
        if pad is not None:
            yield Told(f"{ROOT}/scene/pad", "pad", (*pad.corners, pad.x, pad.y))
            yield Told(f"{ROOT}/scene/pad/x", "pad/x", (pad.x,))
            yield Told(f"{ROOT}/scene/pad/y", "pad/y", (pad.y,))
        yield Told(f"{ROOT}/scene/load", "scene", (state.scene,))
        yield Told(f"{ROOT}/model/load", "model", (state.model,))

    def _plain(self, paths: Iterable[str], state: State) -> Iterator[Told]:
        for path in paths:
            try:
                leaf = self._table.lookup(f"{ROOT}/{path}", state.patch)
                yield Told(leaf.address, leaf.target, wire_values(leaf, state))
            except AudiobendError:
                continue    # an operation of a file that has no address, such as one on all axes

    def _bend(self, bend: Bend, state: State) -> _OfBend:
        leaves = self._table.of_bend(bend, state.patch.profile_of(bend))
        movements = [one for one in leaves if is_movement(one.target)]
        values = [one for one in leaves if not is_movement(one.target)]
        told = [Told(one.address, one.target, (as_sent(one, state.patch.get(one.target)),)) for one in values]
        return _OfBend(bend, told, movements)


def _movements(leaves: list[Leaf], moved: set[str], state: State) -> Iterator[Told]:
    """Return what there is to tell of the movements of a bend: those that its patch has."""
    for leaf in leaves if moved else ():
        if moved_by(leaf.target) in moved:
            yield Told(leaf.address, leaf.target, wire_values(leaf, state))


def _ended(one: Told) -> tuple[Sent, ...] | None:
    """Return what is told of what is no more: a bend is off, nothing moves, a macro moves nothing; else None."""
    if one.target.endswith(BOUND):
        return ()
    last: dict[str, Sent] = {"on": 0, "lfo": OFF}
    name = one.target.rpartition("/")[2]
    return (last[name], *one.args[1:]) if name in last else None


class Feedback:
    """What has changed since it was last told; an address is told at most once each time it is asked for."""

    def __init__(self, table: Table, state: State) -> None:
        self._values = Values(table)
        self._told = self._values.of(state)
        self._revision = state.revision
        self._setters: dict[str, Peer] = {}

    def set_by(self, target: str, client: Peer) -> None:
        """Note who set a target last."""
        self._setters[target] = client

    def forget_setters(self) -> None:
        """Let everybody hear of everything that has changed until now."""
        self._setters.clear()

    @property
    def told(self) -> list[Told]:
        """All that is in use, as it was last told."""
        return list(self._told.values())

    def move_to(self, table: Table) -> None:
        """Follow another model's addresses."""
        self._values = Values(table)
        self._revision = -1

    def changes(self, state: State, limit: int) -> list[tuple[Told, Peer | None]]:
        """Return what has changed, with who must not be told; beyond ``limit``, the rest comes the next time."""
        if state.revision == self._revision:
            return []
        now = self._values.of(state)
        changed = [one for address, one in now.items() if self._told.get(address) != one]
        gone = [one for address, one in self._told.items() if address not in now]
        out: list[tuple[Told, Peer | None]] = []
        for one in changed[:limit]:
            self._told[one.address] = one
            out.append((one, self._setters.get(one.target)))
        for one in gone[: limit - len(out)]:
            del self._told[one.address]
            ended = _ended(one)
            if ended is not None and ended != one.args:
                out.append((Told(one.address, one.target, ended), self._setters.get(one.target)))
        if len(changed) + len(gone) <= limit:
            self._revision = state.revision
            self._setters.clear()
        return out
