"""WebSockets of OSCQuery: who listens to which addresses, and what they send."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from audiobend.control import Context, State
from audiobend.errors import AudiobendError
from audiobend.osc.addresses import Table
from audiobend.osc.desk import Desk
from audiobend.osc.encode import ROOT, encode
from audiobend.osc.query import Values
from audiobend.osc.responder import Responder
from audiobend.osc.subscribers import Peer

MAX_PATHS = 512
MAX_WAITING = 1024
"""Messages that wait for a listener that is slow; then some are lost."""


@dataclass(eq=False)
class Listener:
    """One WebSocket: the addresses it listens to, each with the value it was told last."""

    socket: web.WebSocketResponse
    peer: Peer
    told: dict[str, list[Any] | None] = field(default_factory=dict)
    waiting: asyncio.Queue[bytes | str] = field(default_factory=lambda: asyncio.Queue(MAX_WAITING))

    def put(self, message: bytes | str) -> None:
        """Have a message sent when the other side takes it."""
        with suppress(asyncio.QueueFull):
            self.waiting.put_nowait(message)

    async def write(self) -> None:
        """Send what waits, until cancelled."""
        while True:
            message = await self.waiting.get()
            await (self.socket.send_str(message) if isinstance(message, str) else self.socket.send_bytes(message))


class Listeners:
    """All WebSockets, and a responder for the OSC that comes over them.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._responder = Responder(desk)
        self._table = Table(desk.context)
        self._open: dict[Peer, Listener] = {}
        self._seen: tuple[int, Context, tuple[str, ...]] = self._now(desk.state)

    def tell_ports(self, ports: tuple[int, int, int]) -> None:
        """Have ``/audiobend/hello`` answered with the ports of UDP, TCP and OSCQuery."""
        self._responder.ports = ports

    @property
    def received(self) -> int:
        """How many packets have come in."""
        return self._responder.counters.received

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def added(self, socket: web.WebSocketResponse, peer: Peer) -> Iterator[Listener]:
        """Keep a WebSocket as long as it is open."""
        listener = self._open[peer] = Listener(socket, peer)
        writer = asyncio.ensure_future(listener.write())
        try:
            yield listener
        finally:
            writer.cancel()
            self._responder.news.subscribers.remove(peer)
            del self._open[peer]

    async def close(self) -> None:
        """Say good-bye to all."""
        for one in list(self._open.values()):
            with suppress(Exception):
                await one.socket.close(code=1001)

    def command(self, listener: Listener, text: str) -> None:
        """Carry out what came as text: ``{"COMMAND": "LISTEN" | "IGNORE", "DATA": address}``; anything else is none."""
        try:
            asked = json.loads(text)
            path = str(asked["DATA"])
            match asked["COMMAND"]:
                case "LISTEN" if len(listener.told) < MAX_PATHS:
                    self._table.lookup(path, self._desk.state.patch)
                    listener.told[path] = self._value(path, self._desk.state)
                case "IGNORE":
                    listener.told.pop(path, None)
        except (ValueError, TypeError, KeyError, RecursionError, AudiobendError):
            return

    def receive(self, listener: Listener, packet: bytes, now: float, wall: float) -> None:
        """Take OSC, as over UDP; it is carried out at the next turn at the latest."""
        self._responder.receive(packet, listener.peer, now, wall)
        self.turn(now)

    def turn(self, now: float) -> None:
        """Carry out what came, answer it, and tell listeners what has changed."""
        if not self._open:
            return
        self._responder.turn(now)
        for packet, peer in self._responder.take():
            if peer in self._open:
                self._open[peer].put(packet)
        state = self._desk.state
        seen = self._now(state)
        if seen == self._seen:
            return
        self._changed_paths(seen)
        self._seen = seen
        known: dict[str, list[Any] | None] = {}
        for listener in self._open.values():
            self._tell(listener, state, known)

    def _now(self, state: State) -> tuple[int, Context, tuple[str, ...]]:
        return state.revision, self._desk.context, tuple(bend.id for bend in state.patch.bends)

    def _changed_paths(self, seen: tuple[int, Context, tuple[str, ...]]) -> None:
        """Tell that there are other addresses than before."""
        if seen[1] is not self._seen[1]:
            self._table = Table(seen[1])
            changed = ROOT
        elif seen[2] != self._seen[2]:
            changed = f"{ROOT}/bend"
        else:
            return
        for listener in self._open.values():
            listener.put(json.dumps({"COMMAND": "PATH_CHANGED", "DATA": changed}))

    def _tell(self, listener: Listener, state: State, known: dict[str, list[Any] | None]) -> None:
        for path, before in listener.told.items():
            if path not in known:
                known[path] = self._value(path, state)
            now = known[path]
            if now is not None and now != before:
                listener.put(encode(path, now))
                listener.told[path] = now

    def _value(self, path: str, state: State) -> list[Any] | None:
        try:
            return Values(state).of(self._table.lookup(path, state.patch))
        except AudiobendError:
            return None
