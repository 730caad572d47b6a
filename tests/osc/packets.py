"""Packets that break servers: mutations of sound ones, and those that are known to kill."""

import struct

from audiobend.osc.encode import encode
from tests.osc.test_parse import at, bundle, padded

WALL = 1.7e9


def sound_packets():
    """Packets of every kind that a performance sends."""
    messages = [
        encode("/audiobend/layer/3/cluster/1/erode", [1]),
        encode("/audiobend/layer/3/cluster/1/erode/radius", [3.0]),
        encode("/audiobend/layer/1/all/rotate/angle/norm", [0.25]),
        encode("/audiobend/bend/fog/mix", [0.5]),
        encode("/audiobend/bend/fog/features", ["cluster 1"]),
        encode("/audiobend/bend/*/on", [0]),
        encode("/audiobend/layer/[1-3]/all/{erode,dil*}", [1]),
        encode("/audiobend/layer/2/all/*"),
        encode("/audiobend/scene/save", ["a"]),
        encode("/audiobend/scene/save", ["b"]),
        encode("/audiobend/scene/morph", ["a", "b", 0.5]),
        encode("/audiobend/scene/load", ["a"]),
        encode("/audiobend/model/load", ["tiny"]),
        encode("/audiobend/latent/2/offset", [1.5]),
        encode("/audiobend/seed", [5]),
        encode("/audiobend/gain", [-3.0]),
        encode("/audiobend/notify", [1]),
        encode("/audiobend/dump"),
        encode("/audiobend/list/params", ["scale"]),
        encode("/audiobend/panic"),
        encode("/audiobend/bypass", [0]),
        encode("/audiobend/sync", [7]),
    ]
    return [
        *messages,
        bundle(*messages[:6]),
        bundle(bundle(*messages[3:8]), messages[1]),
        bundle(*messages[:3], tag=at(WALL + 1)),
    ]


def mutated(packet, rng):
    """Return a packet with one to four wounds: bytes changed, cut, put in, doubled, or sizes made absurd."""
    data = bytearray(packet)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0 if place < len(data):
                data[place] = rng.randrange(256)
            case 1:
                del data[place:]
            case 2:
                data[place:place] = rng.randbytes(rng.choice([1, 4, 8]))
            case 3:
                wrong = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0", b"\xff\xff\xff\xfc"]
                data[place & ~3 : (place & ~3) + 4] = rng.choice(wrong)
            case 4:
                data[place:place] = data[place : place + rng.choice([4, 8, 16])]
            case 5 if place < len(data):
                data[place : place + 1] = rng.choice([b"*", b"?", b"[", b"]", b"{", b"}", b",", b"/"])
    if rng.random() < 0.7:    # most go on past the first check
        data += b"\0" * (-len(data) % 4)
    return bytes(data)


def nested(depth):
    """Return bundles that lie that deep in each other."""
    packet = bundle()
    for _ in range(depth):
        packet = bundle(packet)
    return packet


def killers():
    """Return packets by name that stop, slow or fill up other servers."""
    stars = "/audiobend/bend/" + "*a" * 60 + "*x/mix"
    slides = [encode("/audiobend/scene/morph", ["a", "b", n / 250]) for n in range(250)]
    far = struct.pack(">Q", 2**64 - 1)
    return {
        "an element of size -4": bundle() + b"\xff\xff\xff\xfc",
        "an element of size 0": bundle() + b"\0\0\0\0",
        "an element of 2 GiB": bundle() + b"\x7f\xff\xff\xfc",
        "a bundle for the year 2036": bundle(encode("/audiobend/mix", [0.1]), tag=far),
        "a bundle for the next hour": bundle(encode("/audiobend/mix", [0.1]), tag=at(WALL + 3600)),
        "3200 bundles deep": nested(3200),
        "700 bundles deep": nested(700),
        "64 stars": encode(stars),
        "256 patterns of stars": bundle(*[encode("/audiobend/bend/" + "*a" * 12 + "*x/mix")] * 250),
        "alternatives that overlap": encode("/audiobend/bend/" + "{a,aa}" * 30 + "x/mix"),
        "every address there is": encode("/audiobend/layer/*/*/*/*/*", [1]),
        "a pattern for each message": bundle(*[encode("/audiobend/layer/*/all/*", [1])] * 250),
        "10 KB of brackets": padded(b"/audiobend/mix") + padded(b"," + b"[" * 10_000),
        "brackets in the address": padded(b"/" + b"[" * 200),
        "a blob of 2 GiB": padded(b"/audiobend/mix") + padded(b",b") + b"\x7f\xff\xff\xff",
        "a blob of size -1": padded(b"/audiobend/mix") + padded(b",b") + b"\xff\xff\xff\xff",
        "text that is no UTF-8": padded(b"/audiobend/scene/load") + padded(b",s") + padded(b"\xff\xff"),
        "an address that is no ASCII": padded(b"/\xff\xfe") + padded(b","),
        "an address without an end": b"/abcdefg",
        "60,000 values": padded(b"/audiobend/mix") + padded(b"," + b"T" * 60_000),
        "values without types": padded(b"/audiobend/mix") + b"\0\0\0\1",
        "a morph for each message": bundle(*slides),
        "nothing": b"",
    }
