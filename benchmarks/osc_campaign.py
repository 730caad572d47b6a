"""OSC under attack while sound runs: what is lost, what is heard, how long a ping takes; beside python-osc's servers.

    python benchmarks/osc_campaign.py [--quick] [--check] [--json] [--seed N]

`audiobend live --no-audio` plays a track with eight bends. From other processes come: mutated packets (250,000), with
valid messages among them whose effect is asked for; packets that are known to stop servers; 10,000 that want to
subscribe; 20,000 valid messages a second for 10 s, then 10,000 a second. A ping is sent every 10 ms all the while. The
same packets go to the three UDP servers of python-osc; one that has not answered for two seconds counts as stopped and
is started again, three times at most; and after a minute of mutated packets they get no more of them.

Sound packets that switch further bends on are not among those that are mutated: a hundred bends are late for another
reason than OSC. And each of the others is sent once before: what the engine does for the first time is compiled then.

Promises kept with --check, all for audiobend: it is never stopped, nothing is logged as a fault, every valid message
among the mutated ones is carried out, no block of sound is late or lost, 10,000 messages a second are carried out
without loss, and no ping takes longer than 50 ms.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from audiobend.io.patchfile import save_patch
from audiobend.osc.encode import encode
from audiobend.osc.parse import Message, PacketError, parse
from benchmarks.osc import messages, named_at_length, play
from benchmarks.osc_stock import KINDS
from tests.osc.packets import killers, mutated, sound_packets
from tests.osc.test_parse import at, bundle

TRACK = ROOT / "examples" / "sounds" / "next_to_you.flac"
BATCH = 100
"""Mutated packets between two valid messages."""
PATIENCE = 2.0
"""Seconds without an answer after which a server counts as stopped."""
STARTS = 4
MINUTE = 60.0
"""Seconds after which mutated packets are enough for a server to compare with."""
PROMISED_RATE, PROMISED_PING = 10_000, 0.05
SIZE, STARS, FAR = "an element of size -4", "the pattern /*a*a*a*a*a*a*a*x", "a bundle for the next hour"


@dataclass
class Found:
    """What a server made of it all."""

    name: str
    stopped: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


class Peer:
    """Sends packets and waits for answers, from one socket."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.connect(("127.0.0.1", port))
        self.numbers = iter(range(1, 2**31))

    def ask(self, address: str, *args: float | str, seconds: float = PATIENCE) -> Message | None:
        """Send a message and return its answer; None where none comes in time."""
        reply = {"/audiobend/ping": "/audiobend/pong", "/audiobend/status": "/audiobend/status.reply"}
        wanted = reply.get(address, address)
        self.send(encode(address, args))
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                answer = self.socket.recv(65536)
                (_, (message,)), *_ = parse(answer).groups
            except (OSError, PacketError, ValueError):    # nothing, nobody, or something else
                continue
            if message.address == wanted and (address != "/audiobend/ping" or message.args == args):
                return message
        return None

    def is_alive(self) -> bool:
        """Whether a ping is answered."""
        return self.ask("/audiobend/ping", next(self.numbers)) is not None

    def send(self, packet: bytes) -> None:
        with suppress(OSError):    # too long for a packet, or nobody there
            self.socket.send(packet)


def ping(port: int, stop: Any, times: Any) -> None:
    """Send a ping every 10 ms and note how long each took; runs in a process of its own.

    Who measures must not wait for a processor that the attackers take: its priority is raised, where that is permitted.
    """
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    peer, found, number = Peer(port), [], 0
    while not stop.is_set():
        number += 1
        begun = time.perf_counter()
        answer = peer.ask("/audiobend/ping", number)
        found.append(time.perf_counter() - begun if answer else PATIENCE)
        time.sleep(0.01)
    times.put(found)


