"""What was played, into files, each on a thread of its own; they may begin and end while sound runs."""

import threading
from collections.abc import Callable

import numpy as np
import torch

from audiobend.errors import AudiobendError
from audiobend.io.soundwriter import AudioWriter
from audiobend.live.rings import CAPACITY, CHANNELS, Count, Samples, Shared

BLOCK = 8192
PACE = 0.1
"""Seconds between two looks at what has been played: a ring holds many times as much."""

Open = Callable[[], AudioWriter]
OnEnd = Callable[[AudioWriter | None, AudiobendError | None], None]


class Recorder:
    """Write the third ring to a sound file, which is whole when it has ended.

    Parameters
    ----------
    open : callable
        Makes the file, on the recorder's thread. Into one with a single channel goes the mean of both.
    start : int
        Position of its first sample. Where a file is played it ends with that file.
    on_end : callable
        Takes, on the recorder's thread, the file, which is whole, or None where there is none; and what was wrong, if
        anything was. Where a disk is full the file holds what could be written.
    """

    def __init__(self, shared: Shared, open: Open, start: int, on_end: OnEnd) -> None:
        self._shared, self._open, self._on_end = shared, open, on_end
        self._start = self._position = start
        self._last: int | None = None
        self._block = np.empty((BLOCK, CHANNELS), dtype=np.float32)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="recorder")
        self._thread.start()

    @property
    def samples(self) -> int:
        """How much it holds, or will hold when all has been written."""
        return max(0, (self._shared[Count.PLAYED] if self._last is None else self._last) - self._start)

    def end(self) -> None:
        """Have it end with what has been played until now, and return at once."""
        if self._last is None:
            self._last = self._shared[Count.PLAYED]
            self._stopped.set()

    def close(self) -> None:
        """End it, and wait until the file is whole."""
        self.end()
        self._thread.join()

    def _run(self) -> None:
        written: AudioWriter | None = None
        wrong: AudiobendError | None = None
        try:
            with self._open() as writer:
                try:
                    self._follow(writer)
                except AudiobendError as error:
                    wrong = error
                    writer.close_early()
            written = writer
        except AudiobendError as error:
            wrong = wrong or error
        self._on_end(written, wrong)

    def _follow(self, writer: AudioWriter) -> None:
        """Write what is played until it is to end."""
        while not self._stopped.wait(PACE):
            self._write(writer, self._shared[Count.PLAYED])
        assert self._last is not None
        self._write(writer, self._last)

    def _write(self, writer: AudioWriter, end: int) -> None:
        if ends := self._shared[Count.ENDS]:    # of a file; what comes later is silence
            end = min(end, ends - 1 + self._shared[Count.DELAY])
        while self._position < end:
            n = min(BLOCK, end - self._position)
            block = self._block[:n]
            if self._shared[Count.PLAYED] - self._position < CAPACITY:
                self._shared.kept.get(self._position, block)
            else:
                block.fill(0)    # the disk was slower than the ring is long
            self._position += n
            writer.write(torch.from_numpy(_of_channels(block, writer.channels).T))


def _of_channels(block: Samples, channels: int) -> Samples:
    """Return a block for one channel or two; both are the same where the card has one, and their mean is that."""
    return block if channels == CHANNELS else block.mean(axis=1, keepdims=True)


class Recorders:
    """All that is being recorded: the third ring is filled while there is anything.

    Parameters
    ----------
    shared : Shared
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._lock = threading.Lock()    # they begin and end on several threads
        self._running: list[Recorder] = []

    def begin(self, open: Open, on_end: OnEnd, start: int | None = None) -> Recorder:
        """Record from a position on, or from the next block, and return at once; see `Recorder`."""

        def ended(writer: AudioWriter | None, error: AudiobendError | None) -> None:
            on_end(writer, error)
            with self._lock:    # it may end before it has been noted
                self._running.remove(recorder)
                self._shared[Count.KEEPS] = bool(self._running)

        with self._lock:
            self._shared[Count.KEEPS] = 1
            if start is None:    # the block that is under way may not have seen this
                start = self._shared[Count.PLAYED] + self._shared[Count.BLOCK]
            recorder = Recorder(self._shared, open, start, ended)
            self._running.append(recorder)
        return recorder

    def close(self) -> None:
        """End all, and wait until their files are whole."""
        for recorder in list(self._running):
            recorder.close()
