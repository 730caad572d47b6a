"""Pages that are open: what each is sent, and wants to see. A slow page drops pictures, and never queues them."""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from audiobend.page.wire import text_of

MAX_TEXTS = 2048
"""Messages that wait for a page; a page that is further behind is closed, and comes back to the state as it is."""
MAX_MAPS = 64


@dataclass(frozen=True)
class Sight:
    """What a page wants to see.

    Attributes
    ----------
    spectra : bool
    maps : tuple of str
        Activation maps, ``"LAYER/CLUSTER"``.
    """

    spectra: bool = False
    maps: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: object) -> "Sight":
        """Read ``{"spectra": true, "maps": ["3/0"]}``; anything else is nothing.

        >>> Sight.of({"spectra": True, "maps": ["3/0", 7]}), Sight.of(None)
        (Sight(spectra=True, maps=('3/0',)), Sight(spectra=False, maps=()))
        """
        if not isinstance(given, dict):
            return cls()
        maps = given.get("maps", [])
        names = [one for one in maps if isinstance(one, str) and len(one) <= 16] if isinstance(maps, list) else []
        return cls(bool(given.get("spectra", False)), tuple(names[:MAX_MAPS]))


@dataclass(eq=False)
class Viewer:
    """One page."""

    number: int
    socket: web.WebSocketResponse
    sight: Sight = field(default_factory=Sight)
    learns: bool = False
    has_begun: bool = False
    """Whether it knows the state, so that news make sense."""
    moving: list[str] = field(default_factory=list)
    """Addresses that it was told to move."""
    dropped: int = 0
    """Pictures that it was too slow for."""
    _texts: deque[str] = field(default_factory=deque)
    _pictures: tuple[bytes, ...] = ()
    _is_sending: bool = False
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, hello: dict[str, Any]) -> None:
        """Greet it; what was told to all until now is in the greeting."""
        self._texts.appendleft(text_of(hello))
        self.has_begun = True
        self._woken.set()

    def tell(self, text: str) -> None:
        """Have a text sent; in order, and none is lost."""
        self._texts.append(text)
        self._woken.set()

    def show(self, pictures: Iterable[bytes]) -> None:
        """Have pictures sent now, or not at all."""
        if self._is_sending or self._pictures:
            self.dropped += 1
            return
        self._pictures = tuple(pictures)
        self._woken.set()

    @property
    def is_lost(self) -> bool:
        """Whether it is too far behind to be told what it missed."""
        return len(self._texts) > MAX_TEXTS

    async def write(self) -> None:
        """Send what waits, until cancelled or the page has gone."""
        with suppress(ConnectionError, RuntimeError):
            while True:
                await self._woken.wait()
                self._woken.clear()
                self._is_sending = True
                while self._texts:
                    await self.socket.send_str(self._texts.popleft())
                pictures, self._pictures = self._pictures, ()
                for one in pictures:
                    await self.socket.send_bytes(one)
                self._is_sending = False

    async def end(self, reason: str) -> None:
        """Close it, with a reason for people."""
        with suppress(Exception):
            await self.socket.close(code=1013, message=reason.encode())


class Viewers(dict[int, Viewer]):
    """All pages, by number."""

    def tell(self, text: str) -> None:
        """Have a text sent to all."""
        for one in self.values():
            if one.has_begun:
                one.tell(text)

    @property
    def sees(self) -> bool:
        """Whether any page wants pictures."""
        return any(one.sight.spectra or one.sight.maps for one in self.values())

    @property
    def maps(self) -> list[str]:
        """Activation maps that any page wants, in order."""
        return sorted({name for one in self.values() for name in one.sight.maps})[:MAX_MAPS]

    def learning(self) -> list[Viewer]:
        """Return the pages that want to hear of the last address."""
        return [one for one in self.values() if one.learns]

    def told_of(self, key: str, value: Any) -> None:
        """Have ``{key: value}`` sent to all."""
        self.tell(text_of({key: value}))

    def named_moving(self, addresses: list[str]) -> None:
        """Tell pages what the values of moving numbers belong to, where that is not what they know."""
        for one in self.values():
            if one.has_begun and one.moving != addresses:
                one.moving = addresses
                one.tell(text_of({"modulated": addresses}))
