"""Changes are made between two blocks of sound, and told with the sample at which they were made."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Told:
    """What the engine's process did before a sample went in.

    Attributes
    ----------
    kind : "began", "skipped" or "applied"
        A new engine began; it left out what lies between; a change was made.
    position : int
        Of the next sample to go in, in the input ring.
    number : int
        Of the last change that counts from there on; of ``skipped`` the position that would have come next.
    """

    kind: Literal["began", "skipped", "applied"]
    position: int
    number: int


class Seam:
    """What waits for the next block.

    Parameters
    ----------
    tell : callable
        Takes what was done; called between two blocks, so it must return at once.
    number : int
        Of the change that the engine began with.

    Notes
    -----
    `put` may be called from any thread; the seam itself by the one that feeds the engine.
    """

    def __init__(self, tell: Callable[[Told], None], number: int = 0) -> None:
        self._tell, self._number = tell, number
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._next: int | None = None

    def put(self, number: int, change: Callable[[], None]) -> None:
        """Let a change be made before the next block."""
        self._waiting.append((number, change))

    @property
    def is_waiting(self) -> bool:
        """Whether a change has not been made yet."""
        return bool(self._waiting)

    def __call__(self, position: int, n: int) -> None:
        """Make the changes that wait: ``n`` samples at ``position`` are about to go in."""
        if self._next is None:
            self._tell(Told("began", position, self._number))
        elif position != self._next:
            self._tell(Told("skipped", position, self._next))
        self._next = position + n
        while self._waiting:
            number, change = self._waiting.popleft()
            change()
            self._tell(Told("applied", position, number))
