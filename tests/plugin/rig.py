"""A real server and a real host, each as a process."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

from tests.realtime.rig import end_with_us, wait_for

ROOT = Path(__file__).parents[2]
AUDIOBEND = [sys.executable, "-c", "from audiobend.cli import main; main()"]
BACKEND = "torch"


class Server:
    """``audiobend server`` at a socket of its own; what it says is kept."""

    def __init__(self, folder: Path, *words: object) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.path = folder / "s"
        ports = ["--osc-port", "0", "--page-port", "0"]
        self._words = [*AUDIOBEND, "server", "--json", *ports, "--backend", BACKEND, *map(str, words)]
        self.environment = {"AUDIOBEND_SERVER": str(self.path), "AUDIOBEND_NO_SPAWN": "1", "OMP_NUM_THREADS": "1"}
        self.start()

    def start(self) -> "Server":
        self.said: list[dict] = []
        self._process = subprocess.Popen(
            self._words, env=os.environ | self.environment, stdout=subprocess.PIPE, text=True, preexec_fn=end_with_us
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        assert wait_for(lambda: any(line["event"] == "start" for line in self.said), 120), self._process.poll()
        return self

    def _listen(self, process: subprocess.Popen) -> None:
        for line in process.stdout:
            self.said.append(json.loads(line))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def instances(self) -> list[dict]:
        """As it said last."""
        return next((line["instances"] for line in reversed(self.said) if line["event"] == "status"), [])

    def news(self, condition, seconds: float = 60) -> bool:
        """Whether a status that comes from now on has instances of which something is true."""
        begun = len(self.said)

        def is_so() -> bool:
            return any(line["event"] == "status" and condition(line["instances"]) for line in self.said[begun:])

        return wait_for(is_so, seconds)

    def segments(self) -> list[Path]:
        return list(Path("/dev/shm").glob(f"audiobend-{self.pid}-*"))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


class Host:
    """`host.py`, or the CLAP host that was compiled from ``native/``, as a process."""

    def __init__(self, program: list[str | Path], environment: dict[str, str], folder: Path) -> None:
        self._folder, self._n = folder, 0
        self._process = subprocess.Popen(
            list(map(str, program)), env=os.environ | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, preexec_fn=end_with_us,
        )    # fmt: skip

    def tell(self, *order: object) -> None:
        self._process.stdin.write(" ".join(map(str, order)) + "\n")
        self._process.stdin.flush()

    def heard(self) -> str:
        """The answer to the oldest order that has none yet."""
        line = self._process.stdout.readline()
        assert line, "the host has ended"
        return line.rstrip("\n")

    def ask(self, *order: object) -> str:
        self.tell(*order)
        return self.heard()

    def begin(self, sound: np.ndarray, rate: int = 44100, block: int = 512) -> Path:
        """Hand over a sound ``(time, 2)``; the file where it will be, without the latency, when it has been `heard`."""
        self._n += 1
        given, out = self._folder / f"in{self._n}.f32", self._folder / f"out{self._n}.f32"
        np.float32(sound).tofile(given)
        self.tell("play", given, rate, block, out)
        return out

    def play(self, sound: np.ndarray, rate: int = 44100, block: int = 512, **values: float) -> np.ndarray:
        """What comes out, with parameters set before."""
        for name, value in values.items():
            self.ask("set", name, value)
        out = self.begin(sound, rate, block)
        self.latency = int(self.heard())
        return sound_of(out)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def close(self) -> None:
        self._process.communicate()

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def sound_of(path: Path) -> np.ndarray:
    """What a host has written, ``(time, 2)``."""
    return np.fromfile(path, np.float32).reshape(-1, 2)
