"""The page's process: it serves pages, and lets the performance be heard from it by a pipe alone."""

import asyncio
import os
import socket
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from audiobend.live.children import begin
from audiobend.live.rings import Shared
from audiobend.page.audio_door import NICE, AudioDoor
from audiobend.page.file_door import FileDoor
from audiobend.page.guard import Guard
from audiobend.page.hub import Hub
from audiobend.page.picture_door import PictureDoor
from audiobend.page.projector import Projector
from audiobend.page.server import Door, PageServer


@dataclass(frozen=True)
class PageSetup:
    """What the page's process begins with.

    Attributes
    ----------
    memory : str
        Name of the performance's shared memory.
    folder : str
        For sounds that are dropped.
    token : str
        The first visitor from another machine needs it.
    """

    memory: str
    folder: str
    token: str = ""


def run_page(pipe: Connection, sock: socket.socket, setup: PageSetup) -> None:
    """Be the page's process."""
    begin()
    if hasattr(os, "nice"):
        os.nice(NICE)
    asyncio.run(_serve(pipe, sock, setup))
    os._exit(0)


async def _serve(pipe: Connection, sock: socket.socket, setup: PageSetup) -> None:
    stopped = asyncio.Event()
    hub = Hub(pipe, stopped.set)
    shared = Shared(setup.memory)
    doors: list[Door] = [AudioDoor(hub, shared), FileDoor(hub, Path(setup.folder)), PictureDoor(hub)]
    server = PageServer(hub, Guard(setup.token), doors)
    sock.setblocking(False)
    showing = asyncio.ensure_future(Projector(hub, shared).run())
    try:
        await server.serve(sock, server.application(), stopped)
    finally:
        showing.cancel()
