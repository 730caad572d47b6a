"""Sound and the preparing of changes take turns in the engine's process: neither works while the other does.

Both need Python's lock. A stride lets go of it at each of its hundreds of operations of torch, and another thread that
waits for it takes it every time: a stride of 10 ms has been seen to last 70 ms then, whatever the switch interval.
Waiting for one another, each is as fast as alone, and sound waits for one piece of preparing at most.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Turns:
    """One of two threads at a time."""

    def __init__(self) -> None:
        self._lock = Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Be entered for a portion of sound, or for some milliseconds of Python; what needs no Python stays outside."""
        with self._lock:
            yield
