"""The other side: send messages to a running audiobend, and hear what it says."""

import socket
import time
from collections.abc import Iterator, Sequence
from types import TracebackType

from audiobend.errors import AudiobendError, ControlError
from audiobend.osc.encode import ROOT, Sent, encode
from audiobend.osc.parse import Message, parse

RENEW_SECONDS = 60.0


class OscClient:
    """Sends to one address and receives what comes back.

    Parameters
    ----------
    address : str
    port : int
    """

    def __init__(self, address: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.name = f"{address}:{port}"
        try:
            self._socket.connect((address, port))
        except (OSError, OverflowError):
            self._socket.close()
            raise ControlError(f"there is no way to {self.name}; an address is meant as in 127.0.0.1") from None

    def send(self, address: str, args: Sequence[Sent] = ()) -> None:
        """Send one message."""
        try:
            self._socket.send(encode(address, args))
        except ConnectionRefusedError:    # of the message before; the next call to receive will tell
            return

    def receive(self, seconds: float) -> Iterator[Message]:
        """Yield what comes in, for some time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                datagram = self._socket.recv(65536)
            except TimeoutError:
                return
            except ConnectionRefusedError:
                raise ControlError(self._nobody()) from None
            try:
                yield from (message for _, messages in parse(datagram).groups for message in messages)
            except AudiobendError:
                continue

    def request(self, address: str, args: Sequence[Sent] = (), seconds: float = 2.0) -> list[Message]:
        """Send a message and return every answer; `ControlError` where nobody answers.

        The message is followed by ``/audiobend/sync``, so that its end is known.
        """
        token = time.monotonic_ns() % 2**31
        self.send(address, args)
        self.send(f"{ROOT}/sync", (token,))
        answers: list[Message] = []
        for message in self.receive(seconds):
            if message.address == f"{ROOT}/synced" and message.args == (token,):
                return answers
            answers.append(message)
        raise ControlError(self._nobody())

    def monitor(self, seconds: float = float("inf")) -> Iterator[Message]:
        """Subscribe, and yield all that is told."""
        until = time.monotonic() + seconds
        self.request(f"{ROOT}/notify", (1,))
        while (left := until - time.monotonic()) > 0:
            yield from self.receive(min(left, RENEW_SECONDS))
            self.send(f"{ROOT}/notify", (1,))

    def close(self) -> None:
        """Unsubscribe and let go of the socket."""
        self.send(f"{ROOT}/notify", (0,))
        self._socket.close()

    def __enter__(self) -> "OscClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _nobody(self) -> str:
        return f"nobody answers at {self.name}; start audiobend live, or name its port with --port"
