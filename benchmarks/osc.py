"""OSC: messages a second that are carried out without loss, and how long the worst packets take.

    python benchmarks/osc.py [--seconds 5] [--json] [--check]

A sender in a process of its own plays 44 addresses of a patch with 8 bends at a steady rate; every message counts as
received that the server has parsed. Then mutated packets and known killers are handed in one by one, and the time of
the processor is taken. Promises kept with --check: 10,000 messages a second without loss, no exception, and no packet
that takes a quarter of a second. On a machine that is busy with other things the higher rates are lost to those.
"""

import argparse
import json
import multiprocessing
import random
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from audiobend.bending import Patch
from audiobend.control import State
from audiobend.osc.client import OscClient
from audiobend.osc.desk import Desk
from audiobend.osc.encode import encode
from audiobend.osc.responder import Responder
from audiobend.osc.server import OscServer
from tests.osc.conftest import make_context
from tests.osc.packets import WALL, killers, mutated, sound_packets

LONG_NAME = "a" * 48
RATES = (2_000, 10_000, 20_000)
PROMISED_RATE = 10_000
PROMISED_SECONDS = 0.25


def patch() -> Patch:
    """Return a patch as one plays it: eight bends."""
    made = Patch()
    for n in range(8):
        made = made.add(1 + n % 3, "erode", {"radius": 2}, id=f"fog{n}")
    return made


def named_at_length() -> Patch:
    """Return the patch with a bend of a long name: what patterns are matched against."""
    return patch().add(1, "erode", {"radius": 1}, id=LONG_NAME, on=False)


def addresses() -> list[str]:
    """Return 44 addresses of the patch."""
    ends = ["radius", "radius/norm", "mix"]
    found = [f"/audiobend/bend/fog{n}/{end}" for n in range(8) for end in ends]
    places = [f"layer/{n}/cluster/{k}" for n in (1, 2, 3) for k in (0, 1)]
    found += [f"/audiobend/{place}/rotate/{end}" for place in places for end in ("mix", "angle/norm")]
    return found + [f"/audiobend/latent/{axis}/{op}" for axis in range(4) for op in ("offset", "scale")]


def messages() -> list[bytes]:
    """Return messages to them, with many values each."""
    rng = random.Random(1)
    known = addresses()
    return [encode(rng.choice(known), [rng.random()]) for _ in range(4000)]


def play(port: int, rate: int, count: int, packets: list[bytes]) -> None:
    """Send at a steady rate, in bursts of a few where the clock is too coarse; runs in a process of its own."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(("127.0.0.1", port))
    start = time.perf_counter()
    for n in range(count):
        while (ahead := n / rate - (time.perf_counter() - start)) > 0:
            time.sleep(min(ahead, 0.001))
        with suppress(ConnectionRefusedError):    # of a message before, where nobody is there any more
            sock.send(packets[n % len(packets)])


def sustained(rate: int, seconds: float) -> dict[str, float]:
    """Return what became of messages at a rate."""
    desk = Desk(State(patch()), make_context())
    count = round(rate * seconds)
    with OscServer(desk, port=0) as server:
        sender = multiprocessing.get_context("spawn").Process(target=play, args=(server.port, rate, count, messages()))
        busy = time.process_time()
        sender.start()
        sender.join()
        with OscClient("127.0.0.1", server.port) as client:
            client.request("/audiobend/ping", seconds=10)
            received = server.counters.received - 2    # ping and sync
        busy = time.process_time() - busy
        failed = server.counters.failed
    return {"rate": rate, "sent": count, "received": received, "failed": failed, "load": busy / seconds,
            "changes": desk.state.revision}


def survived(n_packets: int) -> tuple[dict[str, float], float]:
    """Return the seconds of each killer, and of the worst of many mutated packets, carrying out included."""
    rng = random.Random(7)
    seeds = [*sound_packets(), *(one for one in killers().values() if one)]
    by_name = {name: alone(packet) for name, packet in killers().items()}
    responder = Responder(Desk(State(patch()), make_context()))
    worst = max(timed(responder, mutated(rng.choice(seeds), rng), n) for n in range(n_packets))
    return by_name, worst


def alone(packet: bytes) -> float:
    """Return the least of three times that a packet takes, each on a fresh server."""
    return min(timed(Responder(Desk(State(patch()), make_context())), packet, n) for n in range(3))


def timed(responder: Responder, packet: bytes, n: int) -> float:
    start = time.thread_time()    # of the processor, so that a busy machine does not count
    responder.receive(packet, ("127.0.0.1", 40000 + n % 50), 1e6 + n / 1000, WALL)
    responder.turn(1e6 + n / 1000)
    responder.take()
    return time.thread_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--packets", type=int, default=5000, help="mutated packets")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    rates = [sustained(rate, options.seconds) for rate in RATES]
    by_name, worst = survived(options.packets)
    if options.json:
        print(json.dumps({"rates": rates, "killers": by_name, "worst_mutated": worst}, indent=2))
    else:
        print("messages/s     sent  received   lost  failed  seams  load of one core")
        for one in rates:
            lost = one["sent"] - one["received"]
            print(f"{one['rate']:10} {one['sent']:8} {one['received']:9} {lost:6} {one['failed']:7} {one['changes']:6}"
                  f" {one['load']:8.0%}")
        print("\npacket                            ms")
        for name, seconds in by_name.items():
            print(f"{name:30} {1e3 * seconds:7.2f}")
        print(f"{f'worst of {options.packets} mutated':30} {1e3 * worst:7.2f}")
    if options.check:
        promised = next(one for one in rates if one["rate"] == PROMISED_RATE)
        if promised["received"] < promised["sent"] or promised["failed"]:
            sys.exit(f"{PROMISED_RATE} messages a second were not carried out without loss")
        if max(*by_name.values(), worst) > PROMISED_SECONDS:
            sys.exit(f"a packet took more than {PROMISED_SECONDS} s")


if __name__ == "__main__":
    main()
