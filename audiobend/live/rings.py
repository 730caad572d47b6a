"""What the processes of a live run share: three rings of sound and a few counters, without a lock.

Every ring and every counter has a single writer. Positions are numbers of samples since the start, 64 bits wide, that
only grow; the place in a ring is the position modulo its capacity. A writer writes the samples first and the counter
after them, so a reader that has seen the counter finds the samples.

The order of everything is that of `docs/plugin-protocol.md`, by which programs in other languages read it too.
"""

import os
import secrets
import struct
from enum import IntEnum, auto
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiobend.errors import DeviceError

MAGIC, VERSION = b"audiobnd", 1
HEADER = struct.Struct("<8sIIQqIIIII12x")
"""Magic, version, size of the header, of all, the owner's pid, counts, gauges, capacity, channels, parameters."""
CAPACITY = 2**19
"""Samples per channel in a ring: 10.9 s at 48 kHz, 2.7 s at 192 kHz."""
CHANNELS = 2
FADE = 64
"""Samples over which bent and dry sound are cross-faded; the engine keeps this far ahead of the card."""
MAX_MAPS, MAP_WIDTH = 64, 32
SEEN = np.dtype([("column", np.int64), ("hue", np.uint8), ("change", np.uint8, 513)])
"""A column as the network saw it: which one, what changed it most, and by how much, 255 for 24 dB and more."""
MAPPED = np.dtype([("column", np.int64), ("maps", np.float32, (MAX_MAPS, MAP_WIDTH))])
"""Activation maps of one stride: its last column, and how strongly each cluster lit up along frequency."""
N_SEEN, N_MAPPED = 1024, 32

Samples = NDArray[np.float32]


class Count(IntEnum):
    """Whole numbers in shared memory, each with its one writer."""

    # written by the audio callback
    PLAYED = 0         # samples that have passed the sound card
    CALLBACKS = auto()
    BLOCK = auto()     # the largest block yet, samples
    LATE = auto()      # blocks that had to be dry because the engine was not there in time
    LATE_SAMPLES = auto()
    XRUNS = auto()     # blocks that PortAudio flagged
    IS_BENT = auto()   # 1 while bent sound is heard
    # written by the audio callback, or by the source where a file is played
    CAPTURED = auto()  # samples of input in the ring
    # written by the source
    ENDS = auto()      # length of the input plus 1, once it is known; 0 before
    # written by the engine's process
    WRITTEN = auto()   # samples of output in the ring
    VALID = auto()     # first position from which the output is sound (after a start or a skip)
    SKIPPED = auto()   # samples that were never bent, because the engine was too far behind
    READY = auto()     # 1 when the engine runs
    # written by the supervisor
    DELAY = auto()     # samples between input and output; 0 while unknown
    KEEPS = auto()     # 1 when what is played goes into the third ring
    WAITS = auto()     # 1 when the card waits for the engine, faster or slower than real time
    STOP = auto()
    FROM_FILE = auto() # 1 while the input is a file: what the card captures is left alone
    # written by the page's process
    LOOKS = auto()     # 1 while somebody wants to see what the network does
    TURNS = auto()     # 1 while a browser turns the rings in the place of the clock
    # written by a plugin, which also writes what the audio callback does, and WAITS
    CHANGED = auto()   # grows with every change of the parameters, after them
    RESET = auto()     # 1 + the position from which the engine shall go on as if it had heard nothing; 0 never
    # written by the engine's process
    WAS_RESET = auto() # the newest RESET that was carried out
    TAKEN = auto()     # samples of input that were bent or skipped: changes come from there on
    # written by the supervisor
    BEAT = auto()      # grows at every look
    APPLIED = auto()   # the newest CHANGED that sounds


class Gauge(IntEnum):
    """Real numbers in shared memory."""

    # written by the audio process
    RATE = 0           # Hz
    IN_SECONDS = auto()     # latency of the card's two directions as PortAudio tells it
    OUT_SECONDS = auto()
    # written by the engine's process
    LOAD = auto()      # seconds of work per second of sound, over the last second
    PEAK_LOAD = auto() # the longest time that a stretch of one stride took, as a share of the stride
    IN_DB = auto()     # level of input and output, dB of full scale
    OUT_DB = auto()


class Parameter(IntEnum):
    """What a host automates, as real numbers; one that it has never touched is `UNTOUCHED`, a gain NaN."""

    BYPASS = 0         # the plugin's own business
    MIX = auto()       # 0..1
    DETAIL = auto()    # 0..1
    GAIN = auto()      # dB, -60..24
    SCENE = auto()     # 0: the patch as it is, 1..16: that scene
    MORPH = auto()     # 0..1, from that scene to the next one
    MACRO = auto()     # 0..1, the first of them


