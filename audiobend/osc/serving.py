"""A thread that serves a socket: what OSC over UDP and over TCP have in common."""

import logging
import socket
from abc import ABC, abstractmethod
from collections.abc import Sequence
from threading import Event, Thread
from types import TracebackType
from typing import ClassVar, Self

from audiobend.osc.desk import Desk
from audiobend.osc.responder import Responder
from audiobend.osc.services import Counters
from audiobend.osc.sockets import AllowList, SparingLog

log = logging.getLogger("audiobend.osc")


class Serving(ABC):
    """Receives OSC on a thread of its own, changes the desk, and answers.

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
    """

    _NAME: ClassVar[str]

    def __init__(self, desk: Desk, address: str, port: int, allow: Sequence[str]) -> None:
        self.address, self.port = address, port
        self._allow = AllowList(allow)
        self._responder = Responder(desk)
        self._log = SparingLog(log)
        self._stop = Event()
        self._socket: socket.socket | None = None
        self._thread: Thread | None = None

    @property
    def counters(self) -> Counters:
        """What was received, refused, failed, and not sent."""
        return self._responder.counters

    @property
    def received(self) -> int:
        """How many packets have come in."""
        return self.counters.received

    @property
    @abstractmethod
    def ports(self) -> tuple[int, int, int]:
        """Of UDP, TCP and OSCQuery, as far as this server knows; 0 where there is none."""

    def start(self) -> Self:
        """Open the socket, start the thread, and return at once."""
        self._socket = self._open()
        self.port = self._socket.getsockname()[1]
        self.tell_ports(self.ports)
        self._thread = Thread(target=self._run, args=(self._socket,), name=self._NAME, daemon=True)
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

    @abstractmethod
    def _open(self) -> socket.socket: ...

    @abstractmethod
    def _run(self, sock: socket.socket) -> None:
        """Serve until closed; nothing that happens to one packet, or in one turn, ends this."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
