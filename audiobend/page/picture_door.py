"""The pictures that are bent by the same gestures, passed on: the page needs no other address than its own."""

from contextlib import suppress

import aiohttp
from aiohttp import web

from audiobend.page.facts import PICTURE_PATH
from audiobend.page.hub import Hub

MOST_VIEWERS = 8
PATIENCE = 5.0
"""Seconds to reach the process that paints."""


class PictureDoor:
    """Passes the stream of pictures on, where `audiobend live --image` paints some.

    Parameters
    ----------
    hub : Hub
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._n_viewers = 0

    def add_to(self, app: web.Application) -> None:
        """See `audiobend.page.server.Door`."""
        app.router.add_get(PICTURE_PATH, self._stream)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        url = await self._hub.ask("picture")
        if not url:
            return web.Response(status=404, text="there are no pictures; start audiobend live with --image")
        if self._n_viewers >= MOST_VIEWERS:
            return web.Response(status=503, text=f"{MOST_VIEWERS} pages show pictures, the most there can be")
        self._n_viewers += 1
        try:
            return await self._pass_on(request, f"{url}stream.mjpg")
        except aiohttp.ClientError:
            return web.Response(status=502, text="the pictures cannot be reached")
        finally:
            self._n_viewers -= 1

    async def _pass_on(self, request: web.Request, url: str) -> web.StreamResponse:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE, sock_read=PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as given:
            if given.status != 200:
                return web.Response(status=given.status, text=await given.text())
            response = web.StreamResponse(headers={"Content-Type": given.headers["Content-Type"]})
            await response.prepare(request)
            with suppress(ConnectionError, aiohttp.ClientError, TimeoutError):
                async for chunk in given.content.iter_any():
                    await response.write(chunk)    # waits for a slow page: the stream leaves pictures out
            return response
