"""How many instances this machine can hold: what each takes is measured, and added up."""

import os
from threading import Lock

from audiobend.errors import ControlError
from audiobend.speed import TOO_MUCH


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

    Examples
    --------
    >>> capacity = Capacity(n_cores=1)
    >>> capacity.take(1, 0.5)
    >>> capacity.take(2, 0.5)    # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    audiobend.errors.ControlError: this machine is full: ...
    >>> capacity.measured(1, 0.2)
    >>> capacity.take(2, 0.5)
    """

    def __init__(self, n_cores: int, most: int | None = None) -> None:
        self._room, self._most = TOO_MUCH * n_cores, most
        self._loads: dict[int, float] = {}
        self._lock = Lock()

    def holds(self, load: float) -> int:
        """Return how many instances fit that take so much of a core each."""
        return self._most or max(1, int(self._room / max(load, 1e-3)))

    def take(self, number: int, load: float) -> None:
        """Count an instance in; `ControlError` where there is no room for it. The first always has room."""
        with self._lock:
            if self._loads:
                self._check(load)
            self._loads[number] = load

    def _check(self, load: float) -> None:
        n, taken = len(self._loads), sum(self._loads.values())
        if self._most is not None:
            if n >= self._most:
                raise ControlError(f"this server takes {self._most} instances, as it was told with --max-instances")
            return
        if taken + load > self._room:
            raise ControlError(
                f"this machine is full: {n} instance{'s take' if n > 1 else ' takes'} {taken:.2f} of {self._room:.2f} "
                f"cores, one more takes {load:.2f}; end one, play at a longer latency, or start audiobend server with "
                "--max-instances"
            )

    def measured(self, number: int, load: float) -> None:
        """Know what an instance really takes."""
        with self._lock:
            if number in self._loads:
                self._loads[number] = load

    def leave(self, number: int) -> None:
        """Count an instance out."""
        with self._lock:
            self._loads.pop(number, None)
