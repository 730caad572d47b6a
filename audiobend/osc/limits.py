"""How many answers of one kind a client may cause, so that a flood of mistakes is not answered by a flood."""

from audiobend.osc.subscribers import Peer

MAX_CLIENTS = 256


class Allowance:
    """A supply of answers for each client that is used up and comes back with time.

    Parameters
    ----------
    rate : float
        Answers a second that come back.
    burst : int
        The most there can be at once.

    >>> some = Allowance(rate=1, burst=2)
    >>> [some.take(("127.0.0.1", 5), now) for now in (0.0, 0.0, 0.0, 1.5)]
    [True, True, False, True]
    """

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self._left: dict[Peer, tuple[float, float]] = {}

    def take(self, client: Peer, now: float) -> bool:
        """Use one up; False where there is none."""
        left, when = self._left.pop(client, (float(self.burst), now))
        left = min(self.burst, left + max(0.0, now - when) * self.rate)
        while len(self._left) >= MAX_CLIENTS:
            del self._left[next(iter(self._left))]    # the one that was silent longest
        self._left[client] = (left - 1 if left >= 1 else left, now)
        return left >= 1
