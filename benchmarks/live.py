"""A performance through a real sound server: late blocks, memory, drift, and how fast faults are survived.

    python benchmarks/live.py [--quick] [--check] [--minutes N] [--soak N] [--json]

JACK's dummy driver is the card (`apt-get install jackd2 libportaudio2`), a JACK client with noise is the microphone.
Quiet: N minutes (10) in real time with the default model, balanced, one channel, eight bends. Soak: N minutes (60) of
sound as fast as the engine takes it, memory of the engine's and the audio process, and the delay at the beginning and
the end. Faults: five times each the server and the engine are killed. Promises kept with --check: no late block; no
more than 20 MiB growth; no drift; a dead server noticed within 0.5 s, sound back within 5 s of its return; dry sound
within 0.3 s of the engine's death.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import psutil

from audiobend.live.dsp import Wanted
from audiobend.live.rings import Count
from audiobend.live.warm import make_player
from audiobend.live.warming import warm_up
from audiobend.spectral.live_settings import LiveSettings
from audiobend.speed import eight_bends
from tests.realtime.rig import Playing, Server, SoftCard, lag_of, noise, setup

RATE = 44100


def performance(bypass: bool = False, **changes: Any) -> Playing:
    """The default model, balanced, eight bends, mono; bypassed it works as hard, but the sound can be found again."""
    wanted = Wanted(None, eight_bends(), bypass)
    return Playing(setup(wanted=wanted, settings=LiveSettings(n_channels=1), make=make_player, forks=True, **changes))


def quiet(folder: Path, minutes: float) -> dict[str, Any]:
    """Play in real time; the microphone plays half a minute of noise again and again."""
    card = SoftCard(folder, noise(30), "--loop", seconds=10)
    with performance() as playing:
        playing.until_bent()
        loads = []
        for _ in range(max(1, round(minutes * 60))):
            playing.play(1.0)
            status = playing.supervisor.status()
            loads.append((status.load, status.peak_load))
        load, peak = np.array(loads).T
    card.close()
    return {
        "minutes": minutes,
        "late_blocks": status.late_blocks,
        "xruns": status.xruns,
        "lost_seconds": round(status.lost_seconds, 3),
        "load_mean": round(float(load.mean()), 3),
        "load_worst_stride": round(float(peak.max()), 3),
        "latency_ms": round(playing.supervisor.latency.total_ms, 1),
    }


def soak(folder: Path, minutes: float) -> dict[str, Any]:
    """Play as fast as the engine takes it."""
    seconds = 60 * minutes
    card = SoftCard(folder, noise(30), "--loop", seconds=10)
    sizes = []
    with performance(bypass=True, waits=True) as playing:
        playing.until_bent()
        playing.play(3.0)
        before = delay_of(playing)
        card.freewheel()
        begun = monotonic()
        for _ in range(20):
            playing.play(seconds / 20, patience=3600)
            pids = playing.supervisor.pids
            sizes.append([psutil.Process(pid).memory_full_info().uss / 2**20 for pid in pids.values()])
        took = monotonic() - begun
        after = delay_of(playing)
    card.close()
    growth = np.array(sizes)[-1] - np.array(sizes)[4]    # the rings fill, the compiled loops settle
    return {
        "minutes": minutes,
        "times_real_time": round(seconds / took, 2),
        "growth_mib": dict(zip(pids, (round(float(one), 1) for one in growth), strict=True)),
        "delay_before": before,
        "delay_after": after,
    }


def delay_of(playing: Playing) -> int:
    """Samples between the input ring and the output ring: where a stretch of the one is found in the other."""
    shared, n = playing.supervisor._shared, 16384
    played = shared[Count.PLAYED] - 4 * n
    heard, meant = np.empty((n, 2), np.float32), np.empty((4 * n, 2), np.float32)
    shared.output.get(played, heard)
    shared.input.get(played - 3 * n, meant)
    return 3 * n + lag_of(heard, meant, 0)


def faults(folder: Path, server: Server, rounds: int) -> dict[str, Any]:
    """Kill the server and the engine by turns, and time what follows."""
    noticed, back, dry, bent = [], [], [], []
    card = SoftCard(folder, noise(30), "--loop", seconds=10)
    with performance() as playing:
        playing.until_bent()
        for _ in range(rounds):
            playing.play(2.0)
            begun = monotonic()
            server.kill()
            playing.until(lambda: playing.supervisor.status().card != "running")
            noticed.append(monotonic() - begun)
            playing.supervisor.watch(1.0)
            card.close()
            server.start()
            card = SoftCard(folder, noise(30), "--loop", seconds=10)
            begun = monotonic()
            playing.until_bent()
            back.append(monotonic() - begun)
            playing.play(2.0)
            begun = monotonic()
            os.kill(playing.supervisor.pids["engine"], signal.SIGKILL)
            playing.until(lambda: not playing.supervisor.status().is_bent)
            dry.append(monotonic() - begun)
            playing.until_bent()
            bent.append(monotonic() - begun)
            playing.play(2.0)
    card.close()
    names = ("server_death_noticed_s", "sound_after_cards_return_s", "dry_after_engines_death_s")
    worst = {name: round(max(times), 2) for name, times in zip(names, (noticed, back, dry), strict=True)}
    # Each engine that soon follows another to its death is waited for a second longer, so all of them are told.
    return worst | {"bent_again_s": [round(seconds, 2) for seconds in bent]}


def broken(result: dict[str, dict[str, Any]]) -> list[str]:
    """Return the promises that were not kept."""
    quiet, soak, faults = result["quiet"], result["soak"], result["faults"]
    promises = {
        "no late block": quiet["late_blocks"] == 0,
        "memory grows by 20 MiB at most": max(soak["growth_mib"].values()) <= 20,
        "no drift": soak["delay_before"] == soak["delay_after"],
        "a dead server is noticed within 0.5 s": faults["server_death_noticed_s"] <= 0.5,
        "sound is back within 5 s": faults["sound_after_cards_return_s"] <= 5,
        "dry within 0.3 s of the engine's death": faults["dry_after_engines_death_s"] <= 0.3,
    }
    return [name for name, kept in promises.items() if not kept]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="some seconds of everything")
    parser.add_argument("--check", action="store_true", help="exit status 1 where a promise was not kept")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--soak", type=float, default=60.0)
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    minutes, long, rounds = (0.1, 0.2, 1) if words.quick else (words.minutes, words.soak, 5)
    warm_up(None)    # as audiobend live does
    server = Server(RATE).start()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            result = {"quiet": quiet(folder, minutes), "faults": faults(folder, server, rounds)}
            result["soak"] = soak(folder, long)
    finally:
        server.close()
    if words.json:
        print(json.dumps(result, indent=2))
    else:
        for part, facts in result.items():
            print(part)
            for fact, value in facts.items():
                print(f"  {fact:30} {value}")
    if words.check and (names := broken(result)):
        sys.exit("; ".join(names))


if __name__ == "__main__":
    main()
