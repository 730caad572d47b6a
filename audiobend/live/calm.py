"""What Python does to a process by itself, made small enough for sound and for OSC: its lock, and its garbage."""

import gc
import sys

_NEVER = 1 << 30


def hurry() -> None:
    """Look through nothing until `settle`: what is loaded now stays, and looking at it takes half a second in all."""
    gc.disable()


def settle(switch_seconds: float) -> None:
    """Leave alone what there is by now, and hold nobody up from here on.

    Looking through everything that has lived for long takes Python a fifth of a second after some minutes of a
    performance, so that is left to `tidy`; what is young is looked through as ever.

    Parameters
    ----------
    switch_seconds : float
        After which a thread that computes gives way to another one.
    """
    sys.setswitchinterval(switch_seconds)
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)
    gc.enable()


class Tidying:
    """Looks through everything when nobody is playing, so that a performance may last for weeks.

    >>> tidying = Tidying(now=0.0)
    >>> [tidying.is_due(now, work) for now, work in ((30.0, 1), (70.0, 2), (72.0, 2), (75.0, 2))]
    [False, False, True, False]
    """

    REST, QUIET, AT_LAST = 60.0, 2.0, 3600.0
    """Seconds: from one to the next, of silence before it, and until it is done in spite of all."""

    def __init__(self, now: float) -> None:
        self._done = self._changed = now
        self._work = -1

    def look(self, now: float, work: int) -> None:
        """Tidy up if it is time to; ``work`` grows while somebody plays."""
        if self.is_due(now, work):
            gc.collect()

    def is_due(self, now: float, work: int) -> bool:
        """Return whether it is time to, and count it as done."""
        if work != self._work:
            self._work, self._changed = work, now
        quiet = now - self._changed >= self.QUIET and now - self._done >= self.REST
        if not quiet and now - self._done < self.AT_LAST:
            return False
        self._done = now
        return True
