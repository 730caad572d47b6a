"""The local page on which pictures are seen, and the stream that any other page or program can show."""

import asyncio
import io
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiohttp import web
from PIL import Image

from audiobend.osc.gate import Gate, is_own_name, is_same_origin
from audiobend.osc.sockets import AllowList, listening
from audiobend.picture_files import Pixels
from audiobend.picture_live.messages import Where

MAX_CONNECTIONS = 32
MAX_VIEWERS = 16
QUALITY = 92
AGAIN = 1.0
"""Seconds after which the same picture is sent once more: browsers show a part only when the next one begins."""
BOUNDARY = "picture"

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>audiobend: picture</title>
<link rel="stylesheet" href="/style.css"><img src="/stream.mjpg" alt="the bent picture">
"""
STYLE = """html, body { margin: 0; height: 100%; background: #14161a; }
body { display: flex; align-items: center; justify-content: center; }
img { width: min(100vw, 100vh); height: min(100vw, 100vh); object-fit: contain; }
"""
HEADERS = {
    "Content-Security-Policy": "default-src 'self'",
    "Cross-Origin-Resource-Policy": "same-site",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

log = logging.getLogger("audiobend.picture")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PicturePage:
    """Serves the newest picture on a thread of its own; who is slow leaves pictures out, and holds nobody up.

    ``/`` is a page, ``/stream.mjpg`` the stream (multipart/x-mixed-replace), ``/picture.jpg`` the newest picture,
    ``/status.json`` how many were shown, and to whom.

    Parameters
    ----------
    where : Where

    Notes
    -----
    A request must name this machine in its ``Host``, and come from no other site: not by its ``Origin``, and not by
    what browsers say in ``Sec-Fetch-Site``.
    """

    def __init__(self, where: Where) -> None:
        self._where, self.port = where, where.port
        self._allow = AllowList(where.allow)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._changed: asyncio.Condition = asyncio.Condition()
        self._newest = b""
        self._number = self.viewers = 0
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Address of the page; the stream is ``stream.mjpg`` below it."""
        host = "127.0.0.1" if self._where.address == "0.0.0.0" else self._where.address
        return f"http://{host}:{self.port}/"

    def show(self, pixels: Pixels) -> None:
        """Let a picture be seen, from any thread; the one before is forgotten."""
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
        self._newest, self._number = buffer.getvalue(), self._number + 1
        if self._loop is not None and not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._tell(), self._loop)

    def start(self) -> Self:
        """Open the socket, start the thread, and return when it serves; `ControlError` where the port is taken."""
        sock = listening(self._where.address, self._where.port, "pictures")
        self.port = sock.getsockname()[1]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(sock)), name="page", daemon=True)
        self._thread.start()
        self._ready.wait(10)
        return self

    def close(self) -> None:
        """Stop serving; may be called twice."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _serve(self, sock: Any) -> None:
        self._loop = asyncio.get_running_loop()
        app = web.Application(middlewares=[self._checked])
        app.router.add_get("/", _text(PAGE, "text/html"))
        app.router.add_get("/style.css", _text(STYLE, "text/css"))
        app.router.add_get("/stream.mjpg", self._stream)
        app.router.add_get("/picture.jpg", self._picture)
        app.router.add_get("/status.json", self._status)
        runner = web.AppRunner(app, keepalive_timeout=15, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        assert runner.server is not None
        server = await self._loop.create_server(Gate(runner.server, MAX_CONNECTIONS), sock=sock)
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            server.close()
            await self._tell()
            await runner.cleanup()

    @web.middleware
    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = request.headers
        host = headers.get("Host", "")
        own = is_own_name(host) and is_same_origin(headers.get("Origin", ""), host)
        if not own or headers.get("Sec-Fetch-Site") == "cross-site" or not self._allow.has(request.remote or ""):
            return web.Response(status=403, text="not from there", headers=HEADERS)
        return await handler(request)

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        if not self._newest:
            return web.Response(status=503, text="the first picture is still being painted", headers=HEADERS)
        return web.Response(body=self._newest, content_type="image/jpeg", headers=HEADERS)

    async def _status(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"pictures": self._number, "viewers": self.viewers}, headers=HEADERS)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.viewers >= MAX_VIEWERS:
            return web.Response(status=503, text=f"there are {MAX_VIEWERS} viewers, the most there can be")
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": kind})
        await response.prepare(request)
        self.viewers += 1
        seen = 0
        try:
            while not self._stop.is_set():
                if self._newest:
                    seen = self._number
                    await response.write(_part(self._newest))    # waits for a slow viewer: others go on
                await self._another(seen)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.viewers -= 1
        return response

    async def _another(self, seen: int) -> None:
        """Wait for a newer picture, not for ever."""
        async with self._changed:
            try:
                await asyncio.wait_for(
                    self._changed.wait_for(lambda: self._number != seen or self._stop.is_set()), AGAIN
                )
            except TimeoutError:
                return


def _part(jpeg: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


def _text(text: str, kind: str) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type=kind, headers=HEADERS)

    return answer
