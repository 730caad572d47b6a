"""The audio call as Python reaches it, and an engine for it that hands back what it gets."""

import ctypes
import threading
from ctypes import POINTER, c_char_p, c_double, c_float, c_int, c_int64, c_uint32, c_void_p
from enum import IntEnum
from pathlib import Path
from time import sleep

import numpy as np

from audiobend.live.chain import Chain
from audiobend.live.latency import Latency
from audiobend.live.pump import Pump
from audiobend.live.rings import Count, Shared
from tests.realtime.standin import LATENCY, Delay

CUSHION = 1024


class Status(IntEnum):
    NO_SERVER = 0
    STARTING = 1
    BENT = 2
    LATE = 3
    REFUSED = 4


class Waits(IntEnum):
    AUTO = 0
    NEVER = 1
    ALWAYS = 2


class Native:
    """The compiled library."""

    def __init__(self, path: Path) -> None:
        self.path = path
        library = ctypes.CDLL(str(path))
        floats = POINTER(c_float)
        for name, result, *kinds in (
            ("bridge_new", c_void_p, c_double, c_uint32), ("bridge_delete", None, c_void_p),
            ("bridge_activate", None, c_void_p, c_double, c_uint32), ("bridge_offer", c_char_p, c_void_p, c_char_p),
            ("bridge_set", None, c_void_p, c_uint32, c_float), ("bridge_waits", None, c_void_p, c_int),
            ("bridge_prospect", None, c_void_p, c_int), ("bridge_status", c_int, c_void_p),
            ("bridge_delay", c_int64, c_void_p), ("bridge_run", None, c_void_p, floats, floats, c_uint32),
            ("link_new", c_void_p, c_void_p), ("link_delete", None, c_void_p),
            ("link_connect", None, c_void_p, c_uint32, c_uint32), ("link_rest", None, c_void_p),
            ("link_set", None, c_void_p, c_char_p), ("link_state", c_char_p, c_void_p),
            ("link_set_told", None, c_void_p, c_char_p), ("link_told", c_char_p, c_void_p),
            ("link_delay", c_int64, c_void_p, c_uint32, c_uint32),
            ("socket_path", c_char_p), ("command_path", c_char_p),
        ):    # fmt: skip
            function = getattr(library, name)
            function.restype, function.argtypes = result, kinds
            setattr(self, name, function)


class Bridge:
    """One audio call; used as the host and as the link use it."""

    def __init__(self, native: Native, rate: int = 44100, block: int = 512) -> None:
        self._native, self._rate, self._block = native, rate, block
        self._it = native.bridge_new(rate, block)

    def __enter__(self) -> "Bridge":
        return self

    def __exit__(self, *_: object) -> None:
        self._native.bridge_delete(self._it)

    def activate(self) -> None:
        self._native.bridge_activate(self._it, self._rate, self._block)

    def offer(self, name: str | None) -> str:
        """Returns what is wrong with a segment; None takes away the one in use."""
        path = "" if name is None else name if name.startswith("/") else f"/{name}"
        return self._native.bridge_offer(self._it, path.encode()).decode()

    def set(self, parameter: int, value: float) -> None:
        self._native.bridge_set(self._it, parameter, value)

    def waits(self, waits: Waits) -> None:
        self._native.bridge_waits(self._it, waits)

    def prospect(self, status: Status) -> None:
        self._native.bridge_prospect(self._it, status)

    @property
    def status(self) -> Status:
        return Status(self._native.bridge_status(self._it))

    @property
    def delay(self) -> int:
        return self._native.bridge_delay(self._it)

    def run(self, block: np.ndarray) -> np.ndarray:
        """Take a block ``(time, 2)`` and return as much."""
        sound = np.array(block.T, dtype=np.float32, order="C", copy=True)
        left, right = (channel.ctypes.data_as(POINTER(c_float)) for channel in sound)
        self._native.bridge_run(self._it, left, right, len(block))
        return sound.T

    def play(self, sound: np.ndarray, n: int, between=lambda: None) -> np.ndarray:
        """Take a sound in blocks; ``between`` is called after each of them."""
        out = []
        for start in range(0, len(sound), n):
            out.append(self.run(sound[start : start + n]))
            between()
        return np.concatenate(out)


class Link:
    """The way of one audio call to the server."""

    def __init__(self, native: Native, bridge: Bridge) -> None:
        self._native, self._it = native, native.link_new(bridge._it)

    def __enter__(self) -> "Link":
        return self

    def __exit__(self, *_: object) -> None:
        self._native.link_delete(self._it)

    def connect(self, rate: int = 44100, block: int = 512) -> None:
        self._native.link_connect(self._it, rate, block)

    @property
    def state(self) -> str:
        return self._native.link_state(self._it).decode()

    @state.setter
    def state(self, text: str) -> None:
        self._native.link_set(self._it, text.encode())

    @property
    def told(self) -> str:
        return self._native.link_told(self._it).decode()

    @told.setter
    def told(self, text: str) -> None:
        self._native.link_set_told(self._it, text.encode())

    def delay(self, rate: int, block: int) -> int:
        return self._native.link_delay(self._it, rate, block)


class Engine:
    """The server's side of one segment: the real pump, around an engine that is nothing but its latency.

    It turns the sound's sign, unless ``sign`` is 1: then bent and dry sound are the same, sample for sample.
    """

    def __init__(self, rate: int = 44100, block: int = 512, sign: float = -1.0, delay: int | None = None) -> None:
        self.shared = Shared()
        self.latency = Latency(rate, LATENCY, 44100, CUSHION, block)
        self.shared[Count.BLOCK], self.shared[Count.DELAY] = block, delay or self.latency.delay
        self._delay = Delay(2)
        self._delay.gain = sign
        self._rate = rate
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.applied: list[tuple[int, list[float]]] = []    # position from which on, parameters

    @property
    def name(self) -> str:
        return self.shared.name

    def ready(self) -> "Engine":
        """The engine stands."""
        self._pump = Pump(self.shared, Chain(self._delay, 2, self._rate, 44100), 2, self._rate, 0.02)
        self.shared[Count.READY] = 1
        return self

    def step(self) -> None:
        """Work on all that is there, and take new parameters."""
        shared = self.shared
        shared[Count.BEAT] += 1
        if not shared[Count.READY]:
            return
        while self._pump.is_due:
            self._pump.step()
        if shared[Count.CHANGED] != shared[Count.APPLIED]:
            self.applied.append((shared[Count.TAKEN], shared.parameters.tolist()))
            self._delay.gain = -float(shared.parameters[6]) if shared.parameters[6] >= 0 else self._delay.gain
            shared[Count.APPLIED] = shared[Count.CHANGED]

    def start(self) -> "Engine":
        """Work on a thread of its own."""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def _work(self) -> None:
        while not self._stop.is_set():
            self.step()
            sleep(0.0002)

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if hasattr(self, "_pump"):
            del self._pump
        self.shared.close()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
