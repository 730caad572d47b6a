"""How much one packet may cost, and how many answers a client may cause."""

from dataclasses import dataclass

from audiobend.errors import ControlError
from audiobend.osc.subscribers import Peer

MAX_CLIENTS = 256
MAX_MATCHES = 512
MAX_STEPS = 100_000
MAX_HEAVY = 16
"""Scenes, morphs, models in one packet: each is checked as a whole, which takes milliseconds."""


@dataclass
class Budget:
    """How much one packet may still cost: addresses found by patterns, steps taken, changes of everything at once."""

    matches: int = MAX_MATCHES
    steps: int = MAX_STEPS
    heavy: int = MAX_HEAVY

    @property
    def spent(self) -> int:
        """Steps and addresses that are used up."""
        return MAX_STEPS - self.steps + MAX_MATCHES - self.matches

    def spend(self, steps: int) -> None:
        """Take steps away; `ControlError` when there are none left."""
        self.steps -= steps
        if self.steps < 0 or self.matches < 0:
            raise ControlError("the patterns of this packet take too long; send fewer or shorter ones")


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
