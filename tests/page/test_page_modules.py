"""The page's modules that need no browser, by node's own test runner."""

import shutil
import subprocess
from pathlib import Path

from tests.parts import needed

FOLDER = Path(__file__).parent / "js"


def test_the_pages_modules_hold_their_promises():
    node = needed(shutil.which("node"), "needs node 20 or later; on Debian: apt-get install nodejs")
    files = sorted(map(str, FOLDER.glob("*.test.mjs")))
    assert files
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
