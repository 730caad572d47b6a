"""SuperCollider's language opens the file that is written for it, plays, and hears the answers."""

import os
import subprocess

import pytest

from audiobend.osc.clients import surface
from audiobend.osc.clients.supercollider import supercollider_file
from audiobend.osc.server import OscServer
from tests.osc.test_peers import needs

PROGRAM = r"""
"audiobend.scd".resolveRelative.load;
~audiobend.tell("gain", -6);
~audiobend.turn(0, \erode);
~audiobend.adjust("layer/3/cluster/1", \erode, \radius, 3);
~audiobend.tell("scene/save", "low");
~audiobend.turn("layer/2/all", \invert).turn("layer/2/all", \negate).adjust("layer/2/all", \negate, \mix, 0.5);
~audiobend.subscribe;
{
    var wait = { |test, words| var n = 0; while { test.().not and: { n < 400 } } { n = n + 1; 0.05.wait };
        (words ++ if(test.()) { ": yes" } { ": no" }).postln };
    wait.({ ~audiobend.heard("gain") == -6.0 }, "heard what it asked for");
    WINDOW
    ~audiobend.end;
    0.exit;
}.fork(AppClock);
"""
WINDOW = r"""
    ~audiobend.window;
    ~audiobend.widgets[\dilate].valueAction_(true);
    ~audiobend.widgets['dilate/radius'].valueAction_(5);
    ~audiobend.widgets['whole:mix'].valueAction_(0.5);
    ~audiobend.widgets['whole:seed'].valueAction_(4711);
    wait.({ ~audiobend.widgets[\erode].value == true }, "shows what it hears");
"""


def run(folder, program, **environment):
    """Run the language without a screen."""
    path = folder / "play.scd"
    path.write_text(program)
    quiet = {"QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_DISABLE_SANDBOX": "1", "HOME": str(folder),
             "QTWEBENGINE_CHROMIUM_FLAGS": "--no-sandbox --disable-gpu", "XDG_RUNTIME_DIR": str(folder)}
    words = ["sclang", "-D", str(path)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, env=os.environ | quiet | environment)


@needs("sclang")
@pytest.mark.slow
def test_the_file_for_supercollider_plays_and_hears_and_its_window_too(desk, tmp_path):
    with OscServer(desk, port=0) as server:
        of = surface(desk.context, port=server.port)
        (tmp_path / "audiobend.scd").write_text(supercollider_file(of))
        told = run(tmp_path, PROGRAM.replace("WINDOW", WINDOW)).stdout
        assert server.counters.failed == 0
    assert "heard what it asked for: yes" in told and "shows what it hears: yes" in told, told
    assert "ERROR" not in told
    patch = desk.state.patch
    assert patch.bend("layer1.all.erode").on and patch.bend("layer3.cluster1.erode").params["radius"] == 3
    assert patch.bend("layer2.all.invert").on and patch.bend("layer2.all.negate").mix == 0.5
    assert patch.bend("layer1.all.dilate").on and patch.bend("layer1.all.dilate").params["radius"] == 5
    assert (desk.state.mix, desk.state.gain_db, desk.state.seed) == (0.5, -6, 4711) and "low" in desk.state.scenes
