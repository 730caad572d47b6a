"""Sound cards by name or number, and PortAudio's errors as sentences.

PortAudio is loaded by child processes only: when a sound server dies it hangs in whatever process uses it.
"""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from multiprocessing.connection import Connection
from typing import Any, Literal

from audiobend.errors import AudiobendError, DeviceError, did_you_mean
from audiobend.live.children import Child, begin

Direction = Literal["input", "output"]
NO_LIBRARY = (
    "the PortAudio library is missing; install it with: apt-get install libportaudio2 (Debian, Ubuntu), "
    "dnf install portaudio (Fedora) or brew install portaudio (macOS)"
)
NO_DEVICE = "no sound card was found; connect one, or start a sound server (JACK, PipeWire), or use --no-audio"
PATIENCE = 15.0
"""Seconds that the sound system gets to answer."""


@dataclass(frozen=True)
class Device:
    """A sound card as PortAudio knows it.

    Attributes
    ----------
    number : int
    name, host : str
        Of the card, and of the system that it is reached through, such as ``"ALSA"``.
    inputs, outputs : int
        Channels.
    rate : int, Hz
        What it runs at unless told otherwise.
    in_ms, out_ms : float or None
        Latency of each direction in ms as PortAudio tells it; None where that is no sensible number.
    is_default_input, is_default_output : bool
        Of its host system.
    """

    number: int
    name: str
    host: str
    inputs: int
    outputs: int
    rate: int
    in_ms: float | None = None
    out_ms: float | None = None
    is_default_input: bool = False
    is_default_output: bool = False

    def channels(self, direction: Direction) -> int:
        """Return how many channels it has in a direction."""
        return self.inputs if direction == "input" else self.outputs


@dataclass(frozen=True)
class Cards:
    """All sound cards, and the numbers of those that the system takes by default (None where it has none)."""

    devices: tuple[Device, ...]
    default_input: int | None = None
    default_output: int | None = None


def sane_seconds(latency: object) -> float | None:
    """Return a latency in seconds, or None: JACK, among others, reports a day.

    >>> sane_seconds(0.01), sane_seconds(89478.46), sane_seconds(float("nan"))
    (0.01, None, None)
    """
    return float(latency) if isinstance(latency, int | float) and isfinite(latency) and 0 < latency < 2 else None


def choose(cards: Cards, wanted: str | int | None, direction: Direction, near: Device | None = None) -> Device:
    """Return the card of a number, of a name or a part of one, or the default; `DeviceError` where there is none.

    Parameters
    ----------
    near : Device, optional
        The card of the other direction: its host's default is taken, because the two must share a host.
    """
    able = [device for device in cards.devices if device.channels(direction)]
    if not able:
        none = f"no sound card has an {direction}; see: audiobend devices"
        raise DeviceError(none if cards.devices else NO_DEVICE)
    if wanted is None:
        return _default(cards, able, direction, near)
    if isinstance(wanted, int) or wanted.strip().isdecimal():
        return _numbered(cards.devices, int(wanted), direction)
    return _named(cards.devices, able, wanted, direction, near)


def _default(cards: Cards, able: Sequence[Device], direction: Direction, near: Device | None) -> Device:
    default = cards.default_input if direction == "input" else cards.default_output
    if near is not None:
        if near.channels(direction):
            return near
        able = [device for device in able if device.host == near.host] or able
        flag = f"is_default_{direction}"
        return next((device for device in able if getattr(device, flag)), able[0])
    return next((device for device in able if device.number == default), able[0])


def _numbered(devices: Sequence[Device], number: int, direction: Direction) -> Device:
    for device in devices:
        if device.number == number:
            if not device.channels(direction):
                raise DeviceError(f"device {number}, {device.name}, has no {direction}; see: audiobend devices")
            return device
    raise DeviceError(f"there is no device {number}; there are 0..{len(devices) - 1}, see: audiobend devices")


def _named(
    devices: Sequence[Device], able: Sequence[Device], wanted: str, direction: Direction, near: Device | None
) -> Device:
    low = wanted.strip().lower()
    for fits in (lambda name: name.lower() == low, lambda name: low in name.lower()):
        found = [device for device in able if fits(device.name)]
        if near is not None and any(device.host == near.host for device in found):
            found = [device for device in found if device.host == near.host]
        if found:
            return found[0]
    if any(device.name.lower() == low for device in devices):
        raise DeviceError(f"{wanted}: this device has no {direction}; see: audiobend devices")
    names = dict.fromkeys(device.name for device in able)
    raise DeviceError(f"unknown {direction} device '{wanted}'" + did_you_mean(wanted, names))


