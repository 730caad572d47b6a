"""Who comes in over HTTP: how many connections, and by which names."""

import ipaddress
import socket
from asyncio import BaseProtocol, Protocol, Transport
from urllib.parse import urlsplit

from aiohttp import web


class Gate:
    """Makes the protocol of each connection, up to so many at once; a further one takes the place of the oldest.

    Parameters
    ----------
    server : aiohttp.web.Server
    most : int
    """

    def __init__(self, server: web.Server, most: int) -> None:
        self._server, self._most = server, most
        self._made: list[web.RequestHandler] = []
        self._kept: set[web.RequestHandler] = set()

    def keep(self, handler: web.RequestHandler) -> None:
        """Do not let a connection give way to a new one."""
        self._kept.add(handler)

    def __call__(self) -> BaseProtocol:
        """Return the protocol of a new connection."""
        open_ = set(self._server.connections)
        self._made = [one for one in self._made if one in open_ or one.transport is None]
        self._kept.intersection_update(self._made)
        if len(self._made) >= self._most:
            idle = next((one for one in self._made if one not in self._kept), None)
            if idle is None:
                return _Refusal()
            self._made.remove(idle)
            idle.force_close()
        made = self._server()
        self._made.append(made)
        return made


class _Refusal(Protocol):
    def connection_made(self, transport: BaseProtocol | Transport) -> None:    # type: ignore[override]
        assert isinstance(transport, Transport)
        transport.close()


def is_own_name(host: str) -> bool:
    """Return whether a ``Host`` header names this machine itself: by an IP address, or by its own name.

    >>> [is_own_name(host) for host in ("127.0.0.1:9000", "localhost", "[::1]:80", "evil.example:9000", "")]
    [True, True, True, False, False]
    """
    name = urlsplit(f"//{host}").hostname or ""
    own = socket.gethostname().lower()
    return name in ("localhost", own, f"{own}.local") or _is_ip(name)


def is_same_origin(origin: str, host: str) -> bool:
    """Return whether a page of this origin may open a WebSocket; a program that is no browser names none.

    >>> is_same_origin("", "127.0.0.1:80"), is_same_origin("http://127.0.0.1:80", "127.0.0.1:80")
    (True, True)
    >>> is_same_origin("http://evil.example", "127.0.0.1:80"), is_same_origin("null", "127.0.0.1:80")
    (False, False)
    """
    return not origin or urlsplit(origin).netloc.lower() == host.lower()


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
