"""Datagrams to messages (OSC 1.0), without recursion and without trust: every size is checked before it is used.

A datagram that is no OSC at all is refused as a whole. In a sound one, a message whose arguments cannot be read keeps
its address and says what is wrong, so that its sender can be told and the messages beside it still count.
"""

import struct
from dataclasses import dataclass

from audiobend.errors import ControlError

MAX_DATAGRAM = 16384
MAX_DEPTH = 8
MAX_MESSAGES = 256
MAX_ARGUMENTS = 64
MAX_ADDRESS = 255
MAX_TEXT = 1024

_BUNDLE = b"#bundle\0"
_NOW = 1
_SECONDS_1900_TO_1970 = 2208988800

Argument = int | float | str | bool


class PacketError(ControlError):
    """A datagram that is not sound OSC."""


@dataclass(frozen=True, slots=True)
class Message:
    """An address with its arguments; ``problem`` says in a sentence why they could not be read, else is empty."""

    address: str
    args: tuple[Argument, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Packet:
    """What a datagram holds.

    Attributes
    ----------
    groups : list of (seconds or None, list of Message)
        Messages that belong to one instant, in order: seconds since 1970, or None for at once.
    work : int
        Steps that reading took; never more than a fixed multiple of the datagram's length.
    """

    groups: list[tuple[float | None, list[Message]]]
    work: int


def parse(datagram: bytes) -> Packet:
    """Read a datagram; `PacketError` where it is no OSC, or larger or deeper than anything sensible.

    >>> parse(b"/a\\0\\0,i\\0\\0\\0\\0\\0\\5").groups
    [(None, [Message(address='/a', args=(5,), problem='')])]
    """
    size = len(datagram)
    if not 4 <= size <= MAX_DATAGRAM or size % 4:
        raise PacketError(f"a packet must have 4..{MAX_DATAGRAM} bytes, a multiple of 4; got {size}")
    if datagram[0] == 47:    # a slash: one message, by far the most frequent
        return Packet([(None, [_message(datagram, 0, size)])], size)
    groups: dict[float | None, list[Message]] = {}
    waiting: list[tuple[int, int, int, float | None]] = [(0, size, 0, None)]
    work = n_messages = 0
    while waiting:
        start, end, depth, due = waiting.pop()
        work += 1
        if datagram[start] == 47:
            n_messages += 1
            if n_messages > MAX_MESSAGES:
                raise PacketError(f"a bundle may hold {MAX_MESSAGES} messages")
            groups.setdefault(due, []).append(_message(datagram, start, end))
            work += end - start
            continue
        elements = _elements(datagram, start, end, depth, due)
        work += len(elements)
        waiting.extend(reversed(elements))
    return Packet(list(groups.items()), work)


def _elements(
    datagram: bytes, start: int, end: int, depth: int, due: float | None
) -> list[tuple[int, int, int, float | None]]:
    """Return where the elements of a bundle lie, with their depth and time."""
    if datagram[start : start + 8] != _BUNDLE or end - start < 16:
        raise PacketError("a packet must begin with a slash or with #bundle")
    if depth >= MAX_DEPTH:
        raise PacketError(f"bundles may lie {MAX_DEPTH} deep in each other")
    own = _seconds(int.from_bytes(datagram[start + 8 : start + 16], "big"))
    if own is not None and (due is None or own > due):    # what is inside is never due before what is around it
        due = own
    elements = []
    position = start + 16
    while position < end:
        size = int.from_bytes(datagram[position : position + 4], "big", signed=True)
        position += 4
        if size < 4 or size % 4 or position + size > end:
            raise PacketError(f"an element of a bundle cannot have {size} bytes")
        elements.append((position, position + size, depth + 1, due))
        position += size
        if len(elements) > MAX_MESSAGES:
            raise PacketError(f"a bundle may hold {MAX_MESSAGES} messages")
    return elements


def _seconds(tag: int) -> float | None:
    return None if tag <= _NOW else tag / 2**32 - _SECONDS_1900_TO_1970


def _message(datagram: bytes, start: int, end: int) -> Message:
    close = datagram.find(0, start, end)
    if close < 0 or close - start > MAX_ADDRESS:
        raise PacketError(f"an address must have at most {MAX_ADDRESS} letters and end with a zero byte")
    try:
        address = datagram[start:close].decode("ascii")
    except UnicodeDecodeError:
        raise PacketError("an address must be ASCII") from None
    if not address.isprintable() or " " in address:
        raise PacketError("an address must have no blanks or control characters")
    position = (close + 4) & ~3
    if position >= end:
        return Message(address)
    try:
        return Message(address, _arguments(datagram, position, end))
    except ControlError as problem:
        return Message(address, (), str(problem))


def _arguments(datagram: bytes, start: int, end: int) -> tuple[Argument, ...]:
    close = datagram.find(0, start, end)
    if datagram[start] != 44 or close < 0:
        raise ControlError("the types of the arguments are missing; they begin with a comma, as in ,if")
    tags = datagram[start + 1 : close]
    if len(tags) > MAX_ARGUMENTS:
        raise ControlError(f"a message may have {MAX_ARGUMENTS} arguments, got {len(tags)}")
    position = (close + 4) & ~3
    found: list[Argument] = []
    for tag in tags:
        value, position = _argument(datagram, tag, position, end)
        found.append(value)
    return tuple(found)


_INT, _FLOAT, _LONG, _DOUBLE = (struct.Struct(f">{letter}").unpack_from for letter in "ifqd")


def _argument(datagram: bytes, tag: int, position: int, end: int) -> tuple[Argument, int]:
    """Return one argument and where the next begins."""
    if tag == 102 and position + 4 <= end:    # f
        return shortest(_FLOAT(datagram, position)[0]), position + 4
    if tag == 105 and position + 4 <= end:    # i
        return _INT(datagram, position)[0], position + 4
    if tag in b"sS":
        return _text(datagram, position, end)
    if tag in b"TF":
        return tag == 84, position
    if tag in b"hd" and position + 8 <= end:
        return (_LONG if tag == 104 else _DOUBLE)(datagram, position)[0], position + 8
    if tag in b"fihd":
        raise ControlError("the message is cut off")
    name = chr(tag) if 32 < tag < 127 else f"number {tag}"
    raise ControlError(f"arguments of type {name} are not understood; send i, f or s")


def _text(datagram: bytes, position: int, end: int) -> tuple[str, int]:
    close = datagram.find(0, position, end)
    if close < 0:
        raise ControlError("the message is cut off")
    if close - position > MAX_TEXT:
        raise ControlError(f"text may have {MAX_TEXT} bytes, got {close - position}")
    try:
        return datagram[position:close].decode(), (close + 4) & ~3
    except UnicodeDecodeError:
        raise ControlError("text must be UTF-8") from None


def shortest(value: float) -> float:
    """Return the number of seven digits that a 32-bit float stands for, so that 0.1 is 0.1 again.

    >>> shortest(struct.unpack(">f", struct.pack(">f", 0.1))[0])
    0.1
    """
    rounded = float(f"{value:.7g}")
    try:
        return rounded if struct.pack(">f", rounded) == struct.pack(">f", value) else value
    except OverflowError:
        return value