def load_portaudio() -> Any:
    """Import sounddevice, in a child process; `DeviceError` where PortAudio is not there.

    JACK and ALSA write about every server and card that is not there to standard error: that is closed for good.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import sounddevice
    except OSError as error:
        known = "portaudio library not found" in str(error).lower()
        raise DeviceError(NO_LIBRARY if known else f"PortAudio cannot be loaded: {error}") from None
    return sounddevice


def cards_of(portaudio: Any) -> Cards:
    """Return what PortAudio knows, in the process that has it loaded."""
    hosts = portaudio.query_hostapis()
    devices = tuple(
        Device(
            number,
            re.sub(r"\s+", " ", entry["name"]).strip(),
            hosts[entry["hostapi"]]["name"],
            entry["max_input_channels"],
            entry["max_output_channels"],
            round(entry["default_samplerate"]),
            _milliseconds(entry["default_low_input_latency"]) if entry["max_input_channels"] else None,
            _milliseconds(entry["default_low_output_latency"]) if entry["max_output_channels"] else None,
            hosts[entry["hostapi"]]["default_input_device"] == number,
            hosts[entry["hostapi"]]["default_output_device"] == number,
        )
        for number, entry in enumerate(portaudio.query_devices())
    )
    default_input, default_output = (number if number >= 0 else None for number in portaudio.default.device)
    return Cards(devices, default_input, default_output)


def _milliseconds(latency: object) -> float | None:
    seconds = sane_seconds(latency)
    return None if seconds is None else round(seconds * 1000, 1)


def list_cards(patience: float = PATIENCE) -> Cards:
    """Ask PortAudio in a process of its own; `DeviceError` where it is missing or does not answer."""
    cards: Cards = ask(_list, patience=patience)
    return cards


def _list(pipe: Connection) -> None:
    answer(pipe, lambda: cards_of(load_portaudio()))


def ask(target: Any, *args: Any, patience: float = PATIENCE) -> Any:
    """Run a function that calls `answer` in a child process and return its answer, or raise its error."""
    child = Child(target, *args)
    try:
        for kind, value in child.receive(patience):
            if kind == "error":
                raise DeviceError(value)
            return value
        if child.is_alive:
            raise DeviceError(f"the sound system did not answer within {patience:g} seconds; restart the sound server")
        raise DeviceError("the sound system failed; restart the sound server")
    finally:
        child.end(1.0)    # PortAudio's own end hangs when a server has died


def answer(pipe: Connection, question: Any) -> None:
    """In a child process: send what ``question()`` returns, or the sentence of its error, and leave at once."""
    begin()
    try:
        pipe.send(("answer", question()))
    except AudiobendError as error:
        pipe.send(("error", str(error)))
    except Exception as error:    # nobody would see a traceback: standard error is closed
        pipe.send(("error", f"the sound system failed ({type(error).__name__}: {error})"))
    if "sounddevice" in sys.modules:    # JACK takes it ill when a client just goes
        sys.modules["sounddevice"]._terminate()
    os._exit(0)


def sentence(error: Exception, input: Device | None, output: Device, rate: int, channels: Iterable[int]) -> str:
    """Say what PortAudio means, and what would be right."""
    text, code = str(error.args[0] if error.args else error), error.args[1] if len(error.args) > 1 else None
    cards = " and ".join(dict.fromkeys(device.name for device in (input, output) if device))
    if code == -9997 or "sample rate" in text.lower():
        return f"{cards} cannot run at {rate} Hz; leave out --sample-rate, or take {output.rate}"
    if code == -9998 or "number of channels" in text.lower():
        return f"{cards} cannot open {' and '.join(map(str, channels))} channels; see: audiobend devices"
    if code == -9993:
        hosts = " and ".join(device.host for device in (input, output) if device)
        return f"{cards} belong to two systems ({hosts}); take two devices of one system, see: audiobend devices"
    if code == -9985:
        return f"{cards}: in use by another program; close it, or go through a sound server (JACK, PipeWire)"
    detail = re.sub(r"\s*\[PaErrorCode.*", "", text)
    return f"{cards} cannot be opened: {detail}"
