"""The page's process as the performance sees it: passes on requests, keeps answers apart, tells all pages the news."""

import asyncio
import itertools
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from audiobend.errors import ControlError
from audiobend.page.levels import TakeLevels
from audiobend.page.messages import News, Outcome, messages_of
from audiobend.page.viewers import Sight, Viewer, Viewers
from audiobend.page.wire import refusal, reply, text_of

ANSWER_SECONDS = 20.0
MAX_WAITING = 512
"""Requests of one page that wait for the performance; more are refused."""


class Hub:
    """Belongs to the event loop; a thread of its own reads the pipe.

    Parameters
    ----------
    pipe : Connection
        To `audiobend.page.link.Link`.
    on_gone : callable
        Is called on the loop when the performance has gone.
    """

    def __init__(self, pipe: Connection, on_gone: Callable[[], None]) -> None:
        self.viewers = Viewers()
        self.about: dict[str, Any] = {}
        self.model: dict[str, Any] = {}
        self.is_bypassed = False
        self.levels = TakeLevels()
        self.moved: list[float] | None = None    # values of what moves, until they are shown
        self._pipe, self._on_gone = pipe, on_gone
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._snapshots: dict[int, Callable[[dict[str, Any], dict[str, Any]], None]] = {}
        self._waiting: dict[int, int] = {}
        threading.Thread(target=self._read, daemon=True, name="page-pipe").start()

    # ---- pages

    def add(self, viewer: Viewer) -> None:
        """Let a page take part."""
        self.viewers[viewer.number] = viewer
        self._send("pages", len(self.viewers))

    def greet(self, viewer: Viewer) -> None:
        """Tell a page everything, and from then on what is new."""
        self._wanted(lambda about, state: viewer.begin({"hello": about, "state": state, "page": viewer.number}))

    def remove(self, viewer: Viewer) -> None:
        """Forget a page."""
        self.viewers.pop(viewer.number, None)
        self._waiting.pop(viewer.number, None)
        if viewer.learns:
            self._send("learn", bool(self.viewers.learning()))
        self._send("pages", len(self.viewers))

    def hear(self, viewer: Viewer, message: Any) -> None:
        """Take what a page says; what cannot be understood is answered and ignored."""
        if not isinstance(message, dict):
            viewer.tell(refusal(None, "a message must be an object, such as {\"n\": 1, \"do\": []}"))
            return
        number = message.get("n")
        number = number if isinstance(number, int | float | str) else None
        if "see" in message:
            viewer.sight = Sight.of(message["see"])
        elif "learn" in message:
            viewer.learns = bool(message["learn"])
            self._send("learn", bool(self.viewers.learning()))
        elif "do" not in message:
            viewer.tell(refusal(number, f"there is no such message: {', '.join(map(str, message))[:80]}; try do, see"))
        else:
            self._do(viewer, number, message["do"])

    def _do(self, viewer: Viewer, number: object, given: object) -> None:
        if self._waiting.get(viewer.number, 0) >= MAX_WAITING:
            viewer.tell(refusal(number, f"{MAX_WAITING} requests wait already; send less often"))
            return
        try:
            messages = messages_of(given)
        except ControlError as error:
            viewer.tell(refusal(number, str(error)))
            return
        self._waiting[viewer.number] = self._waiting.get(viewer.number, 0) + 1
        self._send("do", viewer.number, number, messages)

    # ---- questions

    async def ask(self, name: str, *args: Any) -> Any:
        """Ask the performance for something; `ControlError` where it refuses or does not answer."""
        number = next(self._numbers)
        future = self._asked[number] = self._loop.create_future()
        self._send("ask", number, name, args)
        try:
            is_well, value = await asyncio.wait_for(future, ANSWER_SECONDS)
        except TimeoutError:
            raise ControlError("the performance does not answer") from None
        finally:
            self._asked.pop(number, None)
        if not is_well:
            raise ControlError(value)
        return value

    async def snapshot(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what there is to know, and the state; `ControlError` where the performance does not answer."""
        future = self._loop.create_future()
        number = self._wanted(lambda about, state: _settle(future, (about, state)))
        try:
            about, state = await asyncio.wait_for(future, ANSWER_SECONDS)
            return about, state
        except TimeoutError:
            raise ControlError("the performance does not answer") from None
        finally:
            self._snapshots.pop(number, None)

    def _wanted(self, take: Callable[[dict[str, Any], dict[str, Any]], None]) -> int:
        """Have a snapshot taken to somebody, before any news that came after it."""
        number = next(self._numbers)
        self._snapshots[number] = take
        self._send("snapshot", number)
        return number

    # ---- the pipe

    def _send(self, *message: Any) -> None:
        with suppress(OSError):    # the reading thread tells that it has gone
            self._pipe.send(message)

    def _read(self) -> None:
        with suppress(EOFError, OSError, RuntimeError):
            while True:
                self._loop.call_soon_threadsafe(self._take, self._pipe.recv())
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._on_gone)

    def _take(self, message: tuple[Any, ...]) -> None:
        match message:
            case ("news", news):
                self._tell(news)
            case ("did", page, number, outcome):
                self._reply(page, number, outcome)
            case ("status", figures):
                self.is_bypassed = bool(figures.get("bypass"))
                self.levels.hear(figures)
                self.viewers.told_of("status", figures)
            case ("moving", addresses, values):
                self.moved = values
                self.viewers.named_moving(addresses)
            case ("snapshot", number, about, state):
                self.about, self.model = about, about["model"]
                if number in self._snapshots:
                    self._snapshots.pop(number)(about, state)
            case ("answer", number, is_well, value):
                _settle(self._asked.get(number), (is_well, value))
            case ("heard", line):
                for viewer in self.viewers.learning():
                    viewer.tell(text_of({"heard": line}))
            case ("tell", key, value):
                self.viewers.told_of(key, value)

    def _reply(self, page: int, number: object, outcome: Outcome) -> None:
        self._waiting[page] = max(0, self._waiting.get(page, 0) - 1)
        if page in self.viewers:
            self.viewers[page].tell(reply(number, outcome))

    def _tell(self, news: News) -> None:
        """Tell all pages; each line with who made it: this page, another one, or OSC."""
        self.levels.follow(news)
        if news.model is not None:
            self.model = news.model
            self.viewers.told_of("model", news.model)
        if news.state is not None:
            self.viewers.told_of("state", news.state)
        by_setter: dict[int, list[Any]] = {}
        for setter, line in news.lines:
            by_setter.setdefault(setter, []).append(line)
        for setter, lines in by_setter.items():
            others = text_of({"osc": lines, "from": "page" if setter else "osc"})
            own = text_of({"osc": lines, "from": "me"}) if setter in self.viewers else others
            for page, viewer in self.viewers.items():
                if viewer.has_begun:
                    viewer.tell(own if page == setter else others)


def _settle(future: "asyncio.Future[Any] | None", value: Any) -> None:
    if future is not None and not future.done():
        future.set_result(value)
