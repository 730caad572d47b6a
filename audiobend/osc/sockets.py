"""What all servers of OSC share: who may, what is logged, and why a socket cannot be opened."""

import errno
import ipaddress
import logging
import socket
import time
from collections.abc import Sequence

from audiobend.errors import ControlError

IDLE_SECONDS = 0.1
LOG_SECONDS = 5.0
BACKLOG = 32
_MAX_KNOWN = 1024


class AllowList:
    """Who is listened to.

    Parameters
    ----------
    allow : sequence of str
        IP addresses or networks; empty is everybody. `ControlError` where one is neither.

    >>> some = AllowList(["192.168.1.0/24"])
    >>> some.has("192.168.1.7"), some.has("192.168.2.7"), AllowList().has("192.168.2.7")
    (True, False, True)
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self._networks = [_network(one) for one in allow]
        self._known: dict[str, bool] = {}

    def has(self, host: str) -> bool:
        """Return whether a machine, by its IP address, is listened to."""
        if not self._networks:
            return True
        if host not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[host] = any(ipaddress.ip_address(host) in network for network in self._networks)
        return self._known[host]


class SparingLog:
    """Logs each kind of line once in some seconds at most, and not again while nothing is new."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last: dict[str, tuple[float, tuple[object, ...]]] = {}

    def warn(self, text: str, *args: object) -> None:
        """Log that something was refused or lost."""
        if self._is_due(text, args):
            self._log.warning(text, *args)

    def error(self, text: str, *args: object) -> None:
        """As `warn`, with where it happened."""
        if self._is_due(text, args):
            self._log.error(text, *args, exc_info=True)

    def _is_due(self, text: str, args: tuple[object, ...]) -> bool:
        now = time.monotonic()
        when, before = self._last.get(text, (float("-inf"), ()))
        if now - when < LOG_SECONDS or before == args:
            return False
        self._last[text] = (now, args)
        return True


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ControlError(f"--allow must be an IP address or a network such as 192.168.1.0/24, got '{text}'") from None


def why_not(address: str, port: int, error: Exception, whose: str = "OSC") -> ControlError:
    """Return in a sentence why a socket could not be opened."""
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return ControlError(f"{whose}: port {port} is taken by another program; choose another, or 0 for any free one")
    if code == errno.EACCES:
        return ControlError(f"{whose}: port {port} is not for everybody; choose one in 1024..65535")
    if isinstance(error, OverflowError):
        return ControlError(f"{whose}: the port must be in 0..65535, got {port}")
    hint = "use 127.0.0.1, or 0.0.0.0 for all it has"
    return ControlError(f"{whose}: this machine has no address '{address}' to listen at; {hint}")


def listening(address: str, port: int, whose: str = "OSC") -> socket.socket:
    """Return a TCP socket that takes connections and never waits; `ControlError` where it cannot be opened."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except (OSError, OverflowError) as error:
        sock.close()
        raise why_not(address, port, error, whose) from None
    return sock
