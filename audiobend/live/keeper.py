"""Everything that waits for a disk, one after the other on a thread of its own: OSC and sound must not."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

from audiobend.errors import AudiobendError
from audiobend.io.files import reason


class Keeper:
    """Does what it is given, in order.

    Parameters
    ----------
    tell : callable
        Takes a sentence about what could not be done; the rest is done all the same.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True, name="keeper")
        self._thread.start()

    def do(self, job: Callable[[], None]) -> None:
        """Take a job and return at once."""
        self._waiting.put(job)

    def close(self) -> None:
        """Do what is left, then end."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None:
            try:
                job()
            except AudiobendError as error:
                self._tell(str(error))
            except OSError as error:
                self._tell(f"{error.filename or 'a file of the session'}: cannot be written: {reason(error)}")
