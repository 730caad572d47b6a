"""The socket and the thread of OSC."""

import ipaddress
import logging
import os
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Thread, get_native_id
from types import TracebackType

from audiobend.osc.desk import Desk
from audiobend.osc.news import FEEDBACK_SECONDS
from audiobend.osc.responder import Responder
from audiobend.osc.services import Counters
from audiobend.osc.sockets import IDLE_SECONDS, AllowList, SparingLog, why_not

DEFAULT_PORT = 9001
RECEIVE_BUFFER = 4 << 20
"""Bytes that the system keeps for us while we are busy; it may give less."""
_RECEIVE_BUFFER_FORCE = 33
"""SO_RCVBUFFORCE of Linux, which Python does not name."""
MAX_DRAIN, MAX_DRAIN_SECONDS = 512, 0.02
"""Packets that are taken, and for how long, before what they ask for is carried out and answered."""

log = logging.getLogger("audiobend.osc")


class OscServer:
    """Receives OSC over UDP on a thread of its own, changes the desk, and answers.

    Parameters
    ----------
    desk : Desk
        Where the state is changed and read.
    address : str
        IP address to listen at; anything but a loopback address lets other machines in (see `listen_warning`).
    port : int
        0 takes any free one; afterwards ``port`` says which.
    allow : sequence of str
        IP addresses or networks (``"192.168.1.0/24"``) that are listened to; empty is all that reach ``address``.

    Raises
    ------
    ControlError
        Where an address of ``allow`` is none; from `start`, where the address does not exist here, or the port is
        taken.

    Examples
    --------
    >>> with OscServer(desk, port=9001) as server:    # doctest: +SKIP
    ...     print(server.port)
    """

    def __init__(
        self, desk: Desk, address: str = "127.0.0.1", port: int = DEFAULT_PORT, *, allow: Sequence[str] = ()
    ) -> None:
        self.address, self.port = address, port
        self._allow = AllowList(allow)
        self._responder = Responder(desk, port)
        self._socket: socket.socket | None = None
        self._thread: Thread | None = None
        self._stop = Event()
        self._faults = 0
        self._log = SparingLog(log)

    @property
    def counters(self) -> Counters:
        """What was received, refused, failed, and not sent."""
        return self._responder.counters

    def start(self) -> "OscServer":
        """Open the socket, start the thread, and return at once."""
        self._socket = _open(self.address, self.port)
        self.port = self._socket.getsockname()[1]
        self.tell_ports((self.port, 0, 0))
        self._thread = Thread(target=self._run, args=(self._socket,), name="audiobend-osc", daemon=True)
        self._thread.start()
        return self

    def tell_ports(self, ports: tuple[int, int, int]) -> None:
        """Have ``/audiobend/hello`` answered with the ports of UDP, TCP and OSCQuery."""
        self._responder.ports = ports

    def close(self) -> None:
        """Stop the thread and give the port back; may be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)
        if self._socket is not None:
            self._socket.close()

    def __enter__(self) -> "OscServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, sock: socket.socket) -> None:
        """Receive until closed; nothing that happens to one packet, or to one turn, ends this."""
        _raise_priority()
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
        """Wait for a packet, then take what else is there."""
        sock.settimeout(FEEDBACK_SECONDS if self._responder.is_waiting else IDLE_SECONDS)
        try:
            self._packet(*sock.recvfrom(65536))
            sock.setblocking(False)
            until = time.monotonic() + MAX_DRAIN_SECONDS
            for _ in range(MAX_DRAIN):
                if time.monotonic() > until:
                    return
                self._packet(*sock.recvfrom(65536))
        except (TimeoutError, BlockingIOError):
            return

    def _packet(self, datagram: bytes, sender: tuple[str, int]) -> None:
        if not self._allow.has(sender[0]):
            return
        try:
            self._responder.receive(datagram, sender, time.monotonic(), time.time())
        except Exception:
            self._fault()

    def _send(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        for datagram, client in self._responder.take():
            try:
                sock.sendto(datagram, client)
            except OSError:    # a full buffer, or a client that cannot be reached
                self.counters.unsent += 1

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
