"""Starts the audio process and the engine's process, watches them, and replaces what dies."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Self, cast

import numpy as np

from audiobend.errors import DeviceError
from audiobend.io.audiofile import probe
from audiobend.live.audio import Card, Host, Streaming, look_for
from audiobend.live.audio_process import AudioProcess, AudioSide
from audiobend.live.dsp import Go, Ready, Wanted
from audiobend.live.engine_process import EngineProcess
from audiobend.live.host import HostSide
from audiobend.live.latency import Latency, cushion_samples
from audiobend.live.meter import LostTime, Status
from audiobend.live.priority import ADVICE
from audiobend.live.recorder import Recorder
from audiobend.live.rings import Count, Gauge, Shared
from audiobend.live.seam import Told
from audiobend.live.setup import Setup
from audiobend.live.source import Source
from audiobend.spectral.live_settings import LiveSettings, Profile

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
    streaming : Streaming
    ready : Ready
    latency : Latency
    origin : int
        Position of the first sample of the sound that is played. All known after `start`.
    playing : Path or None
        The file that is the input; None where it is a card.
    playing_name : str
        What that file is called.
    """

    def __init__(self, setup: Setup, tell: Callable[[str], None]) -> None:
        self.setup, self._tell = setup, tell
        self._wanted = setup.wanted
        self._stopping = threading.Event()
        self.streaming: Streaming
        self.ready: Ready
        self.latency: Latency
        self.origin: int
        self.has_started = False    # from then on there is a status
        self._source: Source | None = None
        self.playing: Path | None = setup.source
        self.playing_name = setup.source.name if setup.source else ""
        self._recorder: Recorder | None = None
        self._wishes: deque[Callable[[], None]] = deque()    # what other threads want done between two looks
        self._shared = Shared()
        self._shared[Count.WAITS] = setup.waits
        self._shared[Count.FROM_FILE] = setup.source is not None
        self._engine = EngineProcess(self._shared, setup)
        self._engine.on_told, self._engine.on_refused = self.on_told, self.on_refused
        self._audio = _audio_side(self._shared, setup)

    def start(self) -> bool:
        """Start everything; False if it was stopped meanwhile.

        Raises
        ------
        AudiobendError
            Where there is no card, no PortAudio, no such model: one sentence.
        """
        self._audio.start()
        self._engine.start(self._wanted)
        while not (self._audio.facts and self._engine.facts and self._shared[Count.BLOCK]):
            if self._stopping.wait(0.01):
                return False
            self._look_after()
        self.streaming, self.ready = self._audio.facts, self._engine.facts
        self._audio.stay_with(self.streaming)
        self._engine.go(Go(self._shared.name, self.streaming.rate, self.streaming.in_channels))
        self._align()
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
        while self._wishes:
            self._wishes.popleft()()
        self._look_after()
        self._follow()
        if self._audio.keeps_time and not self._shared[Count.TURNS]:
            self._lost.feed(monotonic(), self._shared[Count.PLAYED])
        else:
            self._lost.forget()    # a browser's clock is its own
        return not (self._stopping.is_set() or self._has_ended())

    def change(self, wanted: Wanted) -> None:
        """Let something else be heard, from any thread; kept for an engine that has to be started again."""
        self._wanted = wanted
        self._engine.change(wanted)

    def play_file(self, path: Path | None, name: str = "") -> None:
        """Play another file as input, again and again; None listens to the card again. Not while it is only starting.

        ``name`` is what it is called, where the file has another name.

        Raises
        ------
        AudioError
            If the file cannot be read; what is played goes on then.
        """
        shared, rate = self._shared, self.streaming.rate
        if path is not None:
            probe(path)
        if self._source is not None:
            self._source.close()
            self._source = None
        self.playing, self.playing_name = path, name or (path.name if path else "")
        shared[Count.FROM_FILE] = path is not None
        if path is not None:
            now = shared[Count.PLAYED]
            start = now + max(rate // 10, 2 * shared[Count.BLOCK])
            channels = self.streaming.in_channels
            # The ring still holds what was there seconds ago.
            shared.input.put(now, np.zeros((start - now, channels), np.float32))
            self._source = Source(shared, path, rate, channels, start, loops=True)

    def use_card(self, input: str, output: str) -> None:
        """Play through other cards from now on, by name, at the rate that there is; from any thread.

        Raises
        ------
        DeviceError
            Where there is no such card, it cannot run at that rate, or no card is played through at all.
        """
        before = self.setup.card
        if not isinstance(before, Card):
            raise DeviceError("no sound card is played through; start audiobend without --no-audio or --browser")
        rate, host = self.streaming.rate, self.streaming.host
        card = replace(before, input=None if before.file_channels else input, output=output, rate=rate, host=host)
        look_for(card)
        self._wishes.append(partial(self._open, card))

    def use_profile(self, profile: str) -> None:
        """Play by another profile from now on, from any thread; a new engine takes the place of this one."""
        settings = self.setup.settings
        wanted = LiveSettings.profile(cast(Profile, profile), phase=settings.phase, n_channels=settings.n_channels)
        self._wishes.append(partial(self._begin_anew, replace(self.setup, profile=profile, settings=wanted)))

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
        counts, gauges, rate = self._shared.counts, self._shared.gauges, self.streaming.rate
        return Status(
            seconds=(int(counts[Count.PLAYED]) - self._began) / rate,
            card=self._audio.state,
            engine="running" if counts[Count.READY] else "starting",
            is_bent=bool(counts[Count.IS_BENT]),
            in_db=float(gauges[Gauge.IN_DB]),
            out_db=float(gauges[Gauge.OUT_DB]),
            load=float(gauges[Gauge.LOAD]),
            peak_load=float(gauges[Gauge.PEAK_LOAD]),
            xruns=int(counts[Count.XRUNS]),
            late_blocks=int(counts[Count.LATE]),
            late_seconds=int(counts[Count.LATE_SAMPLES]) / rate,
            lost_seconds=0.0 if self.setup.waits else self._lost.seconds,
            skipped_seconds=int(counts[Count.SKIPPED]) / rate,
        )

    @property
    def memory(self) -> str:
        """Name of the shared memory, see `audiobend.live.rings.Shared`."""
        return self._shared.name

    @property
    def pids(self) -> dict[str, int]:
        """Numbers of the child processes in the system."""
        return {"audio": self._audio.pid, "engine": self._engine.pid}

    def close(self) -> None:
        """End the children, finish the recording, and leave no shared memory behind."""
        self._stopping.set()
        self._shared[Count.STOP] = 1
        try:
            self._audio.end(1.0)
            self._engine.end(1.0)
            if self._source is not None:
                self._source.close()
            if self._recorder is not None:
                self._recorder.close()
        finally:
            self._source = self._recorder = None
            self._audio.forget()
            self._engine.forget()
            self._shared.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _look_after(self) -> None:
        self._shared[Count.BEAT] += 1
        self._audio.step(self._tell)
        self._engine.step(self._tell)

    def _open(self, card: Card) -> None:
        assert isinstance(self._audio, AudioProcess)
        self._tell("the sound card is changed")
        self._audio.open(card)

    def _begin_anew(self, setup: Setup) -> None:
        self.setup = setup
        self._tell(f"another engine is made for the profile {setup.profile}; dry sound until it is there")
        self.on_anew()
        self._engine.begin_again(setup)

    def _follow(self) -> None:
        """Know another card, another engine, or larger blocks."""
        card, engine = self._audio.facts, self._engine.facts
        if card is not None and card is not self.streaming:
            before, self.streaming = self.streaming, card
            self._audio.stay_with(card)
            if card.in_channels != before.in_channels:
                self._engine.begin_again(self.setup, Go(self._shared.name, card.rate, card.in_channels))
            self.on_card()
        if engine is not None and engine is not self.ready:
            self.ready = engine
            self._align()
            self.on_card()
        elif self._shared[Count.BLOCK] != self.latency.block:
            self._align()

    def _align(self) -> None:
        """Work out the delay, now that engine and card are known, or the card's blocks have grown."""
        rate, model_rate = self.streaming.rate, self.ready.model_rate
        setup = self.setup
        cushion = cushion_samples(setup.profile, setup.settings.stride, setup.cushion_ms, rate, model_rate)
        block, gauges = self._shared[Count.BLOCK], self._shared.gauges
        card = float(gauges[Gauge.IN_SECONDS] + gauges[Gauge.OUT_SECONDS])
        if card == 0 and isinstance(setup.card, Card):
            card = block / rate    # JACK does not say; what a client hands over is heard one period later
        self.latency = Latency(rate, self.ready.parts, model_rate, cushion, block, card)
        self._shared[Count.DELAY] = self.latency.delay

    def _begin_files(self) -> None:
        """Begin to play and to record; where a file is played the recording begins with it, and is as long."""
        setup, rate = self.setup, self.streaming.rate
        # Later than the engine begins, so that all of it is bent.
        start = self._shared[Count.PLAYED] + max(rate // 4, 2 * self._shared[Count.BLOCK])
        self.origin = start if setup.source is not None else self._shared[Count.PLAYED]
        if setup.source is not None:
            channels = self.streaming.in_channels
            self._source = Source(self._shared, setup.source, rate, channels, start, setup.loops)
            start += self.latency.delay
        if setup.record is not None:
            channels = self.streaming.out_channels
            self._recorder = Recorder(self._shared, setup.record, rate, channels, start, self._tell)
            self._shared[Count.KEEPS] = 1

    def _end(self) -> int | None:
        """Position at which the sound of a file is over; None where it has not been read to its end."""
        ends = self._shared[Count.ENDS]
        return ends - 1 + self.latency.delay if ends else None

    def _has_ended(self) -> bool:
        end = self._end()
        return end is not None and self._shared[Count.PLAYED] >= end


def _audio_side(shared: Shared, setup: Setup) -> AudioSide:
    if isinstance(setup.card, Host):
        return HostSide(shared, setup.card)
    return AudioProcess(shared, setup, setup.card)
