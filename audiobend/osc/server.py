"""The socket and the thread of OSC."""

import logging
from collections.abc import Sequence
from types import TracebackType

from audiobend.osc.desk import Desk

DEFAULT_PORT = 9001
log = logging.getLogger("audiobend.osc")


class OscServer:
    """Receives OSC over UDP on a thread of its own, changes the desk, and answers.

    Parameters
    ----------
    desk : Desk
        Where the state is changed and read.
    address : str
        IP address to listen at; anything but a loopback address lets other machines in (see `listen_warning`).
    port : int
        0 takes any free one.
    allow : sequence of str
        IP addresses or networks (``"192.168.1.0/24"``) that are listened to; empty is all that reach ``address``.

    Raises
    ------
    ControlError
        Where the address does not exist here, or the port is taken.

    Examples
    --------
    >>> with OscServer(desk, port=9001) as server:    # doctest: +SKIP
    ...     print(server.port)
    """

    def __init__(
        self, desk: Desk, address: str = "127.0.0.1", port: int = DEFAULT_PORT, *, allow: Sequence[str] = ()
    ) -> None:
        self.desk = desk
        self.address = address
        self.port = port

    def start(self) -> "OscServer":
        """Open the socket, start the thread, and return at once."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop the thread and give the port back; may be called twice."""
        raise NotImplementedError

    def __enter__(self) -> "OscServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
