"""The audio process: a sound card, or a clock in its place, that turns the rings."""

import gc
import os
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from time import monotonic, sleep
from typing import Any

import numpy as np

from audiobend.errors import DeviceError
from audiobend.live.callback import Callback
from audiobend.live.children import begin
from audiobend.live.devices import (
    Cards,
    Device,
    answer,
    ask,
    cards_of,
    choose,
    load_portaudio,
    sane_seconds,
    sentence,
)
from audiobend.live.priority import raise_priority
from audiobend.live.rings import CHANNELS, Count, Gauge, Shared

LOST = 75
"""Exit status when the sound server or the card has gone."""
CLOCK_BLOCK = 512
SETTLING = 0.3
"""Seconds between seeing a card that is back and opening it: in a JACK client's first moments opening may hang."""


@dataclass(frozen=True)
class Card:
    """Which sound card, and how.

    Attributes
    ----------
    input, output : name, number or None for the default
    rate : int or None
        Sample rate in Hz; None takes the card's.
    block : int
        Samples in a callback; 0 leaves it to the sound system, which adds no delay.
    file_channels : int
        Channels of the input ring where the input is a file and only the output is opened; 0 captures.
    host : str or None
        Only cards of this host system.
    is_patient : bool
        Ask PortAudio for its higher, safer latency.
    """

    input: str | int | None = None
    output: str | int | None = None
    rate: int | None = None
    block: int = 0
    file_channels: int = 0
    host: str | None = None
    is_patient: bool = False


@dataclass(frozen=True)
class Clock:
    """No sound card: blocks come by the clock, or as fast as the engine takes them."""

    rate: int
    block: int = CLOCK_BLOCK
    is_paced: bool = True


@dataclass(frozen=True)
class Host:
    """A host of plugins turns the rings: two channels, blocks of so many samples at most, ``delay`` as it was told."""

    rate: int
    block: int
    delay: int


@dataclass(frozen=True)
class Streaming:
    """What turns the rings."""

    input: str
    output: str
    host: str
    rate: int
    in_channels: int
    out_channels: int


def run_card(pipe: Connection, name: str, card: Card, returns: bool) -> None:
    """Be the audio process with a sound card.

    Parameters
    ----------
    returns : bool
        It ran before and was lost: wait for it to come back, where a first start would say what is wrong.
    """
    begin()
    pipe.send(("begun", None))
    shared = Shared(name)
    # This thread hardly works, but holds Python's lock when it does: the callback must not wait for it to be scheduled.
    raise_priority(threads_too=True)
    try:
        portaudio = load_portaudio()
        chosen = _await_card(portaudio, card, pipe) if returns else choose_pair(cards_of(portaudio), card)
        pipe.send(("opening", None))
        stream = _open(portaudio, shared, card, *chosen)
    except DeviceError as error:
        pipe.send(("error", str(error)))
        os._exit(LOST)
    except Exception as error:    # nobody would see a traceback: standard error is closed
        pipe.send(("error", f"the sound system failed ({type(error).__name__}: {error})"))
        os._exit(LOST)
    pipe.send(("streaming", stream.facts))
    gc.freeze()
    while not shared[Count.STOP]:
        sleep(0.02)
        if not stream.stream.active:
            os._exit(LOST)
    stream.stream.abort()
    stream.stream.close()
    os._exit(0)


def look_for(card: Card) -> tuple[Device | None, Device]:
    """Return the input and the output that would be opened; `DeviceError` says at once what would be wrong."""
    found: tuple[Device | None, Device] = ask(_look_for, card)
    return found


def _look_for(pipe: Connection, card: Card) -> None:
    answer(pipe, lambda: _checked(load_portaudio(), card))


def _checked(portaudio: Any, card: Card) -> tuple[Device | None, Device]:
    input, output = choose_pair(cards_of(portaudio), card)
    rate, channels = card.rate or output.rate, _channels(input, output)
    try:
        if input is not None:
            portaudio.check_input_settings(input.number, channels[0], "float32", samplerate=rate)
        portaudio.check_output_settings(output.number, channels[1], "float32", samplerate=rate)
    except portaudio.PortAudioError as error:
        raise DeviceError(sentence(error, input, output, rate, [n for n in channels if n])) from None
    return input, output


