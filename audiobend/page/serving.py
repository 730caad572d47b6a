"""Serves pages until the performance goes: the one place where everything of the page's process meets."""

import asyncio
import socket
from multiprocessing.connection import Connection
from pathlib import Path

from audiobend.live.rings import Shared
from audiobend.page.audio_door import AudioDoor
from audiobend.page.file_door import FileDoor
from audiobend.page.guard import Guard
from audiobend.page.hub import Hub
from audiobend.page.picture_door import PictureDoor
from audiobend.page.projector import Projector
from audiobend.page.server import Door, PageServer


async def serve(pipe: Connection, sock: socket.socket, memory: str, folder: Path, token: str) -> None:
    """Serve at a socket; see `audiobend.page.process.PageSetup`."""
    stopped = asyncio.Event()
    hub = Hub(pipe, stopped.set)
    shared = Shared(memory)
    doors: list[Door] = [AudioDoor(hub, shared), FileDoor(hub, folder), PictureDoor(hub)]
    server = PageServer(hub, Guard(token), doors)
    sock.setblocking(False)
    showing = asyncio.ensure_future(Projector(hub, shared).run())
    try:
        await server.serve(sock, server.application(), stopped)
    finally:
        showing.cancel()
