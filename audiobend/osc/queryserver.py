"""OSCQuery: the table of addresses over HTTP, and changes of chosen addresses, and OSC itself, over WebSocket."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from threading import Event, Thread
from types import TracebackType
from typing import Any

from aiohttp import WSMsgType, web

from audiobend.control import State
from audiobend.errors import AudiobendError
from audiobend.osc.addresses import Table
from audiobend.osc.desk import Desk
from audiobend.osc.gate import Gate, is_own_name, is_same_origin
from audiobend.osc.listeners import Listener, Listeners
from audiobend.osc.news import FEEDBACK_SECONDS
from audiobend.osc.parse import MAX_DATAGRAM
from audiobend.osc.query import ATTRIBUTES, attributes, host_info, pieces
from audiobend.osc.sockets import AllowList, SparingLog, listening

MAX_CONNECTIONS = 64
MAX_WEBSOCKETS = 16
_PIECES = 64
"""Nodes that are written before others have their turn."""

log = logging.getLogger("audiobend.osc")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class QueryServer:
    """Answers OSCQuery on a thread of its own.

    Parameters
    ----------
    desk : Desk
    osc_port : int
        Where OSC listens over UDP, for ``?HOST_INFO``.
    address : str
        IP address to listen at.
    port : int
        0 takes any free one; afterwards ``port`` says which.
    allow : sequence of str
        See `OscServer`.

    Notes
    -----
    A request must name this machine in its ``Host`` and a WebSocket the same in its ``Origin``, so that a page in a
    browser cannot reach it through a name of its own.
    """

    def __init__(
        self, desk: Desk, osc_port: int, address: str = "127.0.0.1", port: int = 0, *, allow: Sequence[str] = ()
    ) -> None:
        self.desk, self.address, self.port = desk, address, port
        self._osc_port = osc_port
        self._allow = AllowList(allow)
        self._table = Table(desk.context)
        self._listeners = Listeners(desk)
        self._thread: Thread | None = None
        self._ready, self._stop = Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._log = SparingLog(log)

    def start(self) -> "QueryServer":
        """Open the socket, start the thread, and return when it serves; `ControlError` where the port is taken."""
        sock = listening(self.address, self.port)
        self.port = sock.getsockname()[1]
        self._thread = Thread(target=lambda: asyncio.run(self._serve(sock)), name="audiobend-oscquery", daemon=True)
        self._thread.start()
        self._ready.wait(10)
        return self

    def tell_ports(self, ports: tuple[int, int, int]) -> None:
        """Have ``/audiobend/hello`` answered with the ports of UDP, TCP and OSCQuery."""
        self._listeners.tell_ports(ports)

    @property
    def received(self) -> int:
        """How many packets have come in over WebSockets."""
        return self._listeners.received

    def close(self) -> None:
        """Stop serving and give the port back; may be called twice."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(10)

    def __enter__(self) -> "QueryServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _serve(self, sock: Any) -> None:
        self._loop = asyncio.get_running_loop()
        app = web.Application(middlewares=[self._checked])
        app.router.add_get("/{path:.*}", self._get)
        runner = web.AppRunner(app, keepalive_timeout=15, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        assert runner.server is not None
        self._gate = Gate(runner.server, MAX_CONNECTIONS)
        server = await self._loop.create_server(self._gate, sock=sock)
        self._ready.set()
        try:
            while not self._stop.is_set():
                await self._turn()
        finally:
            server.close()
            await self._listeners.close()
            await runner.cleanup()

    async def _turn(self) -> None:
        """Tell listeners what has changed, as often as is good for them."""
        try:
            self._listeners.turn(time.monotonic())
            await asyncio.wait_for(self._stop.wait(), FEEDBACK_SECONDS)
        except TimeoutError:
            return
        except Exception:
            self._log.error("listeners could not be told; OSCQuery goes on")
            await asyncio.sleep(FEEDBACK_SECONDS)

    @web.middleware
    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._allow.has(request.remote or "") or not is_own_name(request.headers.get("Host", "")):
            return web.Response(status=403, text="not from there")
        return await handler(request)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._talk(request)
        path, state = f"/{request.match_info['path']}", self.desk.state
        if "HOST_INFO" in request.query:
            return web.json_response(host_info(self._osc_port, self.port, self.address))
        try:
            if request.query:
                return self._one(request, path, state)
            return await self._all(request, path, state)
        except AudiobendError as error:
            return web.Response(status=404, text=str(error))

    def _one(self, request: web.Request, path: str, state: State) -> web.Response:
        """Answer a question for one attribute."""
        name = next(iter(request.query))
        if name not in ATTRIBUTES or name == "CONTENTS":
            known = ", ".join(ATTRIBUTES)
            return web.Response(status=400, text=f"there is no attribute {name[:40]}; there are {known}")
        found = attributes(self._known(), state, path)
        return web.json_response({name: found[name]}) if name in found else web.Response(status=204)

    async def _all(self, request: web.Request, path: str, state: State) -> web.StreamResponse:
        """Answer with a node and all below; others are answered meanwhile."""
        written = pieces(self._known(), state, path)
        first = next(written)    # an address that is not there is known before the answer begins
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache"})
        await response.prepare(request)
        part = [first]
        for piece in written:
            part.append(piece)
            if len(part) >= _PIECES:
                await response.write("".join(part).encode())
                await asyncio.sleep(0)
                part.clear()
        await response.write("".join(part).encode())
        await response.write_eof()
        return response

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        """Serve a WebSocket: commands as text, OSC as bytes, both ways."""
        if not is_same_origin(request.headers.get("Origin", ""), request.headers.get("Host", "")):
            return web.Response(status=403, text="not from there")
        if len(self._listeners) >= MAX_WEBSOCKETS:
            return web.Response(status=503, text=f"there are {MAX_WEBSOCKETS} listeners, the most there can be")
        socket = web.WebSocketResponse(max_msg_size=MAX_DATAGRAM, heartbeat=30)
        await socket.prepare(request)
        self._gate.keep(request.protocol)
        with self._listeners.added(socket, _peer_of(request)) as listener:
            async for message in socket:
                self._hear(listener, message.type, message.data)
        return socket

    def _hear(self, listener: Listener, kind: WSMsgType, data: Any) -> None:
        try:
            if kind == WSMsgType.TEXT:
                self._listeners.command(listener, data)
            elif kind == WSMsgType.BINARY:
                self._listeners.receive(listener, data, time.monotonic(), time.time())
        except Exception:
            self._log.error("a message could not be carried out; OSCQuery goes on")

    def _known(self) -> Table:
        if self._table.context is not self.desk.context:
            self._table = Table(self.desk.context)
        return self._table


def _peer_of(request: web.Request) -> tuple[str, int]:
    assert request.transport is not None
    name = request.transport.get_extra_info("peername")
    return str(name[0]), int(name[1])
