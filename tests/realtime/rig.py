"""A sound server without a sound card, a card made of software, and a performance between them."""

import ctypes
import itertools
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import psutil

from audiobend.bending import Patch
from audiobend.live.audio import Card
from audiobend.live.dsp import Wanted
from audiobend.live.setup import Setup
from audiobend.live.supervisor import Supervisor
from audiobend.spectral.live_settings import LiveSettings
from tests.realtime import standin

PERIOD = 1024
_numbers = itertools.count()


def shared_memory() -> set[str]:
    return {path.name for path in Path("/dev/shm").iterdir()}


def end_with_us() -> None:
    """In a new process: be killed when the tests are (Linux)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def forget_dead_servers() -> None:
    """Empty JACK's list of eight servers where none runs: a killed one stays in it while its number is in use again."""
    if not any(process.info["name"] == "jackd" for process in psutil.process_iter(["name"])):
        with suppress(OSError):
            Path("/dev/shm/jack-shm-registry").unlink()


class Server:
    """jackd without hardware, under a name of its own."""

    def __init__(self, rate: int) -> None:
        self.rate, self.name = rate, f"audiobend{os.getpid()}x{next(_numbers)}"
        self._before = shared_memory()
        os.environ.update(JACK_DEFAULT_SERVER=self.name, JACK_NO_AUDIO_RESERVATION="1", JACK_NO_START_SERVER="1")

    def start(self) -> "Server":
        forget_dead_servers()
        words = ["jackd", "-n", self.name, "-R", "-S", "-d", "dummy", "-r", self.rate, "-p", PERIOD, "-C", 2, "-P", 2]
        nowhere = subprocess.DEVNULL
        self._process = subprocess.Popen(list(map(str, words)), stdout=nowhere, stderr=nowhere, preexec_fn=end_with_us)
        subprocess.run(["jack_wait", "-w", "-t", "20", "-s", self.name], check=True, stdout=nowhere, stderr=nowhere)
        return self

    def kill(self) -> None:
        """As if it had crashed; it leaves 100 MB of shared memory behind."""
        self._process.kill()
        self._process.wait()
        self._sweep()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._sweep()

    def _sweep(self) -> None:
        for name in shared_memory() - self._before:
            if name.startswith("jack") and name != "jack-shm-registry":
                with suppress(OSError):
                    (Path("/dev/shm") / name).unlink()


# Wires are laid by other processes: libjack keeps the list of servers that it has seen first, for as long as it lives.


def ports(start: str, way: str) -> list[str]:
    """Names of the audio ports that begin so; ``way`` is "input" or "output"."""
    listing = subprocess.run(["jack_lsp", "-p", "-t"], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^(\S.*)\n\tproperties: (.*)\n\t(.*)", listing, re.MULTILINE)
    return [name for name, kinds, type in found if name.startswith(start) and way in kinds and type.endswith("audio")]


def connected_to(port: str) -> list[str]:
    """Names of the ports that a port is connected to."""
    listing = subprocess.run(["jack_lsp", "-c", port], check=True, capture_output=True, text=True).stdout
    return [line.strip() for line in listing.splitlines() if line.startswith(" ")]


def connect(source: str, target: str) -> None:
    """Lay a wire."""
    subprocess.run(["jack_connect", source, target], check=True, capture_output=True)


class SoftCard:
    """`soft_card.py` as a process: its microphone plays ``sound`` ``(time, 2)``, its speaker is recorded."""

    def __init__(
        self, folder: Path, sound: np.ndarray | None, *flags: str, seconds: float = 120, name: str = "softcard"
    ) -> None:
        number = next(_numbers)
        self._target = folder / f"speaker{number}.npy"
        source = "-"
        if sound is not None:
            source = str(folder / f"microphone{number}.npy")
            np.save(source, sound)
        program = Path(__file__).with_name("soft_card.py")
        words = [sys.executable, program, name, source, self._target, seconds, *flags]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(list(map(str, words)), preexec_fn=end_with_us, **pipes)
        assert self._process.stdout.readline() == "ready\n"
        self.pid = self._process.pid

    @property
    def position(self) -> int:
        """Samples that it has played and recorded."""
        return self._ask("")

    def freewheel(self) -> None:
        """Let the server run as fast as its clients take it."""
        self._ask("freewheel")

    def _ask(self, line: str) -> int:
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def so_far(self) -> np.ndarray:
        """What the speaker got until now, ``(time, 2)``; it goes on."""
        self._ask("save")
        return np.load(self._target)

    def recorded(self) -> np.ndarray:
        """End it; what the speaker got until now, ``(time, 2)``."""
        self._process.communicate()
        return np.load(self._target)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def noise(seconds: float, rate: int = 44100, seed: int = 0) -> np.ndarray:
    """White noise ``(time, 2)``, at -20 dB: any stretch of it can be found again."""
    samples = np.random.default_rng(seed).standard_normal((round(seconds * rate), 2))
    return np.clip(0.1 * samples, -0.9, 0.9).astype(np.float32)


def setup(**changes) -> Setup:
    """A performance with the stand-in engine on the software card."""
    card = Card("softcard", "softcard")
    return replace(Setup(Wanted(None, Patch()), LiveSettings(n_channels=2), card, make=standin.make), **changes)


class Playing:
    """A started performance and the sentences that it told."""

    def __init__(self, the_setup: Setup) -> None:
        self.told: list[str] = []
        self.supervisor = Supervisor(the_setup, self.told.append)
        try:
            assert self.supervisor.start()
        except BaseException:
            self.supervisor.close()
            raise

    def until(self, condition, seconds: float = 40.0) -> None:
        """Watch until something is true; a test that waits in vain fails."""
        end = monotonic() + seconds
        while not condition():
            assert monotonic() < end, (condition, self.told, self.supervisor.status())
            self.supervisor.watch(0.02)

    def until_bent(self) -> None:
        self.until(lambda: self.supervisor.status().is_bent and self.supervisor.status().card == "running")

    def play(self, seconds: float, patience: float = 40.0) -> None:
        """Watch until so much sound has passed."""
        end = self.supervisor.status().seconds + seconds
        self.until(lambda: self.supervisor.status().seconds >= end, patience)

    def __enter__(self) -> "Playing":
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.close()


def lag_of(recorded: np.ndarray, sound: np.ndarray, at: int, n: int = 8192) -> int:
    """By how many samples the recording is later than the sound, from ``n`` samples of it at ``at`` (either sign)."""
    from scipy.signal import fftconvolve

    found = fftconvolve(sound[:, 1], recorded[at : at + n, 1][::-1], mode="valid")
    return at - int(np.argmax(np.abs(found)))


def wait_for(condition, seconds: float = 20.0) -> bool:
    """Whether something becomes true."""
    end = monotonic() + seconds
    while not (is_so := bool(condition())) and monotonic() < end:
        sleep(0.02)
    return is_so
