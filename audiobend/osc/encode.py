"""Messages to datagrams. Only ``i``, ``f`` and ``s`` are ever sent: everything that speaks OSC understands these."""

from collections.abc import Iterable

from pythonosc.osc_message_builder import OscMessageBuilder

ROOT = "/audiobend"
"""What all our addresses begin with."""
PROTOCOL = 1
"""Grows when an address changes its meaning."""
MAX_TEXT = 1000
_INTS = range(-(2**31), 2**31)

Sent = int | float | str


def encode(address: str, args: Iterable[Sent] = ()) -> bytes:
    """Return a message as bytes: int as ``i`` (as text where 32 bits cannot hold it), float ``f``, str ``s``."""
    builder = OscMessageBuilder(address)
    for one in args:
        if isinstance(one, int) and int(one) in _INTS:
            builder.add_arg(int(one), "i")
        elif isinstance(one, float):
            builder.add_arg(one, "f")
        else:
            text = str(one)
            builder.add_arg(text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 3]}...", "s")
    return builder.build().dgram
