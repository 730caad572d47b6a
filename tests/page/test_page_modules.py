"""The page's modules that need no browser, by node's own test runner."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "js"


def test_the_pages_modules_hold_their_promises():
    node = shutil.which("node")
    if node is None:
        sentence = "needs node 20 or later; on Debian: apt-get install nodejs"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    files = sorted(map(str, FOLDER.glob("*.test.mjs")))
    assert files
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
