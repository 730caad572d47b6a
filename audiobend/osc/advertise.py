"""mDNS: telling the network where OSC and OSCQuery are, for clients that look for them."""

import socket
from types import TracebackType
from typing import TYPE_CHECKING

from audiobend.errors import ControlError

if TYPE_CHECKING:
    from zeroconf import ServiceInfo

NAME = "audiobend"


class Advertisement:
    """``_osc._udp`` and, where there is OSCQuery, ``_oscjson._tcp``, for as long as it is open.

    Parameters
    ----------
    address : str
        IP address that is listened at; at ``0.0.0.0`` all of this machine's are told.
    port, query_port : int
        0 leaves one out.

    Raises
    ------
    ControlError
        Where the package zeroconf is missing, or the network does not take part.
    """

    def __init__(self, address: str, port: int, query_port: int = 0) -> None:
        try:
            import zeroconf
        except ImportError:
            text = "telling the network about OSC needs zeroconf: pip install 'audiobend[zeroconf]'"
            raise ControlError(text) from None
        self._addresses = _own_addresses() if address == "0.0.0.0" else [address]
        services = [("_osc._udp.local.", port), ("_oscjson._tcp.local.", query_port)]
        self._services = [self._service(kind, at) for kind, at in services if at]
        try:
            self._zeroconf = zeroconf.Zeroconf(interfaces=self._addresses)
        except OSError as error:
            raise ControlError(f"the network cannot be told about OSC: {error.strerror or error}") from None

    def _service(self, kind: str, port: int) -> "ServiceInfo":
        from zeroconf import ServiceInfo

        return ServiceInfo(
            kind,
            f"{NAME} {port}.{kind}",
            port=port,
            addresses=[socket.inet_aton(one) for one in self._addresses],
            server=f"{NAME}-{port}.local.",
        )

    def __enter__(self) -> "Advertisement":
        for one in self._services:
            self._zeroconf.register_service(one)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zeroconf.unregister_all_services()
        self._zeroconf.close()


def _own_addresses() -> list[str]:
    """Return the addresses of this machine that others can reach, or loopback where it has none."""
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    except OSError:
        found = set()
    return sorted(found) or ["127.0.0.1"]
