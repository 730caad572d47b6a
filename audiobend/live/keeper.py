"""Everything that waits for a disk or a reader, one after the other on a thread of its own: OSC and sound must not."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic

from audiobend.errors import AudiobendError
from audiobend.io.files import reason

REST = 4.0
"""Rest after a job, in times of its own length: jobs that only Python does would else keep OSC from running."""


class Keeper:
    """Does what it is given, in order.

    Parameters
    ----------
    tell : callable
        Takes a sentence about what could not be done; the rest is done all the same.
    rest : float
        See `REST`.
    """

    def __init__(self, tell: Callable[[str], None], rest: float = REST) -> None:
        self._tell, self._rest = tell, rest
        self._waiting: OrderedDict[Hashable, Callable[[], None]] = OrderedDict()
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="keeper")
        self._thread.start()

    def do(self, job: Callable[[], None], instead_of: Hashable = None) -> None:
        """Take a job and return at once; one that waits under the same ``instead_of`` is not needed any more."""
        with self._changed:
            self._waiting.pop(instead_of, None)
            self._waiting[object() if instead_of is None else instead_of] = job
            self._changed.notify()

    def close(self, patience: float | None = None) -> bool:
        """Do what is left, then end; False if that is not done after so many seconds."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            begun = monotonic()
            try:
                job()
            except AudiobendError as error:
                self._tell(str(error))
            except OSError as error:
                self._tell(f"{error.filename or 'a file of the session'}: cannot be written: {reason(error)}")
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing, self._rest * (monotonic() - begun))

    def _next(self) -> Callable[[], None] | None:
        """Wait for a job; None when closed and all is done."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing)
            return self._waiting.popitem(last=False)[1] if self._waiting else None
