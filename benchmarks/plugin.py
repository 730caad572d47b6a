"""The plugin in a real host over a real sound server: late blocks, latency, and a server that is killed while it plays.

    python benchmarks/plugin.py [--quick] [--check] [--seconds N] [--json]

JACK's dummy driver is the card, jalv hosts the LV2 (`apt-get install jackd2 dpf-source jalv`), `audiobend server` bends
with the default model, balanced, and examples/patches/low_tide.yaml. Two plugins play noise for N seconds (60) side by
side; one has mix 0, so that its sound passes the engine and can be found again to the sample. Then the server is killed
while they play, and started again. Promises kept with --check: no late block in either plugin; latency as reported; dry
sound within a block of what the engine had handed over; bent sound within 3 s of the new server's command.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from time import monotonic, sleep
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np

from audiobend.live.rings import HEADER, Count
from audiobend.plugin.building import build
from tests.plugin.jalv import Jalv, patch_between
from tests.plugin.rig import Server as Bending
from tests.realtime.rig import PERIOD, Server, SoftCard, noise, wait_for

RATE = 44100
PATCH = ROOT / "examples" / "patches" / "low_tide.yaml"
PROMISED_RETURN = 3.0


def counts(bending: Bending) -> list[dict[str, int]]:
    """What the plugins have counted, one after the other."""
    found = []
    for path in sorted(bending.segments()):
        numbers = np.memmap(path, np.int64, "r", HEADER.size, (len(Count),))
        found.append({name: int(numbers[Count[name]]) for name in ("CALLBACKS", "LATE")})
    return found


def played(card: SoftCard, hosts: list[Jalv], bending: Bending, seconds: float) -> dict[str, Any]:
    """Let them play for a while."""
    patch_between("softcard", *hosts)
    assert wait_for(lambda: all(host.status == 2 for host in hosts), 60)
    sleep(1.0)
    before, begun = counts(bending), card.position
    end = begun + round(seconds * RATE)
    loads = []
    while card.position < end:
        sleep(1.0)
        loads.append(sum(instance.get("load", 0.0) for instance in bending.instances))
    after = counts(bending)
    return {
        "seconds": round((card.position - begun) / RATE, 1),
        "instances": len(after),
        "blocks": sum(b["CALLBACKS"] - a["CALLBACKS"] for a, b in zip(before, after, strict=True)),
        "late_blocks": sum(b["LATE"] - a["LATE"] for a, b in zip(before, after, strict=True)),
        "load_mean": round(float(np.mean(loads)), 3),
        "load_max": round(float(np.max(loads)), 3),
    }


def killed(card: SoftCard, host: Jalv, bending: Bending) -> tuple[dict[str, Any], int]:
    """Kill the server and start another; return when what happened, and where the sound was dry for certain."""
    at, begun = card.position, monotonic()
    bending.kill()
    assert wait_for(lambda: host.status in (0, 1, 3))
    noticed = monotonic() - begun
    sleep(2.0)
    dry, begun = card.position - 2 * PERIOD, monotonic()
    bending.start()
    started = monotonic()
    assert wait_for(lambda: host.status == 2, 60)
    found = {
        "status_after_s": round(noticed, 3),
        "server_starts_in_s": round(started - begun, 2),
        "bent_after_s": round(monotonic() - begun, 2),    # from the new server's command
        "killed_at": at,
        "host_alive": host.is_alive,
    }
    return found, dry


def lag_of(recorded: np.ndarray, sound: np.ndarray, at: int) -> int:
    """By how many samples a second of a recording is later than the sound that is played again and again."""
    part = recorded[at : at + 8192]
    spectrum = np.fft.rfft(sound) * np.conj(np.fft.rfft(part, len(sound)))
    return (at - int(np.argmax(np.fft.irfft(spectrum, len(sound))))) % len(sound)


def first_dry(recorded: np.ndarray, sound: np.ndarray, lag: int, at: int, dry: int) -> int:
    """From which sample after ``at`` on all is the input, bit for bit, up to where it is known to be."""
    positions = np.arange(at, dry)
    bent = recorded[positions] != sound[(positions - lag) % len(sound)]
    return int(positions[bent][-1]) + 1 if bent.any() else at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5 seconds")
    parser.add_argument("--check", action="store_true", help="judge the promises; exit status 1 where one is broken")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    seconds = 5.0 if asked.quick else asked.seconds
    period = 8 * PERIOD * 200
    sound = noise(period / RATE + 1)[:period]
    with tempfile.TemporaryDirectory() as folder:
        bundles = build(["lv2"], Path(folder) / "bundles")
        server, bending = Server(RATE).start(), Bending(Path(folder) / "run", "--patch", PATCH, "--max-instances", 4)
        card, hosts = SoftCard(Path(folder), sound, "--loop", seconds=seconds + 120), []
        try:
            for name, values in (("through", {"mix": 0.0}), ("bent", {})):
                hosts.append(Jalv(bundles["lv2"].parent, name, bending.environment, **values))
            quiet = played(card, hosts, bending, seconds)
            latency = hosts[0].latency()
            death, dry = killed(card, hosts[1], bending)
            recorded = card.recorded()
        finally:
            for host in hosts:
                host.close()
            card.close()
            bending.close()
            server.close()
    lag = lag_of(recorded[:, 0], sound[:, 0], 2 * RATE + RATE)
    at = death.pop("killed_at")
    turned = first_dry(recorded[:, 1], sound[:, 0], lag, at, dry)
    death["dry_after_ms"] = round(1000 * (turned - at) / RATE, 1)    # the engine was ahead
    figures = quiet | {"latency_reported": latency, "latency_measured": lag - PERIOD} | death
    show(figures, asked.json)
    if asked.check:
        judge(figures)


def show(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):24} {value}")


def judge(figures: dict[str, Any]) -> None:
    broken = [
        sentence
        for is_kept, sentence in (
            (figures["late_blocks"] == 0, "a block was late"),
            (figures["latency_measured"] == figures["latency_reported"], "the latency is not the one that is reported"),
            (figures["host_alive"], "the host has ended"),
            (figures["bent_after_s"] <= PROMISED_RETURN, "bent sound was not back in time"),
        )
        if not is_kept
    ]
    for sentence in broken:
        print(f"broken: {sentence}", file=sys.stderr)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
