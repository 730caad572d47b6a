"""What subscribers are told: every address whose value has changed, but not to the one who changed it."""

from collections.abc import Iterator
from dataclasses import dataclass

from audiobend.bending import Bend
from audiobend.control import State
from audiobend.errors import AudiobendError
from audiobend.osc.addresses import Table
from audiobend.osc.encode import ROOT, Sent
from audiobend.osc.subscribers import Peer
from audiobend.osc.values import as_sent, wire_value

_FIXED = ("mix", "detail", "gain", "gain/norm", "limiter", "match_level", "bypass", "seed")


@dataclass(frozen=True, slots=True)
class Told:
    """The value of an address as it was last told."""

    address: str
    target: str
    args: tuple[Sent, ...]


class Values:
    """All values in use, by address: the output's, and those of every bend in the patch."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._bends: dict[str, tuple[Bend, list[Told]]] = {}

    def of(self, state: State) -> dict[str, Told]:
        """Return what there is to tell of a state."""
        found = {one.address: one for one in self._fixed(state)}
        kept: dict[str, tuple[Bend, list[Told]]] = {}
        for bend in state.patch.bends:
            before = self._bends.get(bend.id)
            told = before[1] if before is not None and before[0] is bend else self._bend(bend, state)
            kept[bend.id] = (bend, told)
            found.update((one.address, one) for one in told)
        self._bends = kept
        return found

    def _fixed(self, state: State) -> Iterator[Told]:
        latent = {(one.params.get("axis"), one.op) for one in state.patch.latent}
        axes = (f"latent/{axis}/{op}{norm}" for axis, op in latent if axis is not None for norm in ("", "/norm"))
        for path in (*_FIXED, *axes):
            try:
                leaf = self._table.lookup(f"{ROOT}/{path}", state.patch)
                yield Told(leaf.address, leaf.target, (wire_value(leaf, state),))
            except AudiobendError:
                continue    # an operation of a file that has no address, such as one on all axes
        at = state.morph
        if at is not None:
            yield Told(f"{ROOT}/scene/morph", "morph", (at.a, at.b, at.position))
            yield Told(f"{ROOT}/scene/morph/position", "morph", (at.position,))
        yield Told(f"{ROOT}/scene/load", "scene", (state.scene,))
        yield Told(f"{ROOT}/model/load", "model", (state.model,))

    def _bend(self, bend: Bend, state: State) -> list[Told]:
        leaves = self._table.of_bend(bend, state.patch.profile_of(bend))
        return [Told(one.address, one.target, (as_sent(one, state.patch.get(one.target)),)) for one in leaves]


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
            if one.target.endswith("/on") and one.args[0]:
                out.append((Told(one.address, one.target, (0,)), self._setters.get(one.target)))
        if len(changed) + len(gone) <= limit:
            self._revision = state.revision
            self._setters.clear()
        return out
