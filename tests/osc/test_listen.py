"""The command's own words about where it listens: warnings, ports, and what is refused."""

import http.client
import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from audiobend.osc.client import OscClient

pytestmark = pytest.mark.slow

PROGRAM = Path(sys.executable).with_name("audiobend")
TRACK = Path(__file__).parents[2] / "examples" / "sounds" / "next_to_you.flac"


def live(bundle, *words):
    """Start a performance without a card that plays on and on."""
    words = [PROGRAM, "live", "--no-audio", "--from", TRACK, "--loop", "--model", bundle, "--backend", "torch", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(list(map(str, [*words, "--json"])), stdout=pipe, stderr=pipe, text=True)


def test_a_performance_tells_its_ports_and_warns_where_others_can_come_in(tiny_bundle):
    words = ["--osc-port", 0, "--osc-tcp", 0, "--oscquery-port", 0, "--listen", "0.0.0.0", "--allow", "127.0.0.0/8"]
    process = live(tiny_bundle, *words)
    try:
        events = [json.loads(process.stdout.readline()) for _ in range(2)]
        told = next(one["text"] for one in events if one["event"] == "told")
        ports = next(one["osc"] for one in events if one["event"] == "start")
        assert told == "OSC listens at 0.0.0.0: machines at 127.0.0.0/8 can play"
        with OscClient("127.0.0.1", ports["port"]) as client:
            (hello,) = client.request("/audiobend/hello", seconds=20)
        assert hello.args[-3:] == (ports["port"], ports["tcp_port"], ports["query_port"])
        with closing(http.client.HTTPConnection("127.0.0.1", ports["query_port"], timeout=20)) as line:
            line.request("GET", "/?HOST_INFO")
            assert json.loads(line.getresponse().read())["OSC_PORT"] == ports["port"]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--allow", "the studio"], "--allow must be an IP address"),
        (["--osc-tcp", 0, "--osc-framing", "morse"], "the framing must be auto, length or slip"),
        (["--listen", "203.0.113.7"], "this machine has no address"),
    ],
)
def test_what_cannot_be_listened_to_is_one_sentence(tiny_bundle, words, sentence):
    process = live(tiny_bundle, "--osc-port", 0, *words)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 2 and sentence in told and "Traceback" not in told
