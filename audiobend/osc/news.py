"""What is told without being asked at that moment: changes to subscribers, and that another model sounds."""

from collections.abc import Iterator

from audiobend.control import RequestModel, Set, State
from audiobend.osc.addresses import Table
from audiobend.osc.decode import REFUSED, Change, Failure
from audiobend.osc.encode import ROOT, Sent, encode
from audiobend.osc.feedback import Feedback
from audiobend.osc.subscribers import Peer, Subscribers

FEEDBACK_SECONDS = 1 / 30
FEEDBACK_MESSAGES = 256
MAX_LOADING = 16

Answer = tuple[str, tuple[Sent, ...]]


class News:
    """Keeps who wants to hear of what, and what they were told last."""

    def __init__(self) -> None:
        self.subscribers = Subscribers()
        self._feedback: Feedback | None = None
        self._loading: list[tuple[str, str, Peer]] = []
        self._told_at = float("-inf")

    @property
    def is_expected(self) -> bool:
        """True where somebody waits for something."""
        return bool(self.subscribers.clients or self._loading)

    def notify(self, args: tuple[int, ...], sender: Peer, table: Table, state: State, now: float) -> Answer:
        """Subscribe (1, and a port) or unsubscribe (0); without arguments, tell whether the sender is subscribed."""
        if not args:
            return f"{ROOT}/notify", (int(sender in self.subscribers.clients),)
        if args[0] > 0:
            self.subscribers.add(sender, args[1] if len(args) > 1 else None, now)
            self._feedback = self._feedback or Feedback(table, state)
        else:
            self.subscribers.remove(sender)
        return f"{ROOT}/done", (f"{ROOT}/notify", len(self.subscribers.clients), self.subscribers.capacity)

    def note(self, change: Change, sender: Peer) -> None:
        """Remember who made a change."""
        command = change.command
        if self._feedback is not None:
            if isinstance(command, Set):
                self._feedback.set_by(command.target, sender)
            else:
                self._feedback.forget_setters()    # what a scene changes, everybody must hear of
        if isinstance(command, RequestModel):
            self._loading = [*self._loading[-MAX_LOADING + 1 :], (change.address, command.name, sender)]

    def follow(self, table: Table) -> None:
        """Go on with another model's addresses."""
        if self._feedback is not None:
            self._feedback.move_to(table)

    def changes(self, state: State, now: float) -> Iterator[tuple[bytes, Peer]]:
        """Yield what subscribers are to hear now, not more often than is good for them."""
        if now - self._told_at < FEEDBACK_SECONDS:
            return
        self._told_at = now
        self.subscribers.expired(now)
        if not self.subscribers.clients:
            self._feedback = None
        for told, setter in self._feedback.changes(state, FEEDBACK_MESSAGES) if self._feedback else ():
            datagram = encode(told.address, told.args)
            yield from ((datagram, place) for peer, place in self.subscribers.clients.items() if peer != setter)

    def loaded(self, state: State) -> Iterator[tuple[Answer | Failure, Peer]]:
        """Yield, to those who wanted another model, that it sounds, or why it does not."""
        if state.wanted_model:
            return
        waiting, self._loading = self._loading, []
        for address, name, sender in waiting:
            if state.model == name:
                yield (f"{ROOT}/done", (address, name)), sender
            else:
                text = state.model_error or f"another model was asked for after '{name}'"
                yield Failure(address, REFUSED, text), sender
