"""The command line on a real sound server."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.realtime.rig import PERIOD, lag_of, noise

pytestmark = pytest.mark.slow

PROGRAM = Path(sys.executable).with_name("audiobend")


@pytest.fixture
def run(tmp_path):
    def run(*words) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(PROGRAM), *map(str, words)], capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False
        )

    return run


def test_cards_are_listed_and_a_cable_is_measured(soft_card, run):
    soft_card(None, "--wire")
    listed = json.loads(run("devices", "--json").stdout)
    card = next(device for device in listed["devices"] if device["name"] == "softcard")
    assert (card["inputs"], card["outputs"], card["rate"]) == (2, 2, 44100)
    assert card["host"] == "JACK Audio Connection Kit"
    words = ("--input-device", "softcard", "--output-device", "softcard")
    measured = json.loads(run("latency", "--measure", "--json", *words).stdout)
    assert measured["card"]["samples"] == PERIOD    # what a client hands over is heard one period later
    for profile in measured["profiles"].values():
        assert profile["engine_measured"] == profile["engine_samples"]


def test_a_card_without_a_cable_is_a_sentence(soft_card, run):
    soft_card(None)
    done = run("latency", "--measure", "--input-device", "softcard", "--output-device", "softcard")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "connect the output to the input with a cable" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--input-device", "softcart"], "unknown input device 'softcart'; did you mean 'softcard'?"),
        (["--output-device", "99"], "there is no device 99"),
        (["--output-device", "softcard", "--sample-rate", "96000"], "cannot run at 96000 Hz; leave out --sample-rate"),
    ],
)
def test_a_card_that_cannot_is_a_sentence(soft_card, run, tiny_bundle, words, sentence):
    soft_card(None)
    done = run("live", "--model", tiny_bundle, "--backend", "torch", "--osc-port", 0, *words)
    told = [line for line in done.stderr.splitlines() if "loading the model" not in line]
    assert (done.returncode, len(told)) == (2, 1), done.stderr
    assert sentence in told[0]


def test_a_performance_is_recorded_as_the_speaker_has_it(soft_card, tiny_bundle, tmp_path):
    """With a patch that is dry, so that the sound can be found again; and ended by Ctrl-C."""
    sound = noise(110)
    card = soft_card(sound)
    (tmp_path / "dry.yaml").write_text("audiobend: 1\ntransforms: []\noutput: {mix: 0, limiter: false}\n")
    words = [PROGRAM, "live", "--model", tiny_bundle, "--backend", "torch", "--osc-port", 0, "--json"]
    words += ["--latency", "low", "--input-device", "softcard", "--output-device", "softcard"]
    words += ["--patch", "dry.yaml", "--record", "out.flac"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(list(map(str, words)), stdout=pipe, stderr=pipe, text=True, cwd=tmp_path)
    statuses = (json.loads(line) for line in process.stdout)
    facts = next(event for event in statuses if event["event"] == "start")
    next(event for event in statuses if event["event"] == "status" and event["is_bent"] and event["seconds"] > 2)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    heard = card.recorded()
    recorded, rate = sf.read(tmp_path / "out.flac", dtype="float32")
    assert (process.returncode, rate, facts["channels"]) == (0, 44100, 2)
    assert facts["latency_parts_ms"]["device"] == round(2 * 1000 * PERIOD / 44100, 1)
    at = len(recorded) - rate
    lag = lag_of(recorded, sound, at)
    assert np.abs(recorded[at:] - sound[at - lag : at - lag + rate]).max() < 2e-7    # 24 bits
    first = at - lag_of(recorded, heard, at)
    assert np.abs(recorded[at:-PERIOD] - heard[first : first + rate - PERIOD]).max() < 2e-7
