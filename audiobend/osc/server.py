"""OSC over UDP: the socket, and the thread that takes packets in, carries them out and answers."""

import ipaddress
import os
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from threading import get_native_id

from audiobend.osc.desk import Desk
from audiobend.osc.encode import ROOT
from audiobend.osc.news import FEEDBACK_SECONDS
from audiobend.osc.serving import Serving
from audiobend.osc.sockets import IDLE_SECONDS, why_not
from audiobend.osc.subscribers import Peer

DEFAULT_PORT = 9001
RECEIVE_BUFFER = 4 << 20
"""Bytes that the system keeps for us while we are busy; it may give less."""
_RECEIVE_BUFFER_FORCE = 33
"""SO_RCVBUFFORCE of Linux, which Python does not name."""
TURN_SECONDS = 0.02
"""How long packets are taken before what they ask for is carried out and answered."""
LOOK_SECONDS = 0.002
"""How long packets are worked on before the next ones are taken in: a ping among them is answered then."""
INTAKE_SECONDS, MAX_WAITING = 0.005, 16384
"""How long packets are taken in, and how many wait here; more wait with the system, or are lost there."""
MAX_PACKET = 65536
_PING = f"{ROOT}/ping\0".encode()


class OscServer(Serving):
    """Receives OSC over UDP on a thread of its own, changes the desk, and answers; see `Serving`.

    Packets are carried out in the order in which they come; but a ping overtakes what others have sent.

    Examples
    --------
    >>> with OscServer(desk, port=9001) as server:    # doctest: +SKIP
    ...     print(server.port)
    """

    _NAME = "audiobend-osc"

    def __init__(
        self, desk: Desk, address: str = "127.0.0.1", port: int = DEFAULT_PORT, *, allow: Sequence[str] = ()
    ) -> None:
        super().__init__(desk, address, port, allow)
        self._waiting: deque[tuple[bytes, Peer]] = deque()
        self._waiting_of: Counter[Peer] = Counter()
        self._faults = 0

    @property
    def ports(self) -> tuple[int, int, int]:
        """Of UDP alone."""
        return self.port, 0, 0

    def _open(self) -> socket.socket:
        return _open(self.address, self.port)

    def _run(self, sock: socket.socket) -> None:
        _raise_priority()
        sock.setblocking(False)
        while not self._stop.is_set():
            try:
                self._receive(sock)
                self._responder.turn(time.monotonic())
                self._send(sock)
            except OSError as error:
                self._log.warn("the network: %s", error)
                self._stop.wait(0.01)
            except Exception:
                self._fault()
            if self.counters.rejected:
                self._log.warn("%d packets refused, the last: %s", self.counters.rejected, self._responder.last_problem)

    def _receive(self, sock: socket.socket) -> None:
        """Wait for packets, and work on them for a while."""
        self._take_in(sock, 0.0 if self._waiting else FEEDBACK_SECONDS if self._responder.is_waiting else IDLE_SECONDS)
        now = looked = time.monotonic()
        until = now + TURN_SECONDS
        while self._waiting and now < until:
            self._next()
            now = time.monotonic()
            if now - looked > LOOK_SECONDS:
                self._take_in(sock)
                now = looked = time.monotonic()

    def _take_in(self, sock: socket.socket, patience: float = 0.0) -> None:
        """Take in what is there, answering pings; wait for the first."""
        with suppress(TimeoutError, BlockingIOError):
            if patience:
                self._take(sock, *_first(sock, patience))
            until = time.monotonic() + INTAKE_SECONDS
            while len(self._waiting) < MAX_WAITING and time.monotonic() < until:
                self._take(sock, *sock.recvfrom(MAX_PACKET))

    def _take(self, sock: socket.socket, datagram: bytes, sender: Peer) -> None:
        if not self._allow.has(sender[0]):
            return
        if datagram.startswith(_PING) and sender not in self._waiting_of:
            self._packet(datagram, sender)
            self._send(sock, looks=False)
        else:
            self._waiting.append((datagram, sender))
            self._waiting_of[sender] += 1

    def _next(self) -> None:
        datagram, sender = self._waiting.popleft()
        self._waiting_of[sender] -= 1
        if not self._waiting_of[sender]:
            del self._waiting_of[sender]
        self._packet(datagram, sender)

    def _packet(self, datagram: bytes, sender: Peer) -> None:
        try:
            self._responder.receive(datagram, sender, time.monotonic(), time.time())
        except Exception:
            self._fault()

    def _send(self, sock: socket.socket, looks: bool = True) -> None:
        looked = time.monotonic()
        for datagram, client in self._responder.take():
            try:
                sock.sendto(datagram, client)
            except OSError:    # a full buffer, or a client that cannot be reached
                self.counters.unsent += 1
            if looks and time.monotonic() - looked > LOOK_SECONDS:    # there may be thousands
                self._take_in(sock)
                looked = time.monotonic()

    def _fault(self) -> None:
        """Keep going after a mistake of ours; OSC must outlive it."""
        self._faults += 1
        self._log.error("a packet could not be carried out; OSC goes on (%d times so far)", self._faults)


def listen_warning(address: str, allow: Sequence[str] = ()) -> str:
    """Return what to say where other machines can reach the address; empty for a loopback address.

    >>> listen_warning("127.0.0.1")
    ''
    >>> listen_warning("0.0.0.0")
    'OSC listens at 0.0.0.0: every machine that reaches it can play; name those that may with --allow'
    """
    try:
        loopback = address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if loopback:
        return ""
    if allow:
        return f"OSC listens at {address}: machines at {', '.join(allow)} can play"
    return f"OSC listens at {address}: every machine that reaches it can play; name those that may with --allow"


def _widen(sock: socket.socket) -> None:
    """Have the system keep more packets; beyond its limit where that is permitted (Linux, as root)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    if sys.platform == "linux":
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _RECEIVE_BUFFER_FORCE, RECEIVE_BUFFER)


def _first(sock: socket.socket, patience: float) -> tuple[bytes, Peer]:
    sock.settimeout(patience)
    try:
        datagram, sender = sock.recvfrom(MAX_PACKET)
        return datagram, sender
    finally:
        sock.setblocking(False)


def _raise_priority() -> None:
    """Run this thread before others, where that is permitted: what floods it is on the same machine at times."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), -10)


def _open(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        _widen(sock)
        sock.bind((address, port))
    except (OSError, OverflowError) as error:
        sock.close()
        raise why_not(address, port, error) from None
    return sock
