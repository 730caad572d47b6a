"""How many instances this machine can hold: what each takes is measured, and added up."""

import os
from threading import Condition

from audiobend.errors import ControlError
from audiobend.speed import TOO_MUCH

PATIENCE = 2.0
"""Seconds that one who comes waits for room: a plugin that begins anew is there before what it was has gone."""


def cores() -> int:
    """Return on how many cores this process may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Capacity:
    """The instances that run, and what each takes of a core.

    Parameters
    ----------
    n_cores : int
    most : int or None
        So many instances, whatever they take; None goes by what they take.
    patience : float
        Seconds that `take` waits for room.

    Examples
    --------
    >>> capacity = Capacity(n_cores=1, patience=0)
    >>> capacity.take(1, 0.5)
    >>> capacity.take(2, 0.5)    # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    audiobend.errors.ControlError: this machine is full: ...
    >>> capacity.measured(1, 0.2)
    >>> capacity.take(2, 0.5)
    """

    def __init__(self, n_cores: int, most: int | None = None, patience: float = PATIENCE) -> None:
        self._room, self._most, self._patience = TOO_MUCH * n_cores, most, patience
        self._loads: dict[int, float] = {}
        self._changed = Condition()

    def holds(self, load: float) -> int:
        """Return how many instances fit that take so much of a core each."""
        return self._most or max(1, int(self._room / max(load, 1e-3)))

    def take(self, number: int, load: float) -> None:
        """Count an instance in; `ControlError` where no room is made for it in time. The first always has room."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._fits(load), self._patience):
                raise ControlError(self._why_not(load))
            self._loads[number] = load

    def _fits(self, load: float) -> bool:
        if not self._loads:
            return True
        if self._most is not None:
            return len(self._loads) < self._most
        return sum(self._loads.values()) + load <= self._room

    def _why_not(self, load: float) -> str:
        if self._most is not None:
            return f"this server takes {self._most} instances, as it was told with --max-instances"
        n, taken = len(self._loads), sum(self._loads.values())
        return (
            f"this machine is full: {n} instance{'s take' if n > 1 else ' takes'} {taken:.2f} of {self._room:.2f} "
            f"cores, one more takes {load:.2f}; end one, play at a longer latency, or start audiobend server with "
            "--max-instances"
        )

    def measured(self, number: int, load: float) -> None:
        """Know what an instance really takes."""
        with self._changed:
            if number in self._loads:
                self._loads[number] = load
                self._changed.notify_all()

    def leave(self, number: int) -> None:
        """Count an instance out."""
        with self._changed:
            self._loads.pop(number, None)
            self._changed.notify_all()
