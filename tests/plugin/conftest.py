"""The plugin's sources, compiled once for all tests; without the system's parts the tests are skipped by name."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from audiobend.plugin.building import DPF, build, sources
from tests.parts import needed
from tests.plugin.peer import Native

NATIVE = Path(__file__).with_name("native")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compiles a program of ``native/``, or a library of the audio call."""
    needed(shutil.which("g++"), "needs g++; on Debian: apt-get install g++")
    folder, made = tmp_path_factory.mktemp("native"), dict[str, Path]()

    def make(name: str, *flags: str) -> Path:
        if name not in made:
            parts = [NATIVE / f"{name}.cpp", *(sources() / f"{part}.cpp" for part in ("bridge", "segment", "link"))]
            how = ["-std=c++17", "-O3", "-ffast-math", "-pthread", f"-I{sources()}", *flags]    # as DPF does
            words = ["g++", *how, *parts, "-o", folder / name, "-ldl", "-lrt"]
            subprocess.run(list(map(str, words)), check=True)
            made[name] = folder / name
        return made[name]

    return make


@pytest.fixture(scope="session")
def native(compiled) -> Native:
    """The audio call and the way to the server, for Python."""
    return Native(compiled("link_c", "-shared", "-fPIC"))


@pytest.fixture(scope="session")
def bundles(tmp_path_factory) -> dict[str, Path]:
    """The plugin in every format."""
    needed(shutil.which("g++") and shutil.which("make"), "needs g++ and make; on Debian: apt-get install g++ make")
    needed(DPF.exists() or "AUDIOBEND_DPF" in os.environ, "needs DPF; on Debian: apt-get install dpf-source")
    return build(["vst3", "clap", "lv2"], tmp_path_factory.mktemp("bundles"))