N_MACROS = 16
N_PARAMETERS = Parameter.MACRO + N_MACROS
UNTOUCHED = -1.0


SIZE = (
    HEADER.size + 8 * (len(Count) + len(Gauge) + N_PARAMETERS) + 3 * 4 * CAPACITY * CHANNELS
    + N_SEEN * SEEN.itemsize + N_MAPPED * MAPPED.itemsize
)    # fmt: skip
"""Bytes of all."""


class Ring:
    """Sound by position: ``(capacity, channel)``, any stretch up to the capacity.

    Examples
    --------
    >>> ring = Ring(np.zeros((4, 2), dtype=np.float32))
    >>> ring.put(3, np.array([[1, 1], [2, 2]], dtype=np.float32))
    >>> out = np.empty((2, 2), dtype=np.float32)
    >>> ring.get(3, out)
    >>> out[:, 0].tolist()
    [1.0, 2.0]
    """

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self.capacity = len(samples)

    def put(self, position: int, block: Samples, channels: int = 0) -> None:
        """Write a block ``(time, channel)`` at a position; channels that the block lacks stay as they are.

        With ``channels`` a block of one channel fills so many.
        """
        n = len(block)
        channels = channels or block.shape[1]
        start = position % self.capacity
        first = min(n, self.capacity - start)
        self._samples[start : start + first, :channels] = block[:first]
        if first < n:
            self._samples[: n - first, :channels] = block[first:]

    def get(self, position: int, out: Samples, channels: int = CHANNELS) -> None:
        """Fill ``out`` ``(time, channel)``; a ring with one channel in use fills both."""
        n = len(out)
        channels = min(channels, out.shape[1])
        start = position % self.capacity
        first = min(n, self.capacity - start)
        out[:first] = self._samples[start : start + first, :channels]
        if first < n:
            out[first:] = self._samples[: n - first, :channels]


class Shared:
    """The memory that all processes of a live run see.

    Parameters
    ----------
    name : str or None
        None makes a new one, that `close` removes; a name attaches to an existing one.

    Raises
    ------
    DeviceError
        Where another version of audiobend made it.
    """

    def __init__(self, name: str | None = None) -> None:
        self._owner = name is None
        name = name or f"audiobend-{os.getpid()}-{secrets.token_hex(3)}"    # macOS allows 30 letters
        self._memory = SharedMemory(name, create=self._owner, size=SIZE)
        assert self._memory.buf is not None
        self.name = name
        self._end = HEADER.size    # of what has a place already
        self.counts: NDArray[np.int64] = self._view((len(Count),), np.int64)
        self.gauges: NDArray[np.float64] = self._view((len(Gauge),), np.float64)
        self.parameters: NDArray[np.float64] = self._view((N_PARAMETERS,), np.float64)
        rings = [self._view((CAPACITY, CHANNELS), np.float32) for _ in range(3)]
        self.input, self.output, self.kept = map(Ring, rings)
        self.seen: NDArray[Any] = self._view((N_SEEN,), SEEN)
        self.mapped: NDArray[Any] = self._view((N_MAPPED,), MAPPED)
        if self._owner:
            self._begin()
        elif HEADER.unpack_from(bytes(self._memory.buf[: HEADER.size]))[:4] != (MAGIC, VERSION, HEADER.size, SIZE):
            self.close()
            raise DeviceError(f"{name}: is no shared memory of this version of audiobend")

    def _begin(self) -> None:
        self.parameters[:] = UNTOUCHED
        self.parameters[Parameter.BYPASS], self.parameters[Parameter.GAIN] = 0, np.nan
        layout = len(Count), len(Gauge), CAPACITY, CHANNELS, N_PARAMETERS
        head = HEADER.pack(MAGIC, VERSION, HEADER.size, SIZE, os.getpid(), *layout)
        assert self._memory.buf is not None
        self._memory.buf[: HEADER.size] = head

    def _view(self, shape: tuple[int, ...], kind: Any) -> Any:
        """Return the next part of the memory."""
        view: NDArray[Any] = np.ndarray(shape, kind, buffer=self._memory.buf, offset=self._end)
        self._end += view.nbytes
        return view

    def __getitem__(self, count: Count) -> int:
        return int(self.counts[count])

    def __setitem__(self, count: Count, value: int) -> None:
        self.counts[count] = value

    def close(self) -> None:
        """Let go of the memory, and remove it if it was made here. The rings cannot be used afterwards."""
        del self.counts, self.gauges, self.parameters, self.input, self.output, self.kept, self.seen, self.mapped
        self._memory.close()
        if self._owner:
            self._memory.unlink()
