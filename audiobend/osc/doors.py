"""All ways in to a performance: OSC over UDP, over TCP, and OSCQuery, on one desk."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from audiobend.osc.desk import Desk
from audiobend.osc.framing import Framing, checked
from audiobend.osc.server import DEFAULT_PORT, OscServer
from audiobend.osc.sockets import AllowList


class _Server(Protocol):
    @property
    def received(self) -> int: ...
    def tell_ports(self, ports: tuple[int, int, int]) -> None: ...


@dataclass(frozen=True)
class Listening:
    """Where a performance listens.

    Attributes
    ----------
    address : str
        IP address of all of them.
    port : int
        Of OSC over UDP; 0 takes any free one, here and below.
    allow : sequence of str
        IP addresses or networks that are listened to; empty is all.
    tcp_port, query_port : int or None
        None leaves TCP, or OSCQuery, out.
    framing : {"auto", "length", "slip"}
        Of TCP.
    advertise : bool
        Tell the network by mDNS where OSC and OSCQuery are.

    Raises
    ------
    ControlError
        Where ``allow`` or ``framing`` are none.
    """

    address: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    allow: Sequence[str] = ()
    tcp_port: int | None = None
    query_port: int | None = None
    framing: Framing = "auto"
    advertise: bool = False

    def __post_init__(self) -> None:
        AllowList(self.allow)
        checked(self.framing)


class Doors:
    """The servers of a performance, opened and closed together.

    Parameters
    ----------
    desk : Desk
    where : Listening

    Attributes
    ----------
    address : str
    port, tcp_port, query_port : int
        Where they listen; 0 where there is none.
    """

    def __init__(self, desk: Desk, where: Listening) -> None:
        self.address, self.port, self.tcp_port, self.query_port = where.address, 0, 0, 0
        self._desk, self._where = desk, where
        self._open = ExitStack()
        self._opened: list[_Server] = []

    def open(self) -> "Doors":
        """Open all, or none: `ControlError` where a port is taken."""
        with ExitStack() as opened:
            self._opened = self._servers(opened)
            for server in self._opened:
                server.tell_ports(self.ports)
            if self._where.advertise:
                from audiobend.osc.advertise import Advertisement

                opened.enter_context(Advertisement(self.address, self.port, self.query_port))
            self._open = opened.pop_all()
        return self

    @property
    def ports(self) -> tuple[int, int, int]:
        """Of UDP, TCP and OSCQuery."""
        return self.port, self.tcp_port, self.query_port

    @property
    def received(self) -> int:
        """How many packets have come in, by all ways."""
        return sum(server.received for server in self._opened)

    def _servers(self, opened: ExitStack) -> list[_Server]:
        where, desk = self._where, self._desk
        udp = opened.enter_context(OscServer(desk, where.address, where.port, allow=where.allow))
        servers: list[_Server] = [udp]
        self.port = udp.port
        if where.tcp_port is not None:
            from audiobend.osc.tcp import TcpServer

            tcp = TcpServer(desk, where.address, where.tcp_port, framing=where.framing, allow=where.allow)
            servers.append(opened.enter_context(tcp))
            self.tcp_port = tcp.port
        if where.query_port is not None:
            from audiobend.osc.queryserver import QueryServer

            query = QueryServer(desk, udp.port, where.address, where.query_port, allow=where.allow)
            servers.append(opened.enter_context(query))
            self.query_port = query.port
        return servers

    def close(self) -> None:
        """Close all; may be called twice."""
        self._open.close()

    def __enter__(self) -> "Doors":
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
