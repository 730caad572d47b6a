"""System parts that some tests need: fetched where that is possible, so that one command sets everything up."""

import ctypes.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

FETCH = Path(__file__).parents[1] / ".ci" / "parts"
PROGRAMS = ("jackd", "jack_wait", "oscsend", "oscdump", "pd", "chromium", "sclang", "node")
LIBRARIES = ("portaudio", "jack")


def missing(programs: tuple[str, ...] = PROGRAMS, libraries: tuple[str, ...] = LIBRARIES) -> list[str]:
    """Return the names of the parts that are not there."""
    lacking = [name for name in programs if shutil.which(name) is None]
    return lacking + [f"lib{name}" for name in libraries if ctypes.util.find_library(name) is None]


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
