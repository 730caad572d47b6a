"""OSC over TCP: the same messages and answers as over UDP, on connections that are told apart.

One thread waits for all connections at once and never for one of them: a reader that is slow has answers kept for it up
to a bound, then loses some; a writer that stops in the middle of a packet costs a buffer of one packet.
"""

import logging
import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType

from audiobend.osc.desk import Desk
from audiobend.osc.framing import Frames, Framing
from audiobend.osc.news import FEEDBACK_SECONDS
from audiobend.osc.responder import Responder
from audiobend.osc.services import Counters
from audiobend.osc.sockets import IDLE_SECONDS, AllowList, SparingLog, listening
from audiobend.osc.subscribers import Peer

MAX_CONNECTIONS = 32
MAX_UNSENT = 1 << 18
"""Bytes of answers that are kept for a reader that is slow."""
READ = 16384
SILENT_SECONDS = 600.0
"""Silence after which a connection makes room for a new one."""

log = logging.getLogger("audiobend.osc")


@dataclass
class _Connection:
    sock: socket.socket
    peer: Peer
    frames: Frames
    heard: float
    unsent: bytearray = field(default_factory=bytearray)


class TcpServer:
    """Receives OSC over TCP on a thread of its own, changes the desk, and answers on the same connection.

    Parameters
    ----------
    desk : Desk
    address : str
        IP address to listen at.
    port : int
        0 takes any free one; afterwards ``port`` says which.
    framing : {"auto", "length", "slip"}
        How packets lie in the stream: OSC 1.0, OSC 1.1, or whichever a connection begins with.
    allow : sequence of str
        See `OscServer`.
    """

    def __init__(
        self,
        desk: Desk,
        address: str = "127.0.0.1",
        port: int = 0,
        *,
        framing: Framing = "auto",
        allow: Sequence[str] = (),
    ) -> None:
        self.address, self.port, self._framing = address, port, framing
        self._allow = AllowList(allow)
        self._responder = Responder(desk)
        self._selector = selectors.DefaultSelector()
        self._connections: dict[Peer, _Connection] = {}
        self._listener: socket.socket | None = None
        self._thread: Thread | None = None
        self._stop = Event()
        self._log = SparingLog(log)

    @property
    def counters(self) -> Counters:
        """What was received, refused, failed, and not sent."""
        return self._responder.counters

    def start(self) -> "TcpServer":
        """Open the socket, start the thread, and return at once."""
        self._listener = listening(self.address, self.port)
        self.port = self._listener.getsockname()[1]
        self.tell_ports((0, self.port, 0))
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = Thread(target=self._run, args=(self._listener,), name="audiobend-osc-tcp", daemon=True)
        self._thread.start()
        return self

    def tell_ports(self, ports: tuple[int, int, int]) -> None:
        """Have ``/audiobend/hello`` answered with the ports of UDP, TCP and OSCQuery."""
        self._responder.ports = ports

    def close(self) -> None:
        """Stop the thread, close every connection and give the port back; may be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)
        for one in list(self._connections.values()):
            self._drop(one)
        if self._listener is not None:
            self._listener.close()
        self._selector.close()

    def __enter__(self) -> "TcpServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, listener: socket.socket) -> None:
        """Serve until closed; nothing that happens on one connection, or in one turn, ends this."""
        while not self._stop.is_set():
            try:
                ready = self._selector.select(FEEDBACK_SECONDS if self._responder.is_waiting else IDLE_SECONDS)
                for key, events in ready:
                    if key.fileobj is listener:
                        self._accept(listener)
                    else:
                        self._serve(key.data, events)
                self._responder.turn(time.monotonic())
                for packet, peer in self._responder.take():
                    self._put(packet, peer)
            except Exception:
                self._log.error("a connection could not be served; OSC goes on")

    def _accept(self, listener: socket.socket) -> None:
        sock, address = listener.accept()
        peer = (str(address[0]), int(address[1]))
        now = time.monotonic()
        if not self._allow.has(peer[0]) or not self._has_room(now):
            sock.close()
            return
        sock.setblocking(False)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one = self._connections[peer] = _Connection(sock, peer, Frames(self._framing), now)
        self._selector.register(sock, selectors.EVENT_READ, one)

    def _has_room(self, now: float) -> bool:
        if len(self._connections) < MAX_CONNECTIONS:
            return True
        silent = min(self._connections.values(), key=lambda one: one.heard)
        if now - silent.heard < SILENT_SECONDS:
            self._log.warn("there are %d connections, the most there can be", MAX_CONNECTIONS)
            return False
        self._drop(silent)
        return True

    def _serve(self, one: _Connection, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(one)
        if not events & selectors.EVENT_READ or one.peer not in self._connections:
            return
        try:
            data = one.sock.recv(READ)
            packets = one.frames.feed(data)
        except BlockingIOError:
            return
        except OSError:
            data, packets = b"", []
        one.heard = time.monotonic()
        for packet in packets:
            try:
                self._responder.receive(packet, one.peer, one.heard, time.time())
            except Exception:
                self._log.error("a packet could not be carried out; OSC goes on")
        if one.frames.problem:    # there is no finding the next packet
            self.counters.rejected += 1
            self._log.warn("%s:%d is disconnected: %s", *one.peer, one.frames.problem)
        if not data or one.frames.problem:
            self._drop(one)

    def _put(self, packet: bytes, peer: Peer) -> None:
        """Send what a connection takes at once, keep the rest; whole packets are lost where too much is kept."""
        one = self._connections.get(peer)
        if one is None or len(one.unsent) + len(packet) > MAX_UNSENT:
            self.counters.unsent += 1
            return
        one.unsent += one.frames.framed(packet)
        self._flush(one)

    def _flush(self, one: _Connection) -> None:
        try:
            sent = one.sock.send(one.unsent)
            del one.unsent[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(one)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if one.unsent else 0)
        self._selector.modify(one.sock, wanted, one)

    def _drop(self, one: _Connection) -> None:
        self._connections.pop(one.peer, None)
        self._responder.news.subscribers.remove(one.peer)
        with suppress(KeyError, ValueError):
            self._selector.unregister(one.sock)
        one.sock.close()
