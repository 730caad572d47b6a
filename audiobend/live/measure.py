"""The latency of a sound card, measured: a burst of noise goes out and, over a cable, comes back."""

from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import monotonic, sleep
from typing import Any

import numpy as np

from audiobend.errors import DeviceError
from audiobend.live.audio import Card, choose_pair
from audiobend.live.devices import answer, ask, cards_of, load_portaudio, sane_seconds, sentence
from audiobend.live.rings import Samples

BURST = 0.1
"""Seconds of noise."""
LISTENED = 1.5
"""Seconds in which it may come back."""
CERTAIN = 8.0
"""How far the best match must stand out of the others, in standard deviations."""


@dataclass(frozen=True)
class RoundTrip:
    """What was found.

    Attributes
    ----------
    input, output : str
    rate, block : int
        Hz; samples.
    samples : int or None
        From the output back to the input; None where nothing came back.
    told : float or None
        Seconds that PortAudio tells for both directions; None where that is no sensible number.
    """

    input: str
    output: str
    rate: int
    block: int
    samples: int | None
    told: float | None


def round_trip(card: Card) -> RoundTrip:
    """Measure a card, in a process of its own; it is heard for a tenth of a second.

    Raises
    ------
    DeviceError
        If the card cannot be opened.
    """
    found: RoundTrip = ask(_measure, card)
    return found


def _measure(pipe: Connection, card: Card) -> None:
    answer(pipe, lambda: _round_trip(load_portaudio(), card))


def _round_trip(portaudio: Any, card: Card) -> RoundTrip:
    input, output = choose_pair(cards_of(portaudio), card)
    assert input is not None
    rate = card.rate or output.rate
    burst = np.random.default_rng(0).uniform(-0.25, 0.25, round(BURST * rate)).astype(np.float32)
    heard = np.zeros(round((BURST + LISTENED) * rate), dtype=np.float32)
    position = block = 0

    def callback(captured: Samples, played: Samples, n: int, _time: object, _status: object) -> None:
        nonlocal position, block
        part, kept = burst[position : position + n], min(n, max(0, len(heard) - position))
        played.fill(0)
        played[: len(part)] = part[:, None]
        heard[position : position + kept] = captured[:kept, 0]
        position, block = position + n, max(block, n)

    channels = (1, min(2, output.outputs))
    try:
        stream = portaudio.Stream(
            rate, card.block, (input.number, output.number), channels, "float32", latency="low", callback=callback
        )
        stream.start()
    except portaudio.PortAudioError as error:
        raise DeviceError(sentence(error, input, output, rate, channels)) from None
    end = monotonic() + 2 * (BURST + LISTENED) + 1
    while position < len(heard) and monotonic() < end:
        sleep(0.02)
    told = [sane_seconds(seconds) for seconds in stream.latency]
    both = None if None in told else sum(one for one in told if one)
    return RoundTrip(input.name, output.name, rate, block, _lag(heard, burst), both)


def _lag(heard: Samples, burst: Samples) -> int | None:
    """Where the burst is found, or None where nothing stands out."""
    size = 1 << (len(heard) + len(burst)).bit_length()
    match = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(burst, size)), size)[: len(heard) - len(burst)]
    best = int(np.argmax(np.abs(match)))
    rest = np.delete(match, slice(max(0, best - 64), best + 64))
    return best if abs(match[best]) > CERTAIN * max(float(rest.std()), 1e-9) else None


def engine_samples(engine: Any, n_channels: int) -> int:
    """Return by how many samples a click leaves an engine later than it went in; the engine is bypassed."""
    n = engine.latency + 1024
    click = np.zeros((n_channels, n), dtype=np.float32)
    click[:, 0] = 0.5
    engine.set_controls(bypass=True)
    engine.process(np.zeros((n_channels, 4096), dtype=np.float32))    # the ramp to the dry sound
    return int(np.argmax(np.abs(engine.process(click)[0])))


