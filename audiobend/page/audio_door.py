"""``/audio``: the WebSocket over which a browser is the sound card."""

import asyncio
import os
from contextlib import suppress
from time import monotonic

from aiohttp import WSMsgType, web

from audiobend.errors import ControlError
from audiobend.live.rings import Count, Gauge, Shared
from audiobend.page.browser_audio import HEAD, MOST_FRAMES, BrowserAudio
from audiobend.page.hub import Hub
from audiobend.page.process import NICE
from audiobend.page.wire import text_of

SILENT_SECONDS = 1.0
"""Without a block for so long, the clock goes on in the browser's place until one comes."""
PLAYING = -10
"""How far this process stands before others while a browser plays, and it is sound's own."""
SETTLING = 0.05
"""Seconds until the clock has noticed that a browser turns the rings."""


def _prefer(niceness: int) -> None:
    """Have this process run before others, or behind, where that is permitted."""
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, niceness)


class AudioDoor:
    """Lets one browser at a time be the sound card of a performance that has none.

    Parameters
    ----------
    hub : Hub
    shared : Shared
    """

    def __init__(self, hub: Hub, shared: Shared) -> None:
        self._hub, self._shared = hub, shared
        self._is_taken = False
        shared[Count.TURNS] = 0

    def add_to(self, app: web.Application) -> None:
        """See `audiobend.page.server.Door`."""
        app.router.add_get("/audio", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        about, _ = await self._hub.snapshot()
        if wrong := self._why_not(request, about.get("browser_audio", False)):
            return web.Response(status=409, text=wrong)
        channels = 2 if request.query.get("channels") == "2" else 1
        self._is_taken = True
        _prefer(PLAYING)
        socket = web.WebSocketResponse(max_msg_size=HEAD.size + 8 * MOST_FRAMES, heartbeat=20, compress=False)
        try:
            await socket.prepare(request)
            audio = BrowserAudio(self._shared, channels, int(about["channels"]))
            await socket.send_str(text_of(audio.greeting))
            watching = asyncio.ensure_future(self._watch(audio))
            try:
                await self._exchange(socket, audio)
            finally:
                watching.cancel()
        finally:
            self._shared[Count.TURNS] = 0
            self._is_taken = False
            _prefer(NICE)
        return socket

    def _why_not(self, request: web.Request, is_possible: bool) -> str:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return "sound is spoken over a WebSocket"
        if not is_possible:
            return "a sound card plays; start audiobend with --browser to play here"
        if self._is_taken:
            return "another browser plays already"
        rate = int(self._shared.gauges[Gauge.RATE])
        if request.query.get("rate", str(rate)) != str(rate):
            return f"the rate is {rate} Hz; open the sound of the browser with it"
        return ""

    async def _exchange(self, socket: web.WebSocketResponse, audio: BrowserAudio) -> None:
        async for message in socket:
            if message.type != WSMsgType.BINARY:
                continue
            if not self._shared[Count.TURNS]:
                self._shared[Count.TURNS] = 1
                await asyncio.sleep(SETTLING)
            try:
                await socket.send_bytes(await audio.exchange(message.data))
            except ControlError as error:
                await socket.send_str(text_of({"fail": str(error)}))

    async def _watch(self, audio: BrowserAudio) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(SILENT_SECONDS / 4)
                if monotonic() - audio.heard_at > SILENT_SECONDS:
                    self._shared[Count.TURNS] = 0
