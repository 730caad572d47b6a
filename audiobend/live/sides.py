"""The two processes of a performance, joined: what turns the rings, and what bends. Either may be changed or replaced.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

from audiobend.errors import DeviceError
from audiobend.live.audio import Card, Host, Streaming, look_for
from audiobend.live.audio_process import AudioProcess, AudioSide
from audiobend.live.dsp import Go, Ready, Wanted
from audiobend.live.engine_process import EngineProcess
from audiobend.live.host import HostSide
from audiobend.live.latency import Latency, cushion_samples
from audiobend.live.rings import Count, Gauge, Shared
from audiobend.live.setup import Setup
from audiobend.spectral.live_settings import LiveSettings, Profile


class Sides:
    """Starts both, keeps them in time with one another, and ends them.

    Parameters
    ----------
    shared : Shared
    setup : Setup
    tell : callable
        Takes sentences about what happened and what was done about it.

    Attributes
    ----------
    audio : AudioSide
    engine : EngineProcess
    setup : Setup
        As it is now.
    streaming : Streaming
    ready : Ready
    latency : Latency
        These three from `join` on.
    on_anew, on_card : callables
        Hear, from `look`, that an engine of another kind begins, and that sound passes another card or engine.
    """

    def __init__(self, shared: Shared, setup: Setup, tell: Callable[[str], None]) -> None:
        self._shared, self.setup, self._tell = shared, setup, tell
        self.audio = _audio_side(shared, setup)
        self.engine = EngineProcess(shared, setup)
        self.streaming: Streaming
        self.ready: Ready
        self.latency: Latency
        self.on_anew: Callable[[], None] = lambda: None
        self.on_card: Callable[[], None] = lambda: None
        self._wishes: deque[Callable[[], None]] = deque()    # what other threads want done between two looks

    def start(self, wanted: Wanted) -> None:
        """Start both; `step` until there is a beginning."""
        self.audio.start()
        self.engine.start(wanted)

    def has_begun(self) -> bool:
        """Look after both while they start; `AudiobendError` where one of them cannot."""
        self._look_after()
        return bool(self.audio.facts and self.engine.facts and self._shared[Count.BLOCK])

    def join(self) -> None:
        """Let sound pass from one to the other, now that both have begun."""
        assert self.audio.facts is not None and self.engine.facts is not None
        self.streaming, self.ready = self.audio.facts, self.engine.facts
        self.audio.stay_with(self.streaming)
        self.engine.go(Go(self._shared.name, self.streaming.rate, self.streaming.in_channels))
        self._align()

    def look(self) -> None:
        """Do what is wished, look after both, and know another card, another engine, or larger blocks."""
        while self._wishes:
            self._wishes.popleft()()
        self._look_after()
        card, engine = self.audio.facts, self.engine.facts
        if card is not None and card is not self.streaming:
            before, self.streaming = self.streaming, card
            self.audio.stay_with(card)
            if card.in_channels != before.in_channels:
                self.engine.begin_again(self.setup, Go(self._shared.name, card.rate, card.in_channels))
            self.on_card()
        if engine is not None and engine is not self.ready:
            self.ready = engine
            self._align()
            self.on_card()
        elif self._shared[Count.BLOCK] != self.latency.block:
            self._align()

    def use_card(self, input: str, output: str) -> None:
        """Play through other cards from the next `look` on, by name, at the rate that there is; from any thread.

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
        """Play by another profile from the next `look` on, from any thread; a new engine takes this one's place."""
        settings = self.setup.settings
        wanted = LiveSettings.profile(cast(Profile, profile), phase=settings.phase, n_channels=settings.n_channels)
        self._wishes.append(partial(self._begin_anew, replace(self.setup, profile=profile, settings=wanted)))

    def end(self) -> None:
        """End both."""
        self._shared[Count.STOP] = 1
        self.audio.end(1.0)
        self.engine.end(1.0)

    def forget(self) -> None:
        """Let go of the shared memory."""
        self.audio.forget()
        self.engine.forget()
        del self._shared

    def _look_after(self) -> None:
        self._shared[Count.BEAT] += 1
        self.audio.step(self._tell)
        self.engine.step(self._tell)

    def _open(self, card: Card) -> None:
        assert isinstance(self.audio, AudioProcess)
        self._tell("the sound card is changed")
        self.audio.open(card)

    def _begin_anew(self, setup: Setup) -> None:
        self.setup = setup
        self._tell(f"another engine is made for the profile {setup.profile}; dry sound until it is there")
        self.on_anew()
        self.engine.begin_again(setup)

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


def _audio_side(shared: Shared, setup: Setup) -> AudioSide:
    if isinstance(setup.card, Host):
        return HostSide(shared, setup.card)
    return AudioProcess(shared, setup, setup.card)