def _channels(input: Device | None, output: Device) -> tuple[int, int]:
    return min(CHANNELS, input.inputs) if input else 0, min(CHANNELS, output.outputs)


def choose_pair(cards: Cards, card: Card) -> tuple[Device | None, Device]:
    """Return the input (None where a file is the input) and the output; `DeviceError` where one is missing."""
    if card.host is not None:
        cards = replace(cards, devices=tuple(device for device in cards.devices if device.host == card.host))
    if card.file_channels:
        return None, choose(cards, card.output, "output")
    if card.output is not None and card.input is None:
        output = choose(cards, card.output, "output")
        return choose(cards, None, "input", near=output), output
    input = choose(cards, card.input, "input")
    return input, choose(cards, card.output, "output", near=input if card.input is not None else None)


def _await_card(portaudio: Any, card: Card, pipe: Connection) -> tuple[Device | None, Device]:
    """Look again until the card is there; nothing has died in this process, so PortAudio may be begun anew."""
    while True:
        try:
            found = choose_pair(cards_of(portaudio), card)
            sleep(SETTLING)
            return found
        except DeviceError:
            pipe.send(("waiting", None))    # a sign of life: PortAudio has not hung
            sleep(0.25)
            portaudio._terminate()
            portaudio._initialize()


@dataclass(frozen=True)
class _Stream:
    stream: Any
    facts: Streaming


def _open(portaudio: Any, shared: Shared, card: Card, input: Device | None, output: Device) -> _Stream:
    rate = card.rate or output.rate
    channels = _channels(input, output)
    in_channels = channels[0] or card.file_channels
    callback = Callback(shared, in_channels)
    latency = "high" if card.is_patient else "low"
    options = {"samplerate": rate, "blocksize": card.block, "dtype": "float32", "latency": latency}
    try:
        if input is None:
            stream = portaudio.OutputStream(
                device=output.number, channels=channels[1], **options,
                callback=lambda played, _n, _time, status: callback(None, played, bool(status)),
            )
        else:
            stream = portaudio.Stream(
                device=(input.number, output.number), channels=channels, **options,
                callback=lambda captured, played, _n, _time, status: callback(captured, played, bool(status)),
            )
        shared.gauges[Gauge.RATE] = rate
        stream.start()
    except portaudio.PortAudioError as error:
        wanted = [n for n in channels if n]
        raise DeviceError(sentence(error, input, output, rate, wanted)) from None
    latencies = (0.0, stream.latency) if input is None else stream.latency
    shared.gauges[Gauge.IN_SECONDS] = sane_seconds(latencies[0]) or 0.0
    shared.gauges[Gauge.OUT_SECONDS] = sane_seconds(latencies[1]) or 0.0
    source = input.name if input else "file"
    return _Stream(stream, Streaming(source, output.name, output.host, rate, in_channels, channels[1]))


def run_clock(pipe: Connection, name: str, clock: Clock, channels: int) -> None:
    """Be the audio process without a sound card; the input is a file's or silence, what is played stays in the rings.

    While a browser turns the rings (`Count.TURNS`) it only waits.
    """
    begin()
    shared = Shared(name)
    shared.gauges[Gauge.RATE] = clock.rate
    callback = Callback(shared, channels)
    shared[Count.BLOCK] = clock.block
    pipe.send(("streaming", Streaming("file", "none", "no sound card", clock.rate, channels, channels)))
    played, silence = np.zeros((2, clock.block, channels), dtype=np.float32)
    if clock.is_paced:
        raise_priority()    # a card is not late because other programs work, nor in a hurry afterwards
    due = monotonic()
    while not shared[Count.STOP]:
        due += clock.block / clock.rate
        if clock.is_paced:
            sleep(max(0.0, due - monotonic()))
            if shared[Count.TURNS]:
                due = monotonic()    # a browser has the rings; it may leave them at any time
                continue
        elif not (shared[Count.READY] and shared[Count.DELAY]):
            sleep(0.001)    # faster than real time: nothing may pass before the engine is there
            continue
        callback(silence, played)
    os._exit(0)
