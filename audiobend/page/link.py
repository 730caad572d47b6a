"""Joins the page's process to a performance: requests come in by a pipe, news and figures go out, on one thread."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread
from time import monotonic
from typing import Any

from audiobend.errors import AudiobendError
from audiobend.live.children import Child
from audiobend.osc.parse import Message
from audiobend.osc.subscribers import Peer
from audiobend.page.clerk import Clerk

NEWS_SECONDS = 1 / 30
STATUS_SECONDS = 0.25
IDLE_SECONDS = 0.25
HEARD = 32
"""Messages that are kept for a page that learns; more at once are of no use to it."""


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
    moving : callable
        Returns the addresses and values of what moves by itself; `AttributeError` as the others.
    services : object
        What a page may ask for besides commands: its public methods, by name. They run on threads of their own.
    """

    def __init__(
        self,
        child: Child,
        clerk: Clerk,
        facts: Callable[[], dict[str, Any]],
        status: Callable[[], dict[str, Any]],
        services: object,
        moving: Callable[[], list[tuple[str, float]]] = list,
    ) -> None:
        self._child, self._clerk, self._services = child, clerk, services
        self._facts, self._status, self._moving = facts, status, moving
        self._has_moved = False
        self._stop = Event()
        self._pages = 0
        self._heard: deque[list[Any]] = deque(maxlen=HEARD)
        self._news_at = self._status_at = float("-inf")
        self._thread = Thread(target=self._run, daemon=True, name="page-link")
        self._thread.start()

    def close(self) -> None:
        """Stop; what has come is left alone."""
        self._stop.set()
        self._thread.join(5)
        self._clerk.desk.ear = None

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
            case ("learn", wants):
                self._clerk.desk.ear = self._note if wants else None
            case ("ask", number, name, args):
                Thread(target=self._answer, args=(number, name, args), daemon=True, name="page-service").start()

    def about(self) -> dict[str, Any]:
        """Return the model, and what is known of the sound."""
        with suppress(AttributeError):
            return {"model": self._clerk.model(), **self._facts()}
        return {"model": self._clerk.model()}

    def _answer(self, number: int, name: str, args: tuple[Any, ...]) -> None:
        try:
            self._child.send(("answer", number, True, getattr(self._services, name)(*args)))
        except AudiobendError as error:
            self._child.send(("answer", number, False, str(error)))
        except Exception as error:    # the page shows it; the performance goes on
            self._child.send(("answer", number, False, f"{type(error).__name__}: {error}"))

    def tell(self, key: str, value: Any) -> None:
        """Tell all pages something, from any thread."""
        self._child.send(("tell", key, value))

    def _tell(self) -> None:
        now = monotonic()
        if not self._pages or now - self._news_at < NEWS_SECONDS:
            return
        self._news_at = now
        self._tell_news()
        self._tell_moving()
        while self._heard:
            self._child.send(("heard", self._heard.popleft()))
        if now - self._status_at >= STATUS_SECONDS:
            self._status_at = now
            with suppress(AttributeError):
                self._child.send(("status", self._status()))

    def _tell_moving(self) -> None:
        with suppress(AttributeError):
            moved = self._moving()
            if moved or self._has_moved:
                self._child.send(("moving", [address for address, _ in moved], [value for _, value in moved]))
            self._has_moved = bool(moved)

    def _note(self, messages: Sequence[Message], sender: Peer) -> None:
        """Keep what OSC brought, for pages that learn an address."""
        self._heard.extend([one.address, *one.args, sender[0]] for one in messages)

    def _tell_news(self) -> None:
        news = self._clerk.news()
        if news is not None:
            self._child.send(("news", news))
