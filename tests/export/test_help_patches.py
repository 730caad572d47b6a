"""The patches beside an exported file: Pure Data itself opens the one, the other is read box by box."""

import json
import os
import shutil
import subprocess

import pytest

from audiobend.export.exporting import help_paths, plan_export, write_nn_tilde

STANDIN = """#N canvas 0 0 300 200 10;
#X obj 10 10 inlet;
#X obj 10 50 print heard;
#X obj 100 50 outlet~;
#X obj 160 50 outlet~;
#X obj 100 10 inlet~;
#X connect 0 0 1 0;
"""
"""Stands for nn~: an abstraction that prints what it is told."""


@pytest.fixture(scope="module")
def beside(tiny_model, fog, tmp_path_factory):
    out = tmp_path_factory.mktemp("patches") / "low tide.ts"
    plan = plan_export(tiny_model, fog, "nn~", n_channels=2)
    written = write_nn_tilde(plan, out)
    assert written.files == [out, *help_paths(out)]
    return plan, out


needs_pd = pytest.mark.skipif(
    shutil.which("pd") is None and os.environ.get("CI") != "true", reason="pd is not installed"
)


@needs_pd
def test_pure_data_sets_every_attribute_as_the_patch_has_it(beside):
    plan, out = beside
    (out.parent / "nn~.pd").write_text(STANDIN)
    words = ["pd", "-nogui", "-noaudio", "-nomidi", "-stderr", "-open", str(help_paths(out)[0]), "-send", "pd quit"]
    told = subprocess.run(words, capture_output=True, text=True, timeout=60).stderr
    assert "couldn't create" not in told and "connection failed" not in told, told
    heard = [line.removeprefix("heard: set ").split() for line in told.splitlines() if line.startswith("heard: set")]
    assert {name: float(value) for name, value in heard} == {
        one.attribute: pytest.approx(one.value) for one in plan.controls
    }


def test_the_max_patch_joins_a_slider_to_nn_for_every_attribute(beside):
    plan, out = beside
    patcher = json.loads(help_paths(out)[1].read_text())["patcher"]
    boxes = {box["box"]["id"]: box["box"] for box in patcher["boxes"]}
    cords = {(line["patchline"]["source"][0], line["patchline"]["destination"][0]) for line in patcher["lines"]}
    (nn,) = [id for id, box in boxes.items() if box.get("text", "").startswith("nn~ ")]
    assert (boxes[nn]["numinlets"], boxes[nn]["numoutlets"]) == (2, 2)
    before = {target: source for source, target in cords if target != nn}
    for one in plan.controls:
        (prepend,) = [id for id, box in boxes.items() if box.get("text") == f"prepend set {one.attribute}"]
        assert (prepend, nn) in cords
        slider = boxes[before[before[prepend]]]
        assert (slider["maxclass"], slider["min"]) == ("slider", one.param.low)
    for source, target in cords:
        assert source in boxes and target in boxes
