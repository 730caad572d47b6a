"""Pure Data plays a running audiobend with the patch that is written for it, and hears what it does to the sound."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audiobend.control import Context
from audiobend.io.modelbundle import load_model
from audiobend.osc.clients import surface
from audiobend.osc.clients.pd import pd_patch
from tests.osc.pd_rig import Pd
from tests.osc.ports import free_port
from tests.osc.test_peers import needs
from tests.realtime.rig import connect, connected_to, noise, ports

pytestmark = [pytest.mark.slow, needs("pd")]

PROGRAM = Path(sys.executable).with_name("audiobend")
HEARD = re.compile(r"level: ([\d.]+)")


@pytest.fixture
def playing(soft_card, tiny_bundle, tmp_path):
    """A performance on the software card; the port of its OSC."""
    soft_card(noise(110))
    port = free_port()
    words = [PROGRAM, "live", "--model", tiny_bundle, "--backend", "torch", "--osc-port", port, "--json"]
    words += ["--latency", "low", "--input-device", "softcard", "--output-device", "softcard", "--channels", 1]
    process = subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    events = (json.loads(line) for line in process.stdout)
    next(event for event in events if event["event"] == "status" and event["is_bent"])
    yield port
    process.terminate()
    process.communicate(timeout=60)


def listen(canvas):
    """Print the level of the input, in dB (100 is full scale), twenty times a second."""
    canvas.chain(canvas.obj("loadbang"), canvas.msg("\\; pd dsp 1"))
    canvas.chain(canvas.obj("adc~ 1"), canvas.obj("env~ 2048 2048"), canvas.obj("print level"))


def connect_to_speaker():
    """Let Pure Data hear what the speaker of the card gets."""
    (source,) = connected_to("softcard:speaker_1")
    connect(source, ports("pure_data", "input")[0])


def level(pd, seconds=0.6):
    """What Pure Data hears now, in dB."""
    while not pd.printed.empty():
        pd.printed.get()
    end, found = time.monotonic() + seconds, []
    while time.monotonic() < end or not found:
        if match := HEARD.match(pd.printed.get(timeout=20)):
            found.append(float(match[1]))
    return sorted(found)[len(found) // 2]


def until(pd, condition):
    end = time.monotonic() + 60
    while not condition(now := level(pd)):
        assert time.monotonic() < end, now
    return now


def test_a_bend_switched_in_the_patch_is_heard_by_pure_data(playing, tiny_bundle, tmp_path):
    of = surface(Context.of_model(load_model(str(tiny_bundle))), port=playing)
    words = ["-jack", "-r", "44100", "-channels", "1", "-nojackconnect"]
    with Pd(tmp_path, playing, {"audiobend.pd": pd_patch(of)}, words=words, add=listen) as pd:
        connect_to_speaker()
        bent = until(pd, lambda now: now > 20)
        place = next(n for n, one in enumerate(of.places) if one.path == "layer/5/all")
        pd.to("audiobend.place", place)
        pd.to("audiobend/offset/delta", -10)
        pd.to("audiobend/offset", 1)
        until(pd, lambda now: now < bent - 20)
        pd.to("audiobend/offset", 0)
        until(pd, lambda now: abs(now - bent) < 6)
        pd.to("audiobend/gain", -20)
        until(pd, lambda now: abs(now - (bent - 20)) < 6)
