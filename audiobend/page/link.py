"""Joins the page's process to a performance: requests come in by a pipe, news and figures go out, on one thread."""

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from audiobend.live.children import Child
from audiobend.page.clerk import Clerk

NEWS_SECONDS = 1 / 30
STATUS_SECONDS = 0.25
IDLE_SECONDS = 0.25

Services = dict[str, Callable[..., Any]]
"""What a page may ask for besides commands, by name; called with what the page's process gives."""


class Link:
    """Serves one child until `close`; what it asks for is carried out in the order in which it came.

    Parameters
    ----------
    child : Child
        The page's process.
    clerk : Clerk
    facts, status : callables
        Return what ``/api/about`` tells beside the model, and figures about the running sound; `AttributeError` where
        the sound is only starting.
    services : Services
        Each is called on the link's thread, so it must return soon.
    """

    def __init__(
        self,
        child: Child,
        clerk: Clerk,
        facts: Callable[[], dict[str, Any]],
        status: Callable[[], dict[str, Any]],
        services: Services,
    ) -> None:
        self._child, self._clerk, self._services = child, clerk, services
        self._facts, self._status = facts, status
        self._stop = threading.Event()
        self._pages = 0
        self._news_at = self._status_at = float("-inf")
        self._thread = threading.Thread(target=self._run, daemon=True, name="page-link")
        self._thread.start()

    def close(self) -> None:
        """Stop; what has come is left alone."""
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.is_set() and self._child.is_alive:
            for message in self._child.receive(NEWS_SECONDS if self._pages else IDLE_SECONDS):
                self._hear(message)
                self._tell()
            self._tell()

    def _hear(self, message: tuple[Any, ...]) -> None:
        match message:
            case ("do", page, number, messages):
                self._child.send(("did", page, number, self._clerk.do(page, messages)))
            case ("snapshot", page):
                self._tell_news()    # what comes later is newer than the snapshot
                self._child.send(("snapshot", page, self.about(), self._clerk.snapshot()))
            case ("pages", count):
                self._pages = count
            case ("ask", number, name, args):
                self._child.send(("answer", number, *self._ask(name, args)))

    def about(self) -> dict[str, Any]:
        """Return the model, and what is known of the sound."""
        with suppress(AttributeError):
            return {"model": self._clerk.model(), **self._facts()}
        return {"model": self._clerk.model()}

    def _ask(self, name: str, args: tuple[Any, ...]) -> tuple[bool, Any]:
        try:
            return True, self._services[name](*args)
        except Exception as error:    # the page shows it; the performance goes on
            return False, str(error)

    def _tell(self) -> None:
        now = monotonic()
        if not self._pages or now - self._news_at < NEWS_SECONDS:
            return
        self._news_at = now
        self._tell_news()
        if now - self._status_at >= STATUS_SECONDS:
            self._status_at = now
            with suppress(AttributeError):
                self._child.send(("status", self._status()))

    def _tell_news(self) -> None:
        news = self._clerk.news()
        if news is not None:
            self._child.send(("news", news))
