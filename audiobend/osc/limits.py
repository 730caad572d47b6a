"""How much one packet may cost, how much the packets of a client, and how many answers it may cause."""

from dataclasses import dataclass

from audiobend.errors import ControlError
from audiobend.osc.subscribers import Peer

MAX_CLIENTS = 256
MAX_MATCHES = 512
MAX_STEPS = 100_000
STEPS_A_SECOND = 300_000
"""What the patterns of one client may cost for long: a tenth of a processor, so that others are answered in time."""
MAX_HEAVY = 16
"""Scenes, morphs, models in one packet: each is checked as a whole, which takes milliseconds."""
MATCH_STEPS, HEAVY_STEPS = 100, 10_000
"""What an address that a pattern means counts for; and a change of everything, beyond the first in a packet."""


@dataclass
class Budget:
    """How much one packet may still cost: addresses found by patterns, steps taken, changes of everything at once."""

    matches: int = MAX_MATCHES
    steps: int = MAX_STEPS
    heavy: int = MAX_HEAVY

    def __post_init__(self) -> None:
        self._given = self.steps

    @property
    def spent(self) -> int:
        """Steps and addresses that are used up."""
        return self._given - self.steps + MAX_MATCHES - self.matches

    @property
    def cost(self) -> int:
        """What the packet counts for in all."""
        heavy = max(0, MAX_HEAVY - self.heavy - 1)
        return self._given - self.steps + (MAX_MATCHES - self.matches) * MATCH_STEPS + heavy * HEAVY_STEPS

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
        if self.left(client, now) < 1:
            return False
        self.use(client, 1, now)
        return True

    def left(self, client: Peer, now: float) -> float:
        """Return how much a client has now."""
        left, when = self._left.get(client, (float(self.burst), now))
        return min(self.burst, left + max(0.0, now - when) * self.rate)

    def use(self, client: Peer, amount: float, now: float) -> None:
        """Use some up; what is not there counts for later."""
        left = self.left(client, now)
        self._left.pop(client, None)
        while len(self._left) >= MAX_CLIENTS:
            del self._left[next(iter(self._left))]    # the one that was silent longest
        self._left[client] = (left - amount, now)
