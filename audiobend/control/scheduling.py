"""Messages for later: what is due when, with caps. It is told the time; it never asks a clock."""

import heapq
import itertools
from typing import Generic, TypeVar

from audiobend.errors import ControlError

T = TypeVar("T")


class Schedule(Generic[T]):
    """Things due at some time, given back in order of time, equal times in order of arrival.

    Parameters
    ----------
    horizon : float, seconds
        How far ahead something may be; a sender's clock that is years ahead would otherwise withhold everything.
    capacity : int
        How many things may wait.

    >>> later = Schedule(horizon=10, capacity=2)
    >>> later.put(5.0, "b", now=0); later.put(4.0, "a", now=0)
    >>> later.next_due, later.take_due(4.5), later.take_due(6.0)
    (4.0, ['a'], ['b'])
    """

    def __init__(self, horizon: float = 60.0, capacity: int = 1024) -> None:
        self.horizon, self.capacity = horizon, capacity
        self._waiting: list[tuple[float, int, T]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def next_due(self) -> float | None:
        """When the next thing is due; None where nothing waits."""
        return self._waiting[0][0] if self._waiting else None

    def put(self, due: float, thing: T, now: float) -> None:
        """Keep a thing until it is due; `ControlError` beyond the horizon, or where too many wait."""
        if due - now > self.horizon:
            ahead = f"{due - now:.0f}" if due - now < 1e6 else "millions of"
            raise ControlError(f"a time tag may lie {self.horizon:g} seconds ahead at most, this one lies {ahead}")
        if len(self._waiting) >= self.capacity:
            raise ControlError(f"{self.capacity} bundles are waiting for their time, the most there can be")
        heapq.heappush(self._waiting, (due, next(self._order), thing))

    def take_due(self, now: float) -> list[T]:
        """Return, and forget, what is due at ``now``."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            due.append(heapq.heappop(self._waiting)[2])
        return due

    def clear(self) -> None:
        """Forget everything that waits."""
        self._waiting.clear()
