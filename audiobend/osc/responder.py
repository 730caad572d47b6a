"""Datagrams in, datagrams out: all that the server does, without its socket. It is told the time.

Changes of one value that arrive together are carried out once, with the last value; a bundle is carried out at one
seam, and what it asks for is answered from the state after it.
"""

from collections import Counter
from collections.abc import Iterable

from audiobend.control import Panic, Schedule, Set, State, update_all
from audiobend.errors import AudiobendError, ControlError
from audiobend.osc.addresses import Table
from audiobend.osc.decode import (
    NO_ADDRESS,
    REFUSED,
    TOO_MANY,
    WRONG_ARGUMENTS,
    Ask,
    Change,
    Failure,
    Query,
    Request,
    decode,
)
from audiobend.osc.desk import Desk
from audiobend.osc.encode import ROOT, Sent, encode
from audiobend.osc.feedback import Feedback
from audiobend.osc.limits import MAX_HEAVY, MAX_STEPS, STEPS_A_SECOND, Allowance, Budget
from audiobend.osc.news import News
from audiobend.osc.parse import Message, PacketError, parse
from audiobend.osc.pending import Pending
from audiobend.osc.services import Counters, answers, came_of
from audiobend.osc.subscribers import Peer
from audiobend.osc.values import wire_values

MAX_PENDING = 4096
MAX_OUT, MAX_OUT_EACH = 65536, 1024
"""Answers in one turn: to all, and to one client, so that none takes the place of the others."""


