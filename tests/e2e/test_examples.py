"""Every example runs, every example patch fits the default model, and every README block works."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

PROGRAMS = sorted((ROOT / "examples").glob("[0-9]*.py"))
PATCHES = sorted((ROOT / "examples" / "patches").glob("*.yaml"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_example_program_runs(program, tmp_path):
    result = subprocess.run([sys.executable, program, tmp_path], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout


def test_there_are_enough_patches_and_all_are_named_differently():
    from audiobend.io.patchfile import load_patch

    names = [load_patch(path).name for path in PATCHES if not path.stem.startswith("network_bending")]
    assert len(names) >= 8
    assert len(set(names)) == len(names)
    assert all(names)


@pytest.mark.parametrize("path", PATCHES, ids=lambda path: path.stem)
def test_example_patch_changes_the_sound_in_its_own_way(path, audiobend, tmp_path):
    import soundfile as sf

    status, output, error = audiobend("check", path)
    assert (status, error) == (0, "")
    assert "fits" in output
    samples, rate = sf.read(ROOT / "examples" / "sounds" / "harvest_food.flac", frames=44100)
    sf.write("in.wav", samples, rate)
    for words in (["unbent.wav"], ["bent.wav", "--patch", path]):
        assert audiobend("render", "in.wav", *words, "--quality", "fast")[0] == 0
    unbent, bent = sf.read("unbent.wav")[0], sf.read("bent.wav")[0]
    assert ((bent - unbent) ** 2).mean() > 0.01 * (unbent**2).mean()


def readme_blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_readme_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    blocks = readme_blocks("python")
    assert blocks
    for block in blocks:
        exec(compile(block.replace('"bent.wav"', repr(str(tmp_path / "bent.wav"))), "README.md", "exec"), {})


def test_readme_commands_that_need_no_set_up_run(audiobend, monkeypatch, tmp_path):
    commands = [line for block in readme_blocks("sh") for line in block.splitlines() if line.startswith("audiobend ")]
    assert len(commands) >= 4
    for name in ("examples", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    for command in commands:
        words = shlex.split(command, comments=True)[1:]
        if words[0] in ("train", "live", "studio", "server", "plugin", "cluster", "catalog", "export"):
            words += ["--help"]    # what takes long or installs is tested on its own
        status, _, error = audiobend(*words)
        assert status == 0, (command, error)
