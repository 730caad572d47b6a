"""OSC over TCP: the same messages and answers as over UDP, on connections that are told apart.

One thread waits for all connections at once and never for one of them: a reader that is slow has answers kept for it up
to a bound, then loses some; a writer that stops in the middle of a packet costs a buffer of one packet.
"""

import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from audiobend.osc.desk import Desk
from audiobend.osc.framing import Frames, Framing
from audiobend.osc.news import FEEDBACK_SECONDS
from audiobend.osc.serving import Serving
from audiobend.osc.sockets import IDLE_SECONDS, listening
from audiobend.osc.subscribers import Peer

MAX_CONNECTIONS = 32
MAX_UNSENT = 1 << 18
"""Bytes of answers that are kept for a reader that is slow."""
READ = 16384
SILENT_SECONDS = 600.0
"""Silence after which a connection makes room for a new one."""


@dataclass
class _Connection:
    sock: socket.socket
    peer: Peer
    frames: Frames
    heard: float
    unsent: bytearray = field(default_factory=bytearray)


class TcpServer(Serving):
    """Receives OSC over TCP on a thread of its own, changes the desk, and answers on the same connection.

    Parameters
    ----------
    desk, address, port, allow
        See `Serving`.
    framing : {"auto", "length", "slip"}
        How packets lie in the stream: OSC 1.0, OSC 1.1, or whichever a connection begins with.
    """

    _NAME = "audiobend-osc-tcp"

    def __init__(
        self,
        desk: Desk,
        address: str = "127.0.0.1",
        port: int = 0,
        *,
        framing: Framing = "auto",
        allow: Sequence[str] = (),
    ) -> None:
        super().__init__(desk, address, port, allow)
        self._framing = framing
        self._selector = selectors.DefaultSelector()
        self._connections: dict[Peer, _Connection] = {}

    @property
    def ports(self) -> tuple[int, int, int]:
        """Of TCP alone."""
        return 0, self.port, 0

    def close(self) -> None:
        """Stop the thread, close every connection and give the port back; may be called twice."""
        super().close()
        for one in list(self._connections.values()):
            self._drop(one)
        self._selector.close()

    def _open(self) -> socket.socket:
        listener = listening(self.address, self.port)
        self._selector.register(listener, selectors.EVENT_READ)
        return listener

    def _run(self, listener: socket.socket) -> None:
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
