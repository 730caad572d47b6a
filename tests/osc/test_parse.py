"""Any bytes are read or refused, in steps bounded by their number."""

import random
import struct

import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from audiobend.osc.encode import encode
from audiobend.osc.parse import MAX_DATAGRAM, MAX_DEPTH, Message, PacketError, parse

NOW = struct.pack(">Q", 1)


def padded(text):
    return text + b"\0" * (4 - len(text) % 4)


def bundle(*elements, tag=NOW):
    return b"#bundle\0" + tag + b"".join(struct.pack(">i", len(one)) + one for one in elements)


def at(seconds):
    return struct.pack(">Q", int((seconds + 2208988800) * 2**32))


def message(address, *args):
    return Message(address, tuple(args))


@pytest.mark.parametrize(
    "args", [(), (1,), (-(2**31), 2**31 - 1), (0.1, -1e30, 1e-30), ("low tide", "größer", ""), (1, 0.5, "x", 2.25)]
)
def test_what_is_encoded_is_read_back(args):
    assert parse(encode("/a/b", args)).groups == [(None, [message("/a/b", *args)])]


def test_what_python_osc_encodes_is_read():
    builder = OscMessageBuilder("/a")
    for value, kind in ((3, "i"), (0.1, "f"), ("é", "s"), (True, "T"), (False, "F"), (2**40, "h"), (0.1, "d")):
        builder.add_arg(value, kind)
    assert parse(builder.build().dgram).groups[0][1] == [message("/a", 3, 0.1, "é", True, False, 2**40, 0.1)]


def test_bundles_keep_their_order_and_group_by_time():
    inner = OscBundleBuilder(1.7e9 + 5)
    inner.add_content(OscMessageBuilder("/late").build())
    outer = OscBundleBuilder(IMMEDIATELY)
    for one in ("/a", "/b"):
        outer.add_content(OscMessageBuilder(one).build())
    outer.add_content(inner.build())
    outer.add_content(OscMessageBuilder("/c").build())
    (now, first), (later, second) = parse(outer.build().dgram).groups
    assert (now, [one.address for one in first]) == (None, ["/a", "/b", "/c"])
    assert later == pytest.approx(1.7e9 + 5, abs=1e-3) and second == [message("/late")]


def test_nothing_inside_a_bundle_is_due_before_it():
    late, early = at(1.7e9), at(1.6e9)
    groups = parse(bundle(bundle(padded(b"/a"), tag=early), bundle(padded(b"/b")), tag=late)).groups
    assert groups == [(pytest.approx(1.7e9), [message("/a"), message("/b")])]


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"/a",
        b"/abcdefg",
        b"/\xff\xfe\0",
        b"/a\nb\0\0\0\0",
        b"x\0\0\0",
        bundle() + b"\xff\xff\xff\xfc",
        bundle() + b"\0\0\0\0",
        bundle() + b"\x7f\xff\xff\xfc",
        bundle() + b"\0\0\0\x03abc\0",
        bundle() + b"\0\0\0\x08/a\0\0",
        b"#bundle\0\0\0\0\0",
        padded(b"/" + b"a" * 300),
        padded(b"/" + b"a" * MAX_DATAGRAM),
        bundle(*[padded(b"/a")] * 257),
    ],
)
def test_what_is_no_osc_is_refused(datagram):
    with pytest.raises(PacketError):
        parse(datagram)


def test_bundles_may_lie_in_each_other_up_to_a_depth():
    packet = padded(b"/a")
    for _ in range(MAX_DEPTH):
        packet = bundle(packet)
    assert parse(packet).groups == [(None, [message("/a")])]
    with pytest.raises(PacketError, match="deep"):
        parse(bundle(packet))


@pytest.mark.parametrize(
    "rest, problem",
    [
        (padded(b",b") + struct.pack(">i", 4) + b"abcd", "type b are not"),
        (padded(b",[i]") + struct.pack(">i", 4), r"type \[ are not"),
        (padded(b",\xff"), "type number 255 are not"),
        (padded(b",N"), "type N are not"),
        (padded(b",i"), "cut off"),
        (padded(b",d") + b"\0\0\0\0", "cut off"),
        (padded(b",s") + b"abcd", "cut off"),
        (padded(b",s"), "cut off"),
        (padded(b",s") + padded(b"\xff\xff"), "UTF-8"),
        (padded(b",s") + padded(b"a" * 1025), "1024 bytes"),
        (struct.pack(">i", 5), "types of the arguments are missing"),
        (padded(b"," + b"i" * 65), "64 arguments"),
    ],
)
def test_a_message_that_cannot_be_read_keeps_its_address_and_its_neighbours(rest, problem):
    packet = bundle(padded(b"/a"), padded(b"/bad") + rest, padded(b"/c"))
    first, bad, last = parse(packet).groups[0][1]
    assert (first, last) == (message("/a"), message("/c"))
    assert bad.address == "/bad" and bad.args == ()
    with pytest.raises(PacketError, match=problem):
        raise PacketError(bad.problem)


def test_the_work_of_reading_is_bounded_by_the_size():
    rng = random.Random(1)
    seeds = [encode("/audiobend/mix", [0.5]), bundle(*[encode("/a", [1, "x"])] * 9), bundle(bundle(bundle()))]
    for _ in range(3000):
        datagram = bytearray(rng.choice(seeds) * rng.randint(1, 3))
        for _ in range(rng.randint(0, 4)):
            datagram[rng.randrange(len(datagram))] = rng.randrange(256)
        datagram = bytes(datagram[: len(datagram) & ~3])
        try:
            assert parse(datagram).work <= 2 * len(datagram)
        except PacketError:
            continue
