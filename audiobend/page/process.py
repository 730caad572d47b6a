"""The page's process: it serves pages, and lets the performance be heard from it by a pipe alone."""

import asyncio
import os
import socket
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from audiobend.live.children import begin

NICE = 5
"""How far this process stands behind others."""


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
    from audiobend.page.serving import serve  # what it is made of is loaded in this process alone

    asyncio.run(serve(pipe, sock, setup.memory, Path(setup.folder), setup.token))
    os._exit(0)