class Server:
    """A server in a process of its own; what it logs is kept."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder
        self.events: list[dict[str, Any]] = []
        self.start()

    def start(self) -> None:
        log = (self._folder / f"{self.name}.log").open("a")
        self.process = subprocess.Popen(self._words(), stdout=subprocess.PIPE, stderr=log, text=True, cwd=self._folder)
        self.port = self._ready()

    def _words(self) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name("osc_stock.py")), self.name]

    def _ready(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def logged(self) -> str:
        return (self._folder / f"{self.name}.log").read_text(errors="replace")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT if self.events else signal.SIGKILL)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def missed(self, peer: Peer, sent: int = 0) -> int:
        """Return how many of so many more messages its handlers were not called for, in all."""
        answer = peer.ask("/audiobend/count", seconds=20)
        return sent - int(answer.args[0]) if answer else sent

    def again(self) -> None:
        """Start another in the place of one that does not answer."""
        self.process.kill()
        self.process.wait()
        self.start()


class Audiobend(Server):
    """A performance; its states are read as it prints them."""

    def _words(self) -> list[str]:
        save_patch(named_at_length(), self._folder / "bends.yaml")
        words = ["live", "--no-audio", "--from", TRACK, "--loop", "--json", "--osc-port", 0, "--channels", 1]
        words += ["--patch", "bends.yaml", "--session", "session"]
        return [str(Path(sys.executable).with_name("audiobend")), *map(str, words)]

    def _ready(self) -> int:
        self.events.clear()
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        while not any(one.get("is_bent") for one in self.events[-1:]):
            time.sleep(0.05)
            if self.process.poll() is not None:
                sys.exit(f"audiobend did not start: {self.logged()}")
        return int(next(one["osc"]["port"] for one in reversed(self.events) if one["event"] == "start"))

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.events.append(json.loads(line))

    def missed(self, peer: Peer, sent: int = 0) -> int:
        peer.ask("/audiobend/status", seconds=20)    # all that came before is taken by then
        return dropped(self.port)

    def gaps(self) -> dict[str, float]:
        """Sound that was not bent, not heard, or flagged, until now."""
        time.sleep(1.2)    # the next state
        last = next(one for one in reversed(self.events) if one["event"] == "status")
        return {name: last[name] for name in ("late_blocks", "lost_seconds", "skipped_seconds", "xruns")}


def packets(count: int, seed: int) -> Iterator[bytes]:
    """Yield mutated packets; the same for every server."""
    rng = random.Random(seed)
    seeds = packets_to_mutate()
    yield from (mutated(rng.choice(seeds), rng) for _ in range(count))


def packets_to_mutate() -> list[bytes]:
    return [one for one in sound_packets() if not switches_on(one)]


def switches_on(packet: bytes) -> bool:
    """Whether a sound packet may switch on what is off, or a mutation of it may."""
    try:
        groups = parse(packet).groups
    except PacketError:
        return False
    addresses = [one.address for _, group in groups for one in group]
    return any("/layer/" in one and ("*" in one or one.endswith("erode")) for one in addresses)


def campaign(server: Server, options: argparse.Namespace) -> Found:
    """Play everything to one server."""
    found = Found(server.name)
    with pinged(server, found):
        attack(server, found, options)
        known_killers(server, found)
        subscribe(server, found, 1000 if options.quick else 10_000)
        if server.name == "audiobend":
            Peer(server.port).send(encode("/audiobend/bypass", [0]))    # an attack may have switched it on
        seconds = 2.0 if options.quick else 10.0
        for rate in (20_000, PROMISED_RATE):
            found.figures[f"share of {rate} a second"] = sustained(server, rate, seconds)
    return found


@contextmanager
def pinged(server: Server, found: Found) -> Iterator[None]:
    """Send a ping every 10 ms meanwhile, where there is one server for the whole time."""
    if server.name != "audiobend":
        yield
        return
    spawn = multiprocessing.get_context("spawn")
    stop, times = spawn.Event(), spawn.Queue()
    process = spawn.Process(target=ping, args=(server.port, stop, times))
    process.start()
    yield
    stop.set()
    taken = sorted(times.get())
    process.join()
    found.figures |= {"pings": len(taken), "ping median ms": 1000 * taken[len(taken) // 2],
                      "ping p99 ms": 1000 * taken[len(taken) * 99 // 100], "ping worst ms": 1000 * taken[-1]}


def warm_up(port: int) -> None:
    """Use everything once, one after the other."""
    peer = Peer(port)
    for packet in packets_to_mutate():
        peer.send(packet)
        time.sleep(0.3)
    for address, value in (("bypass", 0), ("gain", 0.0)):
        peer.send(encode(f"/audiobend/{address}", [value]))


def attack(server: Server, found: Found, options: argparse.Namespace) -> None:
    """Send mutated packets; after each batch a value is set, and asked for."""
    attacker, player, applied, sent, n = Peer(server.port), Peer(server.port), 0, 0, 0
    begun = time.monotonic()
    for n, packet in enumerate(packets(options.packets, options.seed), 1):
        attacker.send(packet)
        if n % BATCH:
            continue
        sent += 1
        value = float(-(sent % 50))
        player.send(encode("/audiobend/gain", [value]))
        answer = player.ask("/audiobend/gain")
        applied += answer is not None and answer.args == (value,)
        if server.name != "audiobend" and time.monotonic() - begun > MINUTE:
            break
        if answer is None and not player.is_alive():
            found.stopped.append(f"a mutated packet, after {n:,}")
            if len(found.stopped) == STARTS:
                break
            server.again()
            attacker, player = Peer(server.port), Peer(server.port)
    found.figures |= {"mutated": n, "valid among them": sent, "applied": applied,
                      "mutated a second": n / (time.monotonic() - begun)}


def known_killers(server: Server, found: Found) -> None:
    """Send each killer by itself."""
    for name, packet in the_killers().items():
        peer = Peer(server.port)
        if not peer.is_alive():
            server.again()
            peer = Peer(server.port)
        peer.send(packet)
        if not peer.is_alive():
            found.stopped.append(name)
            server.again()


def the_killers() -> dict[str, bytes]:
    """Return packets by name, each of which is known to stop some server."""
    later = bundle(encode("/audiobend/gain", [-1.0]), tag=at(time.time() + 3600))
    return {SIZE: killers()[SIZE], STARS: encode(f"/audiobend/bend/{'*a' * 12}*x/mix", [0.5]), FAR: later}


def subscribe(server: Server, found: Found, count: int) -> None:
    """Ask for changes from many sockets, each of which is gone at once; who is there before is heard all the same."""
    peer = Peer(server.port)
    for n in range(count):
        Peer(server.port).send(encode("/audiobend/notify", [1]))
        if n % 500 == 499 and not peer.is_alive():
            found.stopped.append(f"{n + 1} subscribers")
            server.again()
            return


def sustained(server: Server, rate: int, seconds: float) -> float:
    """Return the share of valid messages that were taken at a steady rate."""
    if not Peer(server.port).is_alive():
        server.again()
    peer, count = Peer(server.port), round(rate * seconds)
    before = server.missed(peer)
    sender = multiprocessing.get_context("spawn").Process(target=play, args=(server.port, rate, count, messages()))
    sender.start()
    sender.join()
    missed = server.missed(peer, count) - before
    return max(0.0, 1 - missed / count)


def dropped(port: int) -> int:
    """Return how many packets the system has dropped because a socket did not take them (Linux)."""
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return sum(int(line.split()[-1]) for line in lines if line.split()[1].endswith(f":{port:04X}"))


def report(all_found: list[Found], gaps: dict[str, float], faults: int) -> None:
    """Print what was found, a column for each server."""
    names = [f"python-osc {one.name}" if one.name in KINDS else one.name for one in all_found]
    print(f"{'':34}" + "".join(f"{name:>22}" for name in names))

    def row(title: str, shown: Any) -> None:
        print(f"{title:34}" + "".join(f"{shown(found):>22}" for found in all_found))

    row("mutated packets sent", lambda found: f"{found.figures['mutated']:,}")
    row("stopped by one of them", lambda found: times(sum("mutated" in one for one in found.stopped)))
    row("valid among them, carried out", lambda found: "{applied:,} of {valid among them:,}".format(**found.figures))
    for name in (SIZE, STARS, FAR):
        row(name, lambda found, name=name: "stopped" if name in found.stopped else "answers on")
    refused = {one.name for one in all_found if any("subscribers" in what for what in one.stopped)}
    row("10,000 that want to subscribe", lambda found: "stopped" if found.name in refused else "answers on")
    for rate in (20_000, PROMISED_RATE):
        title = f"share of {rate} a second"
        row(f"{rate:,} messages a second: taken", lambda found, title=title: f"{found.figures[title]:.1%}")
    own = all_found[0].figures
    print(f"\naudiobend meanwhile: {own['pings']:,} pings, {own['ping median ms']:.1f} ms (median), "
          f"{own['ping p99 ms']:.1f} ms (99 of 100), {own['ping worst ms']:.1f} ms (worst)")
    print(f"sound meanwhile: {gaps['late_blocks']} late blocks, {gaps['lost_seconds']:g} s lost, "
          f"{gaps['skipped_seconds']:g} s not bent, {gaps['xruns']} xruns; faults logged: {faults}")


def times(count: int) -> str:
    return "never" if count == 0 else "once" if count == 1 else f"{count} times"


def judge(found: Found, gaps: dict[str, float], faults: int) -> list[str]:
    """Return the promises that were not kept."""
    figures = found.figures
    return [
        text
        for text, broken in {
            f"audiobend was stopped by {', '.join(found.stopped)}": found.stopped,
            f"{faults} faults were logged": faults,
            "a valid message among mutated packets was not carried out":
                figures["applied"] < figures["valid among them"],
            f"there were gaps in the sound: {gaps}": any(gaps.values()),
            f"{PROMISED_RATE} messages a second were not taken without loss":
                figures[f"share of {PROMISED_RATE} a second"] < 1,
            f"a ping took {figures['ping worst ms']:.0f} ms": figures["ping worst ms"] > 1000 * PROMISED_PING,
        }.items()
        if broken
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=0, help="mutated packets")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--quick", action="store_true", help="5,000 mutated packets, 2 seconds at each rate")
    parser.add_argument("--only", action="store_true", help="without the servers to compare with")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    options.packets = options.packets or (5_000 if options.quick else 250_000)
    with tempfile.TemporaryDirectory() as folder:
        audiobend = Audiobend("audiobend", Path(folder))
        warm_up(audiobend.port)
        before = audiobend.gaps()
        all_found = [campaign(audiobend, options)]
        gaps = {name: value - before[name] for name, value in audiobend.gaps().items()}
        audiobend.stop()
        faults = audiobend.logged().count("OSC goes on") + audiobend.logged().count("Traceback")
        for kind in () if options.only else KINDS:
            server = Server(kind, Path(folder))
            all_found.append(campaign(server, options))
            server.stop()
    if options.json:
        print(json.dumps([vars(one) for one in all_found] + [{"sound": gaps, "faults": faults}], indent=2))
    else:
        report(all_found, gaps, faults)
    broken = judge(all_found[0], gaps, faults)
    if options.check and broken:
        sys.exit("; ".join(broken))


if __name__ == "__main__":
    main()
