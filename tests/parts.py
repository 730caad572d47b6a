"""System parts that some tests need: fetched where that is possible, so that one command sets everything up."""

import ctypes.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
FETCH = Path(__file__).parents[1] / ".ci" / "parts"
PROGRAMS = ("jackd", "jack_wait", "oscsend", "oscdump", "pd", "chromium", "sclang", "node", "jalv")
LIBRARIES = ("portaudio", "jack")


def missing(programs: tuple[str, ...] = PROGRAMS, libraries: tuple[str, ...] = LIBRARIES) -> list[str]:
    """Return the names of the parts that are not there."""
    lacking = [name for name in programs if shutil.which(name) is None]
    return lacking + [f"lib{name}" for name in libraries if ctypes.util.find_library(name) is None]


def needed(found: T | None, sentence: str) -> T:
    """Return what was looked for; where there is nothing, skip the test by name, but fail where all must be there."""
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


def chromium() -> str:
    """Return where the system's browser is; see `needed`."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    return needed(found, "needs a browser; on Debian: apt-get install chromium")


def fetch() -> None:
    """Install what is missing, as root on Debian or Ubuntu; elsewhere, or a second time, do nothing."""
    tried = Path(tempfile.gettempdir()) / "audiobend-parts-tried"
    may = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None
    if not may or tried.exists() or not missing():
        return
    tried.touch()
    try:
        subprocess.run(["bash", str(FETCH)], timeout=300, check=False)
    except subprocess.TimeoutExpired:
        print("some system parts could not be fetched; tests that need them are skipped")
