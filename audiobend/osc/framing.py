"""Packets in a stream of bytes: each after its length (OSC 1.0), or between END bytes with escapes (OSC 1.1, SLIP).

Which of them a stream has shows in its first byte: the length of no packet that we take begins with anything but zero,
and a zero begins no packet.
"""

from typing import Literal, cast, get_args

from audiobend.errors import ControlError
from audiobend.osc.parse import MAX_DATAGRAM

Framing = Literal["auto", "length", "slip"]

_END, _ESCAPE, _ESCAPED_END, _ESCAPED_ESCAPE = b"\xc0", b"\xdb", b"\xdb\xdc", b"\xdb\xdd"


class Frames:
    """Takes bytes as they come, and gives packets; never keeps more than one packet of the largest size.

    Parameters
    ----------
    framing : str
        ``auto`` tells by the first byte; ``length`` or ``slip`` insists.

    Attributes
    ----------
    problem : str
        Why the stream cannot be read any further; empty while it can.

    >>> frames = Frames()
    >>> frames.feed(b"\\0\\0\\0\\4/a\\0\\0" + b"\\0\\0"), frames.framing
    ([b'/a\\x00\\x00'], 'length')
    """

    def __init__(self, framing: Framing = "auto") -> None:
        self.framing: Framing = framing
        self.problem = ""
        self._kept = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the packets that are whole now."""
        if self.framing == "auto" and data:
            self.framing = _told_by(data[0])
        if self.framing == "auto" or self.problem:
            self.problem = self.problem or "the stream begins with neither a length nor a SLIP packet"
            return []
        self._kept += data
        return self._by_length() if self.framing == "length" else self._by_end()

    def framed(self, packet: bytes) -> bytes:
        """Return a packet as it is sent to the other side, which speaks as it was heard."""
        if self.framing == "slip":
            escaped = packet.replace(_ESCAPE, _ESCAPED_ESCAPE).replace(_END, _ESCAPED_END)
            return _END + escaped + _END
        return len(packet).to_bytes(4, "big") + packet

    def _by_length(self) -> list[bytes]:
        found, position = [], 0
        while position + 4 <= len(self._kept):
            size = int.from_bytes(self._kept[position : position + 4], "big")
            if size > MAX_DATAGRAM:
                self.problem = f"a packet may have {MAX_DATAGRAM} bytes, one of {size} is announced"
                break
            if position + 4 + size > len(self._kept):
                break
            found.append(bytes(self._kept[position + 4 : position + 4 + size]))
            position += 4 + size
        del self._kept[:position]
        return found

    def _by_end(self) -> list[bytes]:
        *whole, rest = bytes(self._kept).split(_END)
        if len(rest) > 2 * MAX_DATAGRAM:    # every byte may be escaped
            self.problem = f"a packet may have {MAX_DATAGRAM} bytes, this one goes on"
        self._kept = bytearray(rest)
        return [packet.replace(_ESCAPED_END, _END).replace(_ESCAPED_ESCAPE, _ESCAPE) for packet in whole if packet]


def _told_by(first: int) -> Framing:
    if first == 0:
        return "length"
    return "slip" if first in b"\xc0/#" else "auto"


def checked(text: str) -> Framing:
    """Return a framing by its name; `ControlError` where there is none of that name."""
    if text not in get_args(Framing):
        raise ControlError(f"the framing must be auto, length or slip, got '{text}'")
    return cast("Framing", text)
