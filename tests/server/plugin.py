"""The plugin's part in Python: it speaks at the socket and turns the rings, as fast as the engine or by the clock."""

import socket
import threading
from contextlib import suppress
from multiprocessing import resource_tracker
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import psutil

from audiobend.live.callback import Callback
from audiobend.live.rings import UNTOUCHED, Count, Parameter, Shared

PATIENCE = 60.0


def until(condition, seconds: float = PATIENCE, pause: float = 0.002) -> None:
    """Wait for something; whoever waits in vain fails."""
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, condition
        sleep(pause)


def attach(name: str) -> Shared:
    """Attach to a segment that belongs to another program: Python would remove it when this one ends."""
    shared = Shared(name)
    resource_tracker.unregister(f"/{name}", "shared_memory")
    return shared


def dial(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(str(path))
    return connection


class Plugin:
    """An instance."""

    def __init__(self, path, rate=44100, block=512, state="", waits=True) -> None:
        self.rate, self.block = rate, block
        self._connection = dial(path)
        self._file = self._connection.makefile("rb")
        self.states: list[str] = []
        self.refusal = ""
        self.send(f"hello 1 {rate} {block}", state)
        self.is_over = threading.Event()
        verb, *words, body = self._read()
        self.shared = None
        if verb == "refuse":
            self.refusal = body
            self._file.close()    # holds the connection open otherwise
            self._connection.close()
            return
        assert verb == "welcome"
        self.memory, self.latency, self.number, self.port = words[0].lstrip("/"), *map(int, words[1:])
        self.shared = attach(self.memory)
        self.shared[Count.WAITS] = waits
        self._callback = Callback(self.shared, 2)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def send(self, words: str, body: str = "") -> None:
        data = body.encode()
        self._connection.sendall(f"{words} {len(data)}\n".encode() + data)

    def _read(self) -> list[str]:
        line = self._file.readline()
        if not line:
            raise EOFError
        words = line.decode().rstrip("\n").split(" ")
        return [*words[:-1], self._file.read(int(words[-1])).decode()]

    def _listen(self) -> None:
        with suppress(EOFError, OSError, ValueError):
            while True:
                verb, *words, body = self._read()
                if verb == "state":
                    self.states.append(body)
                elif verb == "latency":
                    self.latency = int(words[0])
                elif verb == "refuse":
                    self.refusal = body
        self.is_over.set()

    # ---- sound

    def ready(self) -> "Plugin":
        """Wait for the engine."""
        until(lambda: self.shared[Count.READY] and self.shared[Count.RESET] == self.shared[Count.WAS_RESET])
        return self

    def reset(self) -> None:
        """What a host does before it plays anew."""
        self.shared[Count.RESET] = self.shared[Count.PLAYED] + 1
        self.ready()

    def set(self, **values: float) -> None:
        """Turn parameters, by their names (``macro3``), as a bounce does: exactly here."""
        until(lambda: self.shared[Count.TAKEN] == self.shared[Count.PLAYED], pause=0.0002)
        self.turn(**values)
        until(lambda: self.shared[Count.APPLIED] == self.shared[Count.CHANGED], pause=0.0002)

    def turn(self, **values: float) -> None:
        """Turn parameters, and go on."""
        for name, value in values.items():
            number = Parameter.MACRO + int(name[5:]) - 1 if name.startswith("macro") else Parameter[name.upper()]
            self.shared.parameters[number] = value
        self.shared[Count.CHANGED] += 1

    def untouch(self) -> None:
        """As it was in the beginning."""
        self.shared.parameters[:] = UNTOUCHED
        self.shared.parameters[Parameter.GAIN] = np.nan

    def pass_on(self, block: np.ndarray) -> np.ndarray:
        """Hand over a block ``(time, 2)``, return what is heard."""
        played = np.empty_like(block)
        self._callback(block, played)
        return played

    def bounce(self, sound: np.ndarray, sizes=(0,), moves=None) -> np.ndarray:
        """Return all that a sound ``(time, 2)`` becomes, aligned with it: blocks of these sizes, by turns.

        ``moves`` says what is turned at the first block that begins at such a sample or later.
        """
        self.ready()
        given = np.concatenate([sound, np.zeros((self.latency, 2), np.float32)])
        moves = dict(sorted((moves or {}).items()))
        heard, position, n = [], 0, 0
        while position < len(given):
            while moves and next(iter(moves)) <= position:
                self.set(**moves.pop(next(iter(moves))))
            size = sizes[n % len(sizes)] or self.block
            heard.append(self.pass_on(given[position : position + size]))
            position, n = position + size, n + 1
        return np.concatenate(heard)[self.latency :]

    def close(self) -> None:
        """Leave."""
        if self.shared is None:
            return
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        del self._callback
        self.shared.close()
        self.shared = None
        self._file.close()
        self._connection.close()

    def __enter__(self) -> "Plugin":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def engines_of(server: int) -> list[int]:
    """Numbers of the processes that bend for a server."""
    return [process.pid for process in psutil.Process(server).children(recursive=True) if process.ppid() != server]
