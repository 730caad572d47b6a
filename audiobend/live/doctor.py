"""What stands in the way of a performance on this machine, and what to do about it."""

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from audiobend.errors import AudiobendError
from audiobend.io.modelbundle import list_models, list_picture_models, load_model
from audiobend.io.picturemodel import load_picture_model
from audiobend.live.devices import Cards, list_cards
from audiobend.live.leftovers import leftovers
from audiobend.live.priority import may_be_real_time
from audiobend.networks.backends import has_bfloat16, has_openvino
from audiobend.osc.server import DEFAULT_PORT

MODEL_RATE = 44100


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    what : str
    is_well : bool
        Whether nothing needs to be done.
    found : str
    fix : str
        What to do; empty where nothing needs to be done.
    is_needed : bool
        Whether nothing can be played without it.
    """

    what: str
    is_well: bool
    found: str
    fix: str = ""
    is_needed: bool = False


def examine(port: int = DEFAULT_PORT, cards: Callable[[], Cards] = list_cards) -> list[Finding]:
    """Look at everything; takes some seconds.

    Parameters
    ----------
    port : int
        UDP port that OSC is to have.
    cards : function
        Lists the sound cards.
    """
    return [*_sound(cards), _files(), _port(port), _priority(), _cores(), _backend(), *_models(), _leftovers()]


def _sound(list_them: Callable[[], Cards]) -> Iterator[Finding]:
    try:
        cards = list_them()
    except AudiobendError as error:
        what, _, fix = str(error).partition("; ")
        yield Finding("PortAudio", False, what, fix or "restart the sound server", is_needed=True)
        return
    hosts = ", ".join(dict.fromkeys(device.host for device in cards.devices))
    yield Finding("PortAudio", True, f"loaded; systems with cards: {hosts or 'none'}")
    yield from _cards(cards)


def _cards(cards: Cards) -> Iterator[Finding]:
    by_number = {device.number: device for device in cards.devices}
    connect = "connect a card, or start a sound server (JACK, PipeWire); --no-audio --from plays without"
    chosen = []
    for direction, number in (("input", cards.default_input), ("output", cards.default_output)):
        device = by_number.get(-1 if number is None else number)
        if device is None:
            able = any(device.inputs if direction == "input" else device.outputs for device in cards.devices)
            fix = f"name one with --{direction}-device; see: audiobend devices" if able else connect
            yield Finding(direction, False, "no default card", fix, is_needed=not able)
        else:
            chosen.append(device)
            yield Finding(direction, True, f"{device.name} ({device.host}), {device.rate} Hz")
    rates = {device.rate for device in chosen}
    if len(rates) > 1:
        fix = "give both the same rate in the system's settings, or use one card for both"
        yield Finding("sample rate", False, f"input and output run at {' and '.join(map(str, rates))} Hz", fix)
    elif rates and rates != {MODEL_RATE}:
        yield Finding("sample rate", True, f"{rates.pop()} Hz; resampling costs 3 ms, {MODEL_RATE} Hz nothing")
    elif rates:
        yield Finding("sample rate", True, f"{MODEL_RATE} Hz, as the models have it")


def _files() -> Finding:
    import soundfile

    return Finding("sound files", True, f"libsndfile {soundfile.__libsndfile_version__.removeprefix('libsndfile-')}")


def _port(port: int) -> Finding:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            fix = "end the other program, or take another port with --osc-port"
            return Finding("OSC", False, f"UDP port {port} cannot be had: {error.strerror}", fix)
    return Finding("OSC", True, f"UDP port {port} is free")


def _priority() -> Finding:
    if may_be_real_time():
        return Finding("priority", True, "real-time priority is permitted")
    fix = "Linux: add '@audio - rtprio 20' to /etc/security/limits.conf, join the group audio, log in again"
    return Finding("priority", False, "no real-time priority: blocks may come late on a busy machine", fix)


def _cores() -> Finding:
    n = os.cpu_count() or 1
    if n > 1:
        return Finding("processor", True, f"{n} cores")
    return Finding("processor", False, "1 core", "take --latency studio, and end other programs")


def _backend() -> Finding:
    if not has_openvino():
        return Finding("backend", False, "torch; OpenVINO is 2 to 3 times faster", "pip install 'audiobend[openvino]'")
    return Finding("backend", True, f"OpenVINO{' in bfloat16' if has_bfloat16() else ''} and torch")


def _models() -> Iterator[Finding]:
    models = list_models()
    if not models:
        yield Finding("models", False, "none", "audiobend train FOLDER --out models/mine", is_needed=True)
    for name, folder in models.items():
        try:
            model = load_model(folder)
        except AudiobendError as error:
            yield Finding(f"model {name}", False, str(error), f"fetch {folder} again", is_needed=len(models) == 1)
        else:
            yield _stands(name, model.fingerprint)
    for name, folder in list_picture_models().items():
        try:
            yield _stands(name, load_picture_model(folder).fingerprint)
        except AudiobendError as error:
            yield Finding(f"model {name}", False, str(error), f"fetch {folder} again")


def _stands(name: str, fingerprint: str) -> Finding:
    return Finding(f"model {name}", True, f"fingerprint {fingerprint}, as its card and clusters say")


def _leftovers() -> Finding:
    found = leftovers()
    if not found:
        return Finding("shared memory", True, "nothing is left behind")
    return Finding("shared memory", False, f"{len(found)} performances were cut off", "audiobend doctor --clean")
