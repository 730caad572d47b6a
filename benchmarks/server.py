"""What instances of the plugin cost, and how soon they are bent again after a server was killed.

    python benchmarks/server.py [--quick] [--check] [--json] [--instances N]

A stand-in for the plugin plays noise through `audiobend server`, with the default model, `balanced` and the patch
`low tide`. Memory: of every process, with 1, 2, ... instances; USS is what would be free without it, PSS counts shared
pages by shares. Soon: the server is killed (-9) and another one started; from when that one takes connections, all
instances connect at once and play in real time, until the last one is bent. Promise kept with --check: within 3 s.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import monotonic, sleep
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import psutil

from audiobend.io.patchfile import load_patch
from audiobend.live.rings import Count
from audiobend.server.project import Project, project_text
from tests.server.plugin import Plugin, engines_of

ROOT = Path(__file__).parents[1]
STATE = project_text(Project("corpus-quarter", patch=load_patch(ROOT / "examples" / "patches" / "low_tide.yaml")))
RATE, BLOCK = 44100, 512
SOON = 3.0


class Serving:
    """The server as a process."""

    def __init__(self, path: Path) -> None:
        program = [sys.executable, "-c", "from audiobend.cli import main; main()", "server"]
        environment = os.environ | {"AUDIOBEND_SERVER": str(path), "OMP_NUM_THREADS": "1"}
        words = [*program, "--json", "--osc-port", "0", "--max-instances", "16"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, env=environment, text=True)
        self.facts = json.loads(self.process.stdout.readline())
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def end(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait()


def noise(seconds: float) -> np.ndarray:
    n = round(seconds * RATE / BLOCK) * BLOCK
    return (0.1 * np.random.default_rng(0).standard_normal((n, 2))).astype(np.float32)


def memory(path: Path, pid: int, n: int, seconds: float) -> list[dict[str, Any]]:
    """Open one instance after the other; each plays for a while."""
    plugins, found = [], []
    for _ in range(n):
        begun = monotonic()
        plugins.append(Plugin(path, RATE, BLOCK, STATE).ready())
        ready = monotonic() - begun
        plugins[-1].bounce(noise(seconds))
        engines = engines_of(pid)
        of_all = {one.pid: one.memory_full_info() for one in (psutil.Process(pid), *psutil.Process(pid).children(True))}
        found.append({
            "instances": len(plugins),
            "ready_seconds": round(ready, 2),
            "engine_uss_mb": round(np.mean([of_all[one].uss for one in engines]) / 2**20),
            "engine_pss_mb": round(np.mean([of_all[one].pss for one in engines]) / 2**20),
            "all_pss_mb": round(sum(one.pss for one in of_all.values()) / 2**20),
        })    # fmt: skip
    for plugin in plugins:
        plugin.close()
    return found


def seconds_until_bent(path: Path) -> float:
    """Connect, play in real time, and return when bent sound was heard."""
    begun = monotonic()
    plugin, sound = Plugin(path, RATE, BLOCK, STATE, waits=False), noise(1.0)
    due = monotonic()
    while not plugin.shared[Count.IS_BENT] and monotonic() - begun < 60:
        for first in range(0, len(sound), BLOCK):
            due += BLOCK / RATE
            sleep(max(0.0, due - monotonic()))
            plugin.pass_on(sound[first : first + BLOCK])
            if plugin.shared[Count.IS_BENT]:
                break
    seconds = monotonic() - begun
    plugin.close()
    return seconds


def soon(path: Path, first: Serving, n: int) -> tuple[Serving, float]:
    """Kill a server and start another one; return it, and how long the slowest of some instances took."""
    first.end(signal.SIGKILL)
    second = Serving(path)
    took = [0.0] * n

    def play(index: int) -> None:
        took[index] = seconds_until_bent(path)

    threads = [threading.Thread(target=play, args=(index,)) for index in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return second, max(took)


def main() -> None:
    """Measure and tell."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--quick", action="store_true", help="one instance, one restart")
    words.add_argument("--check", action="store_true", help="exit status 1 where the promise is not kept")
    words.add_argument("--json", action="store_true")
    words.add_argument("--instances", type=int, default=3)
    given = words.parse_args()
    n, rounds, seconds = (1, 1, 1.0) if given.quick else (given.instances, 3, 4.0)
    with tempfile.TemporaryDirectory(prefix="ab-") as folder:
        path = Path(folder) / "server.sock"
        server = Serving(path)
        found: dict[str, Any] = {"expected_load": server.facts["load"], "backend": server.facts["backend"]}
        found["memory"] = memory(path, server.process.pid, n, seconds)
        times = []
        for _ in range(rounds):
            server, slowest = soon(path, server, n)
            times.append(round(slowest, 2))
        server.end()
    found |= {"restarted_with": n, "bent_seconds": times}
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"an instance takes {found['expected_load']:.0%} of a core ({found['backend']})")
        for one in found["memory"]:
            print(
                f"{one['instances']} instance(s): ready in {one['ready_seconds']} s; an engine: USS "
                f"{one['engine_uss_mb']} MB, PSS {one['engine_pss_mb']} MB; all: {one['all_pss_mb']} MB"
            )
        print(f"killed and restarted with {n}: bent {', '.join(map(str, times))} s after the server was there")
    if given.check and max(times) > SOON:
        sys.exit(1)


if __name__ == "__main__":
    main()
