"""What the plugin and the server have agreed upon is the same on both sides, and nothing else is accepted."""

import json
import os
import struct
import subprocess
from pathlib import Path

import pytest

from audiobend.live.latency import Latency, cushion_samples
from audiobend.live.rings import CAPACITY, CHANNELS, FADE, HEADER, N_PARAMETERS, VERSION, Count, Parameter, Shared
from audiobend.spectral.live_settings import LiveSettings
from tests.plugin.peer import Bridge


@pytest.fixture(scope="module")
def numbers(compiled) -> dict:
    return json.loads(subprocess.run([compiled("numbers")], check=True, capture_output=True).stdout)


def test_both_sides_have_the_same_numbers(numbers):
    assert numbers["counts"] == {count.name: count.value for count in Count}
    assert numbers["parameter"] == {parameter.name: parameter.value for parameter in Parameter}
    assert numbers["header"] == HEADER.size
    found = [numbers[name] for name in ("version", "capacity", "channels", "fade", "parameters")]
    assert found == [VERSION, CAPACITY, CHANNELS, FADE, N_PARAMETERS]


def test_the_usual_delay_is_that_of_the_profile_balanced(numbers):
    settings = LiveSettings.profile("balanced")
    for words, delay in numbers["delays"].items():
        rate, block = map(int, words.split())
        cushion = cushion_samples("balanced", settings.stride, None, rate, 44100)
        assert delay == Latency(rate, settings.latency_parts(), 44100, cushion, block).delay, words


@pytest.fixture
def shared():
    shared = Shared()
    yield shared
    shared.close()


@pytest.fixture
def bridge(native):
    with Bridge(native) as bridge:
        yield bridge


def place(shared: Shared) -> Path:
    return Path("/dev/shm") / shared.name.lstrip("/")


def rewrite(shared: Shared, offset: int, kind: str, value: object) -> None:
    with place(shared).open("r+b") as file:
        file.seek(offset)
        file.write(struct.pack(kind, value))


def test_a_segment_of_the_server_is_accepted(bridge, shared):
    assert bridge.offer(shared.name) == ""


@pytest.mark.parametrize(
    ("offset", "kind", "value", "why"),
    [
        (0, "8s", b"somebody", "not audiobend's"),
        (8, "<I", VERSION + 1, "another version"),
        (12, "<I", 128, "another layout"),
        (16, "<Q", 1 << 40, "cut off"),
        (16, "<Q", 4096, "cut off"),
        (32, "<I", len(Count) - 1, "another layout"),
        (32, "<I", 0xFFFFFFFF, "cut off"),
        (36, "<I", 0xFFFFFFFF, "cut off"),
        (40, "<I", 0, "another layout"),
        (40, "<I", CAPACITY * 2, "another layout"),
        (44, "<I", 1, "another layout"),
        (48, "<I", N_PARAMETERS - 1, "another layout"),
    ],
)
def test_a_header_that_says_something_else_is_refused(bridge, shared, offset, kind, value, why):
    rewrite(shared, offset, kind, value)
    assert why in bridge.offer(shared.name)


def test_a_segment_whose_server_has_ended_is_refused(bridge, shared):
    ended = subprocess.Popen(["true"])
    ended.wait()
    rewrite(shared, 24, "<q", ended.pid)
    assert "has ended" in bridge.offer(shared.name)


def test_a_segment_that_is_cut_off_is_refused(bridge, shared):
    copy = place(shared).with_name(f"audiobend-{os.getpid()}-short")
    try:
        for size in (0, 63, 64, 4096, place(shared).stat().st_size - 1):
            copy.write_bytes(place(shared).read_bytes()[:size])
            copy.chmod(0o600)
            assert "cut off" in bridge.offer(copy.name), size
    finally:
        copy.unlink()


def test_a_segment_that_others_can_read_is_refused(bridge, shared):
    place(shared).chmod(0o644)
    assert "its owner's alone" in bridge.offer(shared.name)


@pytest.mark.parametrize("name", ["/etc-passwd", "/audiobend-", "/audiobend-../x", "/audiobend-nobody", "/" + "a" * 99])
def test_a_name_that_is_not_ours_is_refused(bridge, name):
    assert bridge.offer(name) != ""
