"""The page over HTTP and WebSocket."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from audiobend.errors import AudiobendError
from audiobend.osc.gate import Gate
from audiobend.page.guard import Guard, add_headers
from audiobend.page.hub import Hub
from audiobend.page.viewers import Viewer

STATIC = Path(__file__).with_name("static")
MAX_PAGES = 250
MAX_CONNECTIONS = MAX_PAGES + 32
"""Besides the pages' own: files, and a sentence for the page that is too many."""
MAX_MESSAGE = 1 << 18
"""Bytes that a page may send at once."""
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml",
         ".json": "application/json", ".woff2": "font/woff2"}


class Door(Protocol):
    """A part of the server with routes of its own."""

    def add_to(self, app: web.Application) -> None:
        """Add its routes."""
        ...


class PageServer:
    """Routes, and the pages that are open.

    Parameters
    ----------
    hub : Hub
    guard : Guard
    doors : sequence of Door
        Other parts that serve something.
    """

    def __init__(self, hub: Hub, guard: Guard, doors: Sequence[Door] = ()) -> None:
        self._hub, self._guard, self._doors = hub, guard, doors
        self._numbers = itertools.count(1)
        self._gate: Gate

    def application(self) -> web.Application:
        """Return what is to be served."""
        app = web.Application(middlewares=[self._guard.checked, _sentences])
        app.on_response_prepare.append(add_headers)
        app.router.add_get("/", self._index)
        app.router.add_get("/static/{path:.+}", self._static)
        app.router.add_get("/api/about", self._about)
        app.router.add_get("/api/state", self._state)
        app.router.add_get("/api/table", self._table)
        app.router.add_get("/api/patch", self._patch)
        app.router.add_get("/ws", self._talk)
        for door in self._doors:
            door.add_to(app)
        return app

    async def serve(self, sock: Any, app: web.Application, stopped: asyncio.Event) -> None:
        """Serve on a listening socket until stopped."""
        runner = web.AppRunner(app, keepalive_timeout=15, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        assert runner.server is not None
        self._gate = Gate(runner.server, MAX_CONNECTIONS)
        server = await asyncio.get_running_loop().create_server(self._gate, sock=sock)
        try:
            await stopped.wait()
        finally:
            server.close()
            for viewer in list(self._hub.viewers.values()):
                await viewer.end("the performance has ended")
            await runner.cleanup()

    # ---- files and facts

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return _file(STATIC / "index.html")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        path = (STATIC / request.match_info["path"]).resolve()
        if not path.is_relative_to(STATIC.resolve()):
            raise web.HTTPNotFound(text="there is no such file")
        return _file(path)

    async def _about(self, request: web.Request) -> web.Response:
        about, _ = await self._hub.snapshot()
        return web.json_response(about)

    async def _state(self, request: web.Request) -> web.Response:
        _, state = await self._hub.snapshot()
        return web.json_response(state)

    async def _table(self, request: web.Request) -> web.Response:
        return web.json_response(text=await self._hub.ask("table"))

    async def _patch(self, request: web.Request) -> web.Response:
        name, text = await self._hub.ask("patch")
        headers = {"Content-Disposition": f'attachment; filename="{name}.yaml"'}
        return web.Response(text=text, content_type="application/yaml", headers=headers)

    # ---- pages

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        if len(self._hub.viewers) >= MAX_PAGES:
            return web.Response(status=503, text=f"{MAX_PAGES} pages are open, the most there can be; close one")
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, heartbeat=20, compress=False)
        viewer = Viewer(next(self._numbers), socket)
        self._hub.add(viewer)    # before anything is awaited: it counts from now on
        writer = asyncio.ensure_future(viewer.write())
        try:
            await socket.prepare(request)
            self._gate.keep(request.protocol)
            self._hub.greet(viewer)
            async for message in socket:
                self._hear(viewer, message.type, message.data)
                if viewer.is_lost:
                    await viewer.end("too slow; come back")
        finally:
            self._hub.remove(viewer)
            writer.cancel()
        return socket

    def _hear(self, viewer: Viewer, kind: WSMsgType, data: Any) -> None:
        message: Any = None
        if kind == WSMsgType.TEXT:
            with suppress(ValueError, RecursionError):
                message = json.loads(data)
        self._hub.hear(viewer, message)


def _file(path: Path) -> web.StreamResponse:
    if not path.is_file() or path.suffix not in TYPES:
        raise web.HTTPNotFound(text="there is no such file")
    return web.FileResponse(path, headers={"Content-Type": f"{TYPES[path.suffix]}; charset=utf-8"})


@web.middleware
async def _sentences(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer what cannot be done with a sentence."""
    try:
        response: web.StreamResponse = await handler(request)
        return response
    except AudiobendError as error:
        return web.Response(status=409, text=str(error))
