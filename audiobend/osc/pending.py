"""Changes that wait for the next seam: one for each target, the last one sent."""

from dataclasses import dataclass

from audiobend.control import Set
from audiobend.osc.decode import Change
from audiobend.osc.subscribers import Peer


@dataclass
class Pending:
    """Changes in order; a later value of a target takes the place of an earlier one.

    Attributes
    ----------
    coalesced : int
        How many changes a later one made needless.
    """

    coalesced: int = 0

    def __post_init__(self) -> None:
        self._changes: dict[object, tuple[Change, Peer]] = {}
        self._stretch = 0

    def __len__(self) -> int:
        return len(self._changes)

    def put(self, change: Change, sender: Peer) -> None:
        """Add a change. What is no plain value keeps its place: nothing moves across it."""
        command = change.command
        if not isinstance(command, Set):
            self._stretch += 1
            self._changes[self._stretch, None] = (change, sender)
            return
        key = (self._stretch, command.target)
        if self._changes.pop(key, None) is not None:
            self.coalesced += 1
        self._changes[key] = (change, sender)

    def take(self) -> list[tuple[Change, Peer]]:
        """Return, and forget, all changes."""
        taken = list(self._changes.values())
        self._changes.clear()
        return taken
