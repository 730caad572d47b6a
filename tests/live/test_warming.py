"""Engines begin as copies of a process that has loaded everything."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux copies processes")

SHARES = """
from audiobend.live.children import Child
from audiobend.live.warming import warm_up

def look(pipe):
    import sys
    has_torch = "torch" in sys.modules    # before anything here imports it
    from audiobend.live import warm
    pipe.send((has_torch, warm._shared is not None and warm._shared_model(None) is warm._shared[1]))

if __name__ == "__main__":
    warm_up(None)
    print(*next(Child(look, is_forked=True).receive(60)))
"""

DIES = """
import os
from audiobend.live.children import Child, prepare_copies

def look(pipe):
    pipe.send("here")

if __name__ == "__main__":
    prepare_copies("dies_at_once")
    print(next(Child(look, is_forked=True).receive(60)))
"""


def _run(folder, text):
    (folder / "main.py").write_text(text)
    return subprocess.run([sys.executable, "main.py"], cwd=folder, capture_output=True, text=True, timeout=120)


def test_a_copy_has_libraries_and_the_model_from_its_first_moment(tmp_path):
    done = _run(tmp_path, SHARES)
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_a_process_begins_by_itself_where_what_it_would_be_copied_from_has_died(tmp_path):
    (tmp_path / "dies_at_once.py").write_text("import os\nos._exit(1)\n")
    done = _run(tmp_path, DIES)
    assert done.stdout.split() == ["here"], done.stderr
