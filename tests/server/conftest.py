"""A running server, for those who do it no harm, and ways to start others."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import EXAMPLES
from tests.server.plugin import Plugin


class Running:
    """``audiobend server`` as a process, with a small model and a place of its own."""

    def __init__(self, folder: Path, model: Path, *words: str) -> None:
        self.path = folder / "server.sock"
        program = [sys.executable, "-c", "from audiobend.cli import main; main()", "server"]
        options = ["--json", "--osc-port", "0", "--page-port", "0", "--model", str(model), "--backend", "torch", *words]
        environment = os.environ | {"AUDIOBEND_SERVER": str(self.path), "OMP_NUM_THREADS": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([*program, *options], env=environment, **pipes)
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        self.told = [json.loads(line)]
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.told.append(json.loads(line))

    @property
    def pid(self) -> int:
        return self.process.pid

    def plugin(self, **how) -> Plugin:
        return Plugin(self.path, **how)

    def kill(self) -> None:
        self.process.kill()
        self._end()

    def close(self) -> None:
        self.process.terminate()
        error = self.process.stderr.read()
        self._end()
        assert "Traceback" not in error, error

    def _end(self) -> None:
        self.process.wait(60)
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture(scope="session")
def place():
    """Make folders for sockets, whose paths must be short."""
    made = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="ab-")))
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def start(tiny_bundle, place):
    """Start a server; it ends with the tests."""
    started = []

    def begin(*words: str, folder: Path | None = None) -> Running:
        started.append(Running(folder or place(), tiny_bundle, *words))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.close()


@pytest.fixture(scope="session")
def server(start) -> Running:
    """A server with room for three, which all tests share."""
    return start("--max-instances", "3")


@pytest.fixture(scope="session")
def song():
    """A second and a half of real music, stereo ``(time, 2)``."""
    samples, _ = sf.read(EXAMPLES / "sounds" / "next_to_you.flac", frames=66150, dtype="float32")
    return np.ascontiguousarray(samples)
