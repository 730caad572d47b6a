"""`audiobend plugin` builds, installs and explains; what is missing is one sentence, and nothing is half done."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from audiobend.plugin import building, places
from audiobend.plugin.building import NAME, put


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A user without any plugin, server or settings."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("AUDIOBEND_SERVER", str(folder / "s"))
    return folder


@pytest.mark.slow
def test_what_is_installed_is_where_hosts_look_and_can_start_a_server(audiobend, home, bundles):
    status, out, _ = audiobend("plugin", "install", "--format", "lv2,clap", "--json")
    told = json.loads(out)
    assert status == 0 and set(told["bundles"]) == {"lv2", "clap"}
    assert (home / ".lv2" / f"{NAME}.lv2" / "manifest.ttl").is_file()
    assert (home / ".clap" / f"{NAME}.clap").exists()
    program, verb = Path(told["server_command"]).read_text().split("\n")[:2]
    assert verb == "server" and os.access(program, os.X_OK)
    status, out, _ = audiobend("plugin", "doctor", "--json")
    found = {finding["what"]: finding for finding in json.loads(out)}
    assert status == 0
    assert found["installed lv2"]["is_well"] and found["installed clap"]["is_well"]
    assert not found["installed vst3"]["is_well"] and "--format vst3" in found["installed vst3"]["fix"]
    assert found["server command"]["is_well"]
    assert not found["server"]["is_well"] and found["server"]["fix"] == "audiobend server"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--format", "vst2"), "there is no format 'vst2'; did you mean 'vst3'?"),
        (("--format", ","), "needs at least one of vst3, clap, lv2"),
        (("--dpf", "/nowhere"), "/nowhere: the DISTRHO Plugin Framework is not there; on Debian"),
    ],
)
def test_what_cannot_be_built_is_said_in_one_sentence(audiobend, home, words, sentence):
    status, out, err = audiobend("plugin", "build", "--out", home / "out", *words)
    assert (status, out) == (2, "")
    assert sentence in err and err.count("\n") == 1
    assert not (home / "out").exists()


def test_without_a_compiler_the_way_to_one_is_told(audiobend, home, bundles, monkeypatch):
    monkeypatch.setattr(building, "compiler", lambda: None)
    status, _, err = audiobend("plugin", "build", "--out", home / "out")
    assert status == 2 and "there is no C++ compiler; on Debian: apt-get install g++ make" in err
    assert not (home / "out").exists()


def test_a_user_without_any_plugin_is_told_what_to_do(audiobend, home):
    status, out, _ = audiobend("plugin", "doctor", "--json", "--out", home)
    found = {finding["what"]: finding for finding in json.loads(out)}
    assert status == 1
    assert set(found) >= {"system", "compiler", "make", "framework", "built", "server command", "server"}
    assert all(finding["fix"] for finding in found.values() if not finding["is_well"])
    assert "audiobend plugin build" in found["built"]["fix"]


def test_a_bundle_takes_the_place_of_an_older_one_whole(tmp_path):
    old, new = tmp_path / "there" / "a.vst3", tmp_path / "a.vst3"
    for folder, name in ((old, "old"), (new, "new")):
        (folder / "Contents").mkdir(parents=True)
        (folder / "Contents" / name).write_text(name)
    assert put(new, old.parent) == old
    assert [path.name for path in (old / "Contents").iterdir()] == ["new"]
    assert [path.name for path in old.parent.iterdir()] == ["a.vst3"]


def test_the_command_that_starts_a_server_does_not_depend_on_the_path(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert Path(places.server_words()[0]).is_absolute()


def test_the_wheel_holds_the_sources():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["plugin"] == "audiobend/plugin/source"
    assert building.sources() == Path(__file__).parents[2] / "plugin"
