"""Opens the page of a performance: a socket, a process that serves it, and the link between; replaced if it dies."""

import socket
from collections.abc import Callable
from multiprocessing.connection import wait
from threading import Event, Thread
from types import TracebackType
from typing import Any

from audiobend.errors import ControlError
from audiobend.live.children import Child
from audiobend.live.performance import Performance
from audiobend.osc.sockets import listening
from audiobend.page.clerk import Clerk
from audiobend.page.figures import Figures
from audiobend.page.jobs import Jobs
from audiobend.page.link import Link
from audiobend.page.process import PageSetup, run_page
from audiobend.page.services import Services
from audiobend.page.tokens import is_loopback, new_token

DEFAULT_PORT = 9080
LOOK = 0.05
"""Seconds between two looks for the end, while nobody visits."""
REST = 1.0
"""Seconds between two starts of a process that ends at once."""


class Page:
    """The page of a performance, from `open` to `close`.

    Parameters
    ----------
    performance : Performance
    address : str
        IP address to listen at; visitors from other machines need the token in `url`.
    port : int
        0 takes any free one; afterwards ``port`` says which.
    tell : callable
        Takes sentences about what happened.
    is_patient : bool
        The process begins with the first visitor, not before.

    Raises
    ------
    ControlError
        From `open`, where the port is taken or the address is not this machine's.
    """

    def __init__(
        self, performance: Performance, address: str, port: int, tell: Callable[[str], None], is_patient: bool = False
    ) -> None:
        self.address, self.port = address, port
        self._is_patient = is_patient
        self._performance, self._tell = performance, tell
        self._token = "" if is_loopback(address) else new_token()
        self._stop = Event()
        self._socket: socket.socket | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """Where the page is, for a browser on this machine."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def url_elsewhere(self) -> str:
        """Where the page is for one browser on another machine; empty where none are let in."""
        if not self._token:
            return ""
        name = socket.gethostname() if self.address == "0.0.0.0" else self.address
        return f"http://{name}:{self.port}/?token={self._token}"

    def open(self) -> "Page":
        """Open the socket, start the process, and return at once."""
        self._socket = listening(self.address, self.port, "page")
        self.port = self._socket.getsockname()[1]
        self._thread = Thread(target=self._run, args=(self._socket,), daemon=True, name="page")
        self._thread.start()
        return self

    def close(self) -> None:
        """End the process and give the port back; may be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)
        if self._socket is not None:
            self._socket.close()

    def __enter__(self) -> "Page":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, sock: socket.socket) -> None:
        """Keep a process serving; the socket stays open, so that pages come back by themselves."""
        while self._is_patient and not wait([sock], LOOK) and not self._stop.is_set():
            pass
        performance = self._performance
        figures = Figures(performance)
        links: list[Link] = []

        def tell_job(facts: dict[str, Any]) -> None:
            if links:
                links[-1].tell("job", facts)

        jobs = Jobs(tell_job)
        services = Services(performance, jobs)
        while not self._stop.is_set():
            child = Child(run_page, sock, PageSetup(performance.memory, str(jobs.folder), self._token))
            clerk = Clerk(performance.desk, performance.osc.ports)
            link = Link(child, clerk, figures.about, figures.status, services, figures.moving)
            links.append(link)
            while child.is_alive and not self._stop.wait(0.1):
                pass
            link.close()
            child.end(0.0)
            if not self._stop.wait(REST):
                self._tell("the page's process has ended; there is a new one")
        jobs.close()


def opened(performance: Performance, address: str, port: int | None, tell: Callable[[str], None]) -> Page:
    """Return the page of a performance, open: at a port, or at the usual one, or at any where that is taken."""
    if port is not None:
        return Page(performance, address, port, tell).open()
    try:
        return Page(performance, address, DEFAULT_PORT, tell).open()
    except ControlError:
        return Page(performance, address, 0, tell).open()


def browse(url: str) -> bool:
    """Open a page in the user's browser; return whether there is one."""
    import webbrowser

    return webbrowser.open(url)
