"""A performance that is played: its processes are started and watched, files are played and recorded."""

import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Self

from audiobend.errors import AudiobendError, DeviceError
from audiobend.io.audiofile import probe
from audiobend.io.soundwriter import AudioWriter
from audiobend.live.audio import Host, Streaming
from audiobend.live.dsp import Ready, Wanted
from audiobend.live.inputfile import InputFile
from audiobend.live.latency import Latency
from audiobend.live.meter import LostTime, Status, status_of
from audiobend.live.priority import ADVICE
from audiobend.live.recorder import Recorders
from audiobend.live.rings import Count, Shared
from audiobend.live.seam import Told
from audiobend.live.setup import Setup
from audiobend.live.sides import Sides

TICK = 0.05
"""Seconds between two looks at the children."""


class Supervisor:
    """A performance: `start` it, `watch` it until it ends, `close` it.

    Parameters
    ----------
    setup : Setup
    tell : callable
        Takes sentences about what happened and what was done about it.

    Attributes
    ----------
    sides : Sides
        Its processes.
    input : InputFile
        The file that is played, if one is.
    recorders : Recorders
        What writes down what is played.
    origin : int
        Position of the first sample of the sound that is played; known after `start`.
    has_started : bool
        From then on there is a status.
    """

    def __init__(self, setup: Setup, tell: Callable[[str], None]) -> None:
        self._tell, self._wanted = tell, setup.wanted
        self._stopping = threading.Event()
        self.origin: int
        self.has_started = False
        self._shared = Shared()
        self._shared[Count.WAITS] = setup.waits
        self.input = InputFile(self._shared, setup.source, setup.loops)
        self.recorders = Recorders(self._shared)
        self.sides = Sides(self._shared, setup, tell)
        self.sides.engine.on_told, self.sides.engine.on_refused = self.on_told, self.on_refused
        self.sides.on_anew, self.sides.on_card = self.on_anew, self.on_card

    def start(self) -> bool:
        """Start everything; False if it was stopped meanwhile.

        Raises
        ------
        AudiobendError
            Where there is no card, no PortAudio, no such model: one sentence.
        """
        self.sides.start(self._wanted)
        while not self.sides.has_begun():
            if self._stopping.wait(0.01):
                return False
        self.sides.join()
        self._began = self._shared[Count.PLAYED]
        self._begin_files()
        self._lost = LostTime(self.streaming.rate, self._shared[Count.BLOCK])
        self.has_started = True
        if not self.ready.is_real_time:
            self._tell(ADVICE)
        if self.ready.warning is not None:
            self._tell(self.ready.warning)
        return True

    def watch(self, seconds: float) -> bool:
        """Look after the children for a while; False when the performance is over."""
        until = monotonic() + seconds
        while (now := monotonic()) < until:
            if self._stopping.wait(min(TICK, until - now)) or not self.look():
                return False
        return True

    def look(self) -> bool:
        """Look after the children once; False when the performance is over."""
        self.sides.look()
        if self.sides.audio.keeps_time and not self._shared[Count.TURNS]:
            self._lost.feed(monotonic(), self._shared[Count.PLAYED])
        else:
            self._lost.forget()    # a browser's clock is its own
        return not (self._stopping.is_set() or self.input.has_ended)

    def change(self, wanted: Wanted) -> None:
        """Let something else be heard, from any thread; kept for an engine that has to be started again."""
        self._wanted = wanted
        self.sides.engine.change(wanted)

    def play_file(self, path: Path | None, name: str = "") -> None:
        """See `InputFile.play`; not while it is only starting. ``name`` is what the file is called, if not that."""
        if path is not None and isinstance(self.setup.card, Host):
            raise DeviceError("the track is the input: put the sound on it, in the host")
        self.input.play(path, name, self.streaming)

    def on_anew(self) -> None:
        """Hear that an engine of another kind begins."""

    def on_card(self) -> None:
        """Hear that sound passes another card."""

    def on_told(self, told: Told) -> None:
        """Hear what the engine's process did at which sample."""

    def on_refused(self, number: int) -> None:
        """Hear of a change that the engine's process could not make."""

    def stop(self) -> None:
        """Ask for the end, from any thread or signal handler."""
        self._stopping.set()

    def status(self) -> Status:
        """Return how things are."""
        lost = 0.0 if self.setup.waits else self._lost.seconds
        return status_of(self._shared, self.streaming.rate, self._began, self.sides.audio.state, lost)

    @property
    def setup(self) -> Setup:
        """What is played, and how: as it is now."""
        return self.sides.setup

    @property
    def streaming(self) -> Streaming:
        """The card, after `start`; `AttributeError` before, as of the two that follow."""
        return self.sides.streaming

    @property
    def ready(self) -> Ready:
        """The engine."""
        return self.sides.ready

    @property
    def latency(self) -> Latency:
        """By how much what is heard is late."""
        return self.sides.latency

    @property
    def memory(self) -> str:
        """Name of the shared memory, see `audiobend.live.rings.Shared`."""
        return self._shared.name

    @property
    def pids(self) -> dict[str, int]:
        """Numbers of the child processes in the system."""
        return {"audio": self.sides.audio.pid, "engine": self.sides.engine.pid}

    def close(self) -> None:
        """End the children, finish what is recorded, and leave no shared memory behind."""
        self._stopping.set()
        try:
            self.sides.end()
            self.input.close()
            self.recorders.close()
        finally:
            self.sides.forget()
            self._shared.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin_files(self) -> None:
        """Begin to play and to record; where a file is played the recording begins with it, and is as long."""
        setup, card = self.setup, self.streaming
        if setup.source is not None:
            probe(setup.source)    # what is wrong with it is told before anything is written
        # All that takes long comes first: a card that waits for the engine may be much faster than real time.
        writer = AudioWriter(setup.record, card.rate, card.out_channels) if setup.record is not None else None
        # Later than the engine begins, so that all of it is bent.
        start = self._shared[Count.PLAYED] + max(card.rate // 4, 2 * self._shared[Count.BLOCK])
        self.origin = start if setup.source is not None else self._shared[Count.PLAYED]
        if writer is not None:
            late = self.latency.delay if setup.source is not None else 0
            self.recorders.begin(lambda: writer, self._on_recorded, start + late)
        self.input.begin(card, start)

    def _on_recorded(self, writer: AudioWriter | None, error: AudiobendError | None) -> None:
        if error is not None:
            self._tell(f"{error}; the recording ends here")
