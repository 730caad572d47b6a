"""`audiobend bench` on real engines, a short moment each."""

import json

import pytest

from audiobend.live_engine import LiveSettings
from audiobend.networks.backends import backend, worth_trying
from audiobend.speed import COMFORTABLE, Cost, cost, random_model


@pytest.mark.slow
def test_bench_measures_every_latency_and_backend_and_recommends(audiobend, tiny_bundle):
    status, out, err = audiobend("bench", "--model", tiny_bundle, "--seconds", "0.2", "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert (found["threads"], found["bends"]) == (1, 8)
    settings = {(row["latency"], row["stride"], row["backend"]) for row in found["costs"]}
    strides = {"low": 4, "balanced": 8, "studio": 16}
    assert settings == {(name, stride, one) for name, stride in strides.items() for one in worth_trying()}
    for row in found["costs"]:
        assert row["stride_ms"] == pytest.approx(row["stride"] * 256 / 44.1, abs=1e-3)
        assert row["network_ms"] > 0
        assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
    advice = found["recommended"]["tiny"]
    loads = {(row["latency"], row["backend"]): row["load"] for row in found["costs"]}
    if advice is None:
        assert min(loads.values()) > COMFORTABLE - 1e-3
    else:
        assert loads[advice["latency"], advice["backend"]] <= COMFORTABLE + 1e-3


def test_bench_prints_lines_that_programs_can_cut(audiobend, tiny_bundle):
    options = ("--seconds", "0.1", "--backend", "torch", "--phase", "input")
    status, out, _ = audiobend("bench", "--model", tiny_bundle, *options)
    assert status == 0
    rows = [line.split("\t") for line in out.splitlines() if "\t" in line]
    strides = (("low", "4"), ("balanced", "8"), ("studio", "16"))
    assert [row[:4] for row in rows] == [["tiny", name, stride, "torch"] for name, stride in strides]
    assert out.splitlines()[-1].startswith("tiny: ")


def test_bench_refuses_a_model_that_is_not_there(audiobend):
    status, _, err = audiobend("bench", "--model", "nowhere")
    assert status == 2
    assert len(err.splitlines()) == 1


def test_a_setting_that_does_not_hold_is_warned_about():
    comfortable = Cost("torch", 8, 0.3, 5, 10, 12, 13, 46.4)
    assert comfortable.is_comfortable
    assert comfortable.warning() is None
    late = Cost("torch", 4, 1.2, 20, 30, 33, 34, 23.2)
    assert not late.is_comfortable
    assert "1.20 s of work" in late.warning()


def test_a_wider_network_costs_more():
    settings = LiveSettings.profile("studio")
    narrow, wide = (
        cost(model, settings, backend("torch", model), seconds=0.1)
        for model in (random_model(0.03125), random_model(0.25))
    )
    assert wide.network_ms > narrow.network_ms
