"""What was played, into a file, on a thread of its own."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from audiobend.errors import AudioError
from audiobend.io.audiofile import AudioWriter
from audiobend.live.rings import CAPACITY, Count, Shared

BLOCK = 8192


class Recorder:
    """Write the third ring to a sound file, which is whole after `close`.

    Parameters
    ----------
    path : path
        wav, flac or ogg; it appears when it is closed.
    rate : int, Hz
    channels : 1 or 2
    start : int
        Position of its first sample. Where a file is played it ends with that file.
    tell : callable
        Takes a sentence, should the disk be full; the sound goes on.

    Raises
    ------
    AudioError
        If the file cannot be made.
    """

    def __init__(
        self, shared: Shared, path: Path, rate: int, channels: int, start: int, tell: Callable[[str], None]
    ) -> None:
        self._shared, self._position, self._tell = shared, start, tell
        self._writer: AudioWriter | None = AudioWriter(path, rate, channels)
        self._block = np.empty((BLOCK, channels), dtype=np.float32)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="recorder")
        self._thread.start()

    def close(self) -> None:
        """Write what has been played, and finish the file."""
        self._stopped.set()
        self._thread.join()
        self._write(self._shared[Count.PLAYED])
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()

    def _run(self) -> None:
        while not self._stopped.wait(0.1):
            self._write(self._shared[Count.PLAYED] - BLOCK)

    def _write(self, end: int) -> None:
        if ends := self._shared[Count.ENDS]:    # of a file; what comes later is silence
            end = min(end, ends - 1 + self._shared[Count.DELAY])
        while self._writer is not None and self._position < end:
            n = min(BLOCK, end - self._position)
            block = self._block[:n]
            if self._shared[Count.PLAYED] - self._position < CAPACITY:
                self._shared.kept.get(self._position, block)
            else:
                block.fill(0)    # the disk was slower than the ring is long
            self._position += n
            try:
                self._writer.write(torch.from_numpy(block.T))
            except AudioError as error:
                writer, self._writer = self._writer, None
                writer.__exit__(type(error), error, None)
                self._tell(f"{error}; the recording ends here")
