"""Messages over the socket: a line of words, the last of them the length of what follows. Everything has its bound."""

import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from audiobend.errors import ControlError

PROTOCOL = 1
MAX_LINE, MAX_BODY = 256, 2**20
PATIENCE = 5.0
"""Seconds from the first byte of a message to its last, and for the first message to come."""
SENDING = 2
"""Seconds for a message to be taken by one who does not read."""


@dataclass(frozen=True)
class Message:
    """A message.

    >>> Message("hello", ("1", "44100", "512"), "x: 1").packed()
    b'hello 1 44100 512 4\\nx: 1'
    """

    verb: str
    words: tuple[str, ...] = ()
    body: str = ""

    def packed(self) -> bytes:
        """Return its bytes."""
        body = self.body.encode()
        return " ".join((self.verb, *self.words, str(len(body)))).encode("ascii") + b"\n" + body


class Line:
    """A connection, seen as messages."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pending = b""
        self._sending = threading.Lock()
        self._ready = select.poll()
        self._ready.register(connection, select.POLLIN)
        # Not the socket's timeout, which would count for both ways.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SENDING, 0))

    def first(self) -> Message | None:
        """Return the first message; None where the other side has gone. `ControlError` for rubbish, or nothing."""
        return self._next(monotonic() + PATIENCE)

    def others(self) -> Iterator[Message]:
        """Yield what comes, until the other side has gone; `ControlError` for rubbish, or half a message."""
        while (message := self._next(None)) is not None:
            yield message

    def send(self, message: Message) -> None:
        """Send a message, from any thread; one who does not take it is cut off, one who has gone is not missed."""
        with self._sending:
            try:
                self._connection.sendall(message.packed())
            except OSError:
                self.cut()

    @property
    def is_over(self) -> bool:
        """Whether the other side has hung up, or was cut off, though what it said before may still wait to be read."""
        ended = select.poll()
        try:
            ended.register(self._connection, 0)
        except ValueError:    # it is closed
            return True
        return bool(ended.poll(0))

    def cut(self) -> None:
        """End it, from any thread: whoever waits for a message gets none."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _next(self, until: float | None) -> Message | None:
        while b"\n" not in self._pending[:MAX_LINE]:
            if len(self._pending) >= MAX_LINE:
                raise ControlError(f"the line of a message may have {MAX_LINE} bytes")
            if self._pending and until is None:
                until = monotonic() + PATIENCE
            if not self._more(until):
                return None
        line, _, self._pending = self._pending.partition(b"\n")
        verb, words, n = _read(line)
        until = until or monotonic() + PATIENCE
        while len(self._pending) < n:
            if not self._more(until):
                return None
        body, self._pending = self._pending[:n], self._pending[n:]
        try:
            return Message(verb, words, body.decode())
        except UnicodeDecodeError:
            raise ControlError(f"the body of '{verb}' is no text in UTF-8") from None

    def _more(self, until: float | None) -> bool:
        """Wait for bytes; False where there will be none."""
        left = None if until is None else max(0.0, 1000 * (until - monotonic()))
        try:
            if not self._ready.poll(left):
                raise ControlError(f"a message was not whole within {PATIENCE:g} seconds")
            data = self._connection.recv(2**16)
        except OSError:
            return False
        self._pending += data
        return bool(data)


def _read(line: bytes) -> tuple[str, tuple[str, ...], int]:
    """Return verb, words and length of the body."""
    words = line.split(b" ")
    if not line.isascii() or not all(words) or not words[-1].isdigit() or len(words) < 2:
        raise ControlError("a message must begin with a line of words, the last of them the length of its body")
    n = int(words[-1])
    if n > MAX_BODY:
        raise ControlError(f"the body of a message may have {MAX_BODY} bytes, got {n}")
    verb, *others = (word.decode("ascii") for word in words[:-1])
    return verb, tuple(others), n
