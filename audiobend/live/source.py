"""A sound file in the place of the microphone: kept a little ahead of the card in the input ring."""

import threading
from collections.abc import Generator
from pathlib import Path

import torch

from audiobend.io.audiofile import AudioReader
from audiobend.io.resampling import StreamResampler
from audiobend.live.rings import Count, Samples, Shared

AHEAD = 1.0
"""Seconds."""
BLOCK = 4096


class Source:
    """Read a file into the input ring, on a thread of its own.

    Parameters
    ----------
    path : path
    rate : int, Hz
        Of the card; the file is resampled to it.
    channels : 1 or 2
    start : int
        Position of its first sample.
    loops : bool
        Begin again at the end; otherwise `Count.ENDS` tells where it ended.
    """

    def __init__(self, shared: Shared, path: Path, rate: int, channels: int, start: int, loops: bool = False) -> None:
        self._shared, self._rate, self._channels = shared, rate, channels
        self._position = start
        self._stopped = threading.Event()
        AudioReader(path).close()    # what is wrong with it is told here, not on the thread
        self._blocks = blocks_of(path, rate, channels, loops)
        shared[Count.CAPTURED] = start
        self._thread = threading.Thread(target=self._run, daemon=True, name="source")
        self._thread.start()

    def close(self) -> None:
        """Stop reading."""
        self._stopped.set()
        self._thread.join()
        self._blocks.close()

    def _run(self) -> None:
        for block in self._blocks:
            while self._position > self._shared[Count.PLAYED] + AHEAD * self._rate:
                if self._stopped.wait(0.02):
                    return
            self._shared.input.put(self._position, block)
            self._position += len(block)
            self._shared[Count.CAPTURED] = self._position
        self._shared[Count.ENDS] = self._position + 1
        self._silence()

    def _silence(self) -> None:
        """Go on with silence, so that what is under way comes out."""
        silence = torch.zeros(BLOCK, self._channels).numpy()
        while not self._stopped.is_set():
            if self._position > self._shared[Count.PLAYED] + AHEAD * self._rate:
                self._stopped.wait(0.02)
                continue
            self._shared.input.put(self._position, silence)
            self._position += BLOCK
            self._shared[Count.CAPTURED] = self._position


def blocks_of(path: Path, rate: int, channels: int, loops: bool = False) -> Generator[Samples, None, None]:
    """Yield a file's samples ``(time, channel)`` at a rate in Hz, mixed to 1 or 2 channels."""
    with AudioReader(path, block=BLOCK) as reader:
        resampler = StreamResampler(reader.info.sample_rate, rate, channels)
    while True:
        with AudioReader(path, block=BLOCK) as reader:
            for block in reader:
                yield resampler.feed(_fitted(block, channels)).T.numpy()
        if not loops:
            break
    yield resampler.flush().T.numpy()


def _fitted(block: torch.Tensor, channels: int) -> torch.Tensor:
    if len(block) == channels:
        return block
    return block.mean(dim=0, keepdim=True) if channels == 1 else block.expand(2, -1)
