"""Neutone: what its card says, and the SDK's own checks, in an environment of its own."""

import json
import os
import shutil
import subprocess

import pytest
import torch

from audiobend.bending import Patch
from audiobend.errors import AudiobendError
from audiobend.export import neutone
from audiobend.export.exporting import plan_export
from audiobend.export.neutone import PYTHON, card, check_uv, write_neutone


def has_sdk() -> bool:
    """Whether an environment with the SDK is there, or can be made from what was fetched before."""
    if PYTHON in os.environ:
        return True
    if shutil.which("uv") is None:
        return False
    words = [*neutone.command(neutone._SIDE)[:-3], "--offline", "python", "-c", "import neutone_sdk"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_the_card_keeps_to_neutones_lengths(shipped):
    long = Patch(name="an endless name " * 5)
    for index, name in enumerate(("erode", "dilate", "rotate", "shear", "translate", "sin-disrupt", "binary-thresh")):
        long = long.add(1 + index % 5, name)
    told = card(plan_export(shipped, long, "neutone"))
    longest = {"name": 30, "short": 150, "long": 500, "technical": 500, "citation": 150}
    assert all(len(told[key]) <= n for key, n in longest.items())
    assert len(told["tags"]) <= 7 and all(len(tag) <= 15 for tag in told["tags"])
    assert "corpus-quarter" in told["technical"] and "61 recordings" in told["technical"]
    assert "CC BY-SA 4.0" in card(plan_export(shipped, Patch(name="a"), "neutone"))["long"]


def test_without_uv_one_sentence_says_what_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(PYTHON, raising=False)
    with pytest.raises(AudiobendError, match="pip install uv"):
        check_uv()


def test_what_the_sdk_says_last_is_told(tiny_model, fog, tmp_path, monkeypatch):
    standin = tmp_path / "python"
    standin.write_text("#!/bin/sh\necho 'ValueError: no knob is like this' >&2\necho '  ~~~ <--- HERE' >&2\nexit 1\n")
    standin.chmod(0o755)
    monkeypatch.setenv(PYTHON, str(standin))
    with pytest.raises(AudiobendError, match="no knob is like this"):
        write_neutone(plan_export(tiny_model, fog, "neutone"), tmp_path / "a.nm")
    assert not (tmp_path / "a.nm").exists()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_sdks_own_checks_of_a_submission_pass(tiny_model, fog, tmp_path):
    if not has_sdk() and os.environ.get("CI") != "true":
        pytest.skip("neutone_sdk has not been fetched: run audiobend export --format neutone once")
    out = tmp_path / "fog.nm"
    written = write_neutone(plan_export(tiny_model, fog, "neutone"), out, thorough=True)
    assert "Your model has been exported successfully!" in written.facts["neutone"]
    extra = {"metadata.json": ""}
    torch.jit.load(str(out), _extra_files=extra)
    metadata = json.loads(extra["metadata.json"])
    assert metadata["model_name"] == "low tide"
    assert [metadata["neutone_parameters"][f"p{n}"]["name"] for n in range(1, 5)] == [
        "fog/mix", "fog/radius", "dust/mix", "dust/factor"
    ]    # fmt: skip
    assert metadata["native_sample_rates"] == [44100]
