"""Changes that wait for the next seam: one for each target, the last one sent."""

from dataclasses import dataclass

from audiobend.control import Command, Morph, MorphFour, Set
from audiobend.osc.decode import Change
from audiobend.osc.subscribers import Peer


@dataclass
class Pending:
    """Changes in order; a later value of a target takes the place of an earlier one.

    Attributes
    ----------
    coalesced : int
        How many changes a later one made needless.
    version : int
        Grows whenever what waits changes.
    """

    coalesced: int = 0
    version: int = 0

    def __post_init__(self) -> None:
        self._changes: dict[object, tuple[Change, Peer]] = {}
        self._stretch = 0

    def __len__(self) -> int:
        return len(self._changes)

    def put(self, change: Change, sender: Peer) -> None:
        """Add a change. What is no plain value keeps its place: nothing moves across it."""
        command = change.command
        self.version += 1
        if not isinstance(command, Set):
            self._put_whole(change, sender)
            return
        # A movement may be given in part: "sine 0.5", then "square", leaves the rate at 0.5.
        n_values = len(command.value) if isinstance(command.value, tuple) else 1
        key = (self._stretch, command.target, n_values)
        if self._changes.pop(key, None) is not None:
            self.coalesced += 1
        self._changes[key] = (change, sender)

    def _put_whole(self, change: Change, sender: Peer) -> None:
        """Add what is no plain value; a morph goes in the place of one between the same scenes just before it."""
        before = next(reversed(self._changes.values()), None)
        if before is not None and _is_the_same_fader(before[0].command, change.command):
            self._changes.popitem()
            self.coalesced += 1
        self._stretch += 1
        self._changes[self._stretch, None] = (change, sender)

    @property
    def commands(self) -> list[Command]:
        """The commands that wait, in order."""
        return [change.command for change, _ in self._changes.values()]

    @property
    def changes_bends(self) -> bool:
        """True where there may be other bends after what waits."""
        return any(not isinstance(one, Set) or one.place is not None for one in self.commands)

    def take(self) -> list[tuple[Change, Peer]]:
        """Return, and forget, all changes."""
        taken = list(self._changes.values())
        self._changes.clear()
        self.version += 1
        return taken


def _is_the_same_fader(before: Command, after: Command) -> bool:
    if isinstance(before, MorphFour) and isinstance(after, MorphFour):
        return (before.a, before.b, before.c, before.d) == (after.a, after.b, after.c, after.d)
    return isinstance(before, Morph) and isinstance(after, Morph) and (before.a, before.b) == (after.a, after.b)
