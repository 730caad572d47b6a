"""Who wants to hear of changes."""

from dataclasses import dataclass, field

from audiobend.errors import ControlError

Peer = tuple[str, int]
"""IP address and port."""

MAX_SUBSCRIBERS = 32
EXPIRES_AFTER = 600.0
"""Seconds without a packet from it after which a subscriber is forgotten."""


@dataclass
class Subscribers:
    """Who wants to hear of changes, by who asked for it. Bounded, and forgotten when silent for long.

    >>> who = Subscribers(capacity=1)
    >>> who.add(("127.0.0.1", 5000), 9002, now=0.0)
    >>> list(who.clients.values()), who.expired(1e4), len(who.clients)
    ([('127.0.0.1', 9002)], [('127.0.0.1', 5000)], 0)
    """

    capacity: int = MAX_SUBSCRIBERS
    clients: dict[Peer, Peer] = field(default_factory=dict)
    """Where each is answered."""
    _seen: dict[Peer, float] = field(default_factory=dict)

    def add(self, sender: Peer, port: int | None, now: float) -> None:
        """Subscribe a sender, at its own port or another; `ControlError` where there are too many."""
        if port is not None and not 1 <= port <= 65535:
            raise ControlError(f"a port must be in 1..65535, got {port}")
        if sender not in self.clients and len(self.clients) >= self.capacity:
            raise ControlError(f"there are {self.capacity} subscribers, the most there can be")
        self.clients[sender] = (sender[0], port or sender[1])
        self._seen[sender] = now

    def remove(self, sender: Peer) -> None:
        """Forget a sender."""
        self.clients.pop(sender, None)
        self._seen.pop(sender, None)

    def seen(self, sender: Peer, now: float) -> None:
        """Note that a sender is alive."""
        if sender in self._seen:
            self._seen[sender] = now

    def expired(self, now: float) -> list[Peer]:
        """Forget, and return, those that have long been silent."""
        gone = [sender for sender, when in self._seen.items() if now - when > EXPIRES_AFTER]
        for sender in gone:
            self.remove(sender)
        return gone