class Responder:
    """Carries out and answers packets.

    Call `receive` with each packet, then `turn`, then send what `take` returns.

    Parameters
    ----------
    desk : Desk
    port : int
        Of OSC over UDP.

    Attributes
    ----------
    ports : (int, int, int)
        Of UDP, TCP and OSCQuery, 0 where there is none: what ``/audiobend/hello.reply`` tells.
    """

    def __init__(self, desk: Desk, port: int = 0) -> None:
        self.desk, self.ports = desk, (port, 0, 0)
        self.counters = Counters()
        self.pending = Pending()
        self.schedule: Schedule[tuple[list[Message], Peer]] = Schedule()
        self.news = News()
        self.last_problem = ""
        self._failures = Allowance(rate=50, burst=500)
        self._work = Allowance(rate=STEPS_A_SECOND, burst=STEPS_A_SECOND)
        self._out: list[tuple[bytes, Peer]] = []
        self._out_to: Counter[Peer] = Counter()
        self._table = Table(desk.context)
        self._ahead: tuple[int, State] = (-1, desk.state)

    def receive(self, datagram: bytes, sender: Peer, now: float, wall: float) -> None:
        """Take one packet.

        Parameters
        ----------
        datagram : bytes
        sender : (str, int)
        now : float
            Seconds of a clock that never jumps.
        wall : float
            Seconds since 1970, which time tags are compared with.
        """
        self.counters.received += 1
        try:
            packet = parse(datagram)
        except PacketError as error:
            self.counters.rejected += 1
            self.counters.work += len(datagram)
            self.last_problem = str(error)
            return
        self.news.subscribers.seen(sender, now)
        if self.desk.ear is not None:
            for _, messages in packet.groups:
                self.desk.ear(messages, sender)
        budget = Budget(steps=int(min(MAX_STEPS, max(0, self._work.left(sender, now)))))
        for due, messages in packet.groups:
            if due is None or due <= wall:
                self._group(messages, sender, now, budget)
                continue
            try:
                self.schedule.put(now + due - wall, (messages, sender), now)
            except ControlError as error:
                self._fail(Failure(messages[0].address, REFUSED, str(error)), sender, now)
        if budget.cost:
            self._work.use(sender, budget.cost, now)
        self.counters.work += packet.work + budget.spent

    def turn(self, now: float) -> None:
        """Carry out what waits, and tell subscribers what has changed."""
        self._flush(now)    # before what is due: it may be a panic
        for messages, sender in self.schedule.take_due(now):
            self._group(messages, sender, now, Budget())
        self._flush(now)
        for told, peer in self.news.loaded(self.desk.state):
            if isinstance(told, Failure):
                self._fail(told, peer, now)
            else:
                self._send(peer, *told)
        self._follow_context()
        for datagram, peer in self.news.changes(self.desk.state, now):
            self._put(datagram, peer)

    def take(self) -> list[tuple[bytes, Peer]]:
        """Return, and forget, the datagrams to send, each with where to."""
        out, self._out = self._out, []
        self._out_to.clear()
        return out

    @property
    def is_waiting(self) -> bool:
        """True where something is to be told that no packet will call for."""
        return self.news.is_expected or len(self.schedule) > 0

    def _group(self, messages: Iterable[Message], sender: Peer, now: float, budget: Budget) -> None:
        """Take messages that belong to one instant."""
        self._follow_context()
        asked: list[Query | Ask] = []
        for message in messages:
            for request in self._requests(message, budget):
                if isinstance(request, Change):
                    self.pending.put(request, sender)
                elif isinstance(request, Failure):
                    self._fail(request, sender, now)
                else:
                    asked.append(request)
        if any(map(_needs_the_state, asked)) or len(self.pending) > MAX_PENDING:
            self._flush(now)
        for one in asked:
            self._answer(one, sender, now)

    def _requests(self, message: Message, budget: Budget) -> list[Request]:
        """Return what a message asks for; its bends may be those of a scene that waits to be loaded."""
        requests = decode(message, self._table, self.desk.state, budget)
        is_bend = message.address.startswith(f"{ROOT}/bend/")
        if is_bend and _is_unknown(requests) and self.pending.changes_bends and budget.heavy > 0:
            requests = decode(message, self._table, self._foreseen(budget), budget)
        if not (len(requests) == 1 and isinstance(requests[0], Change) and not isinstance(requests[0].command, Set)):
            return requests
        budget.heavy -= 1
        text = f"one packet may change scenes and models {MAX_HEAVY} times, this one does more"
        return requests if budget.heavy >= 0 else [Failure(message.address, TOO_MANY, text)]

    def _foreseen(self, budget: Budget) -> State:
        """Return the state as it will be after what waits."""
        version, state = self._ahead
        if version != self.pending.version:
            budget.heavy -= 1
            state, _ = update_all(self.desk.state, self.pending.commands, self.desk.context)
            self._ahead = (self.pending.version, state)
        return state

    def _flush(self, now: float) -> None:
        """Carry out what waits, at one seam."""
        changes = self.pending.take()
        if not changes:
            return
        outcomes = self.desk.apply([change.command for change, _ in changes])
        for (change, sender), error in zip(changes, outcomes, strict=True):
            if error is not None:
                self._fail(Failure(change.address, REFUSED, str(error)), sender, now)
                continue
            self.news.note(change, sender)
            if isinstance(change.command, Panic):
                self.schedule.clear()
            if change.confirm:
                self._send(sender, f"{ROOT}/done", (change.address, *came_of(change.command, self.desk.state)))

    def _answer(self, asked: Query | Ask, sender: Peer, now: float) -> None:
        address = asked.leaf.address if isinstance(asked, Query) else f"{ROOT}/{asked.name}"
        try:
            if isinstance(asked, Query):
                self._send(sender, address, wire_values(asked.leaf, self.desk.state))
            elif asked.name == "notify":
                wanted = tuple(int(one) for one in asked.args)
                self._send(sender, *self.news.notify(wanted, sender, self._table, self.desk.state, now))
            else:
                values = Feedback(self._table, self.desk.state).told if asked.name == "dump" else []
                for to, args in answers(asked, self.desk, values, self.counters, self.ports):
                    self._send(sender, to, args)
        except AudiobendError as error:
            code = WRONG_ARGUMENTS if isinstance(asked, Ask) and asked.args else REFUSED
            self._fail(Failure(address, code, str(error)), sender, now)

    def _follow_context(self) -> None:
        """Another model has other addresses."""
        if self._table.context is not self.desk.context:
            self._table = Table(self.desk.context)
            self.news.follow(self._table)

    def _fail(self, failure: Failure, sender: Peer, now: float) -> None:
        self.counters.failed += 1
        if self._failures.take(sender, now):
            self._send(sender, f"{ROOT}/fail", (failure.address, failure.code, failure.text))

    def _send(self, client: Peer, address: str, args: tuple[Sent, ...]) -> None:
        """Answer a client where it hears answers: where it sent from, or at the port that it gave to notify."""
        self._put(encode(address, args), self.news.subscribers.clients.get(client, client))

    def _put(self, datagram: bytes, client: Peer) -> None:
        if len(self._out) < MAX_OUT and self._out_to[client] < MAX_OUT_EACH:
            self._out.append((datagram, client))
            self._out_to[client] += 1
        else:
            self.counters.unsent += 1


def _needs_the_state(asked: Query | Ask) -> bool:
    return isinstance(asked, Query) or asked.name != "ping"


def _is_unknown(requests: list[Request]) -> bool:
    return any(isinstance(one, Failure) and one.code == NO_ADDRESS for one in requests)
