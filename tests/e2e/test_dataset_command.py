"""``audiobend dataset`` as a musician types it, on folders with good and bad files."""

import json

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import EXAMPLES


@pytest.fixture
def folder(tmp_path):
    """A folder of real sound beside broken, silent and short files."""
    music = tmp_path / "music"
    (music / "loops").mkdir(parents=True)
    for name, place in (("pressure", "loops"), ("harvest_food", ".")):
        samples, rate = sf.read(EXAMPLES / "sounds" / f"{name}.flac", frames=5 * 44100)
        sf.write(music / place / f"{name}.flac", samples, rate)
    (music / "broken.mp3").write_bytes(b"no sound at all" * 100)
    sf.write(music / "short.wav", np.full(9000, 0.1), 44100)
    sf.write(music / "silent.wav", np.zeros(88200), 44100)
    (music / "LICENSE.txt").write_text("CC0")
    return music


def test_scan_shows_folders_and_reasons(audiobend, folder):
    status, out, error = audiobend("dataset", "scan", folder, "--no-estimate", "--files")
    assert (status, error) == (0, "")
    assert "2 sounds, 0.00 hours; 3 files left out" in out
    assert "music/loops\t1 sounds" in out
    for name, reason in (("broken.mp3", "cannot be read"), ("short.wav", "shorter than 0.74 s"), ("silent.wav", "sil")):
        assert any(name in line and reason in line for line in out.splitlines())


@pytest.mark.slow
def test_scan_as_json_is_one_document_with_a_measured_time(audiobend, folder):
    status, out, error = audiobend("dataset", "scan", folder, "--json", "--width", "0.015625")
    assert (status, error) == (0, "")
    facts = json.loads(out)
    assert facts["sounds"] == len(facts["files"]) == 2
    assert {(one["channels"], one["sample_rate"]) for one in facts["files"]} <= {(1, 44100), (2, 44100)}
    assert len(facts["skipped"]) == 3
    training = facts["training"]
    assert training["windows_per_second"] > 0
    once, ten = (one["minutes"] for one in training["passes"][:2])
    assert ten == pytest.approx(10 * once, abs=0.06)
    assert once == pytest.approx(facts["windows"] / training["windows_per_second"] / 60, rel=0.05, abs=0.01)


def test_a_scan_that_finds_nothing_usable_still_says_why(audiobend, tmp_path):
    (tmp_path / "x.wav").write_text("no")
    status, out, _ = audiobend("dataset", "scan", tmp_path)
    assert status == 0
    assert "0 sounds, 0.00 hours; 1 files left out" in out


def test_pack_writes_a_copy_that_scans_the_same(audiobend, folder):
    status, out, error = audiobend("dataset", "pack", folder, "copy", "--max-mb", "1")
    assert (status, error) == (0, "")
    assert "wrote copy: 2 sounds" in out
    assert "left out short.wav: shorter than 0.74 s" in out
    _, before, _ = audiobend("dataset", "scan", folder, "--json", "--no-estimate")
    _, after, _ = audiobend("dataset", "scan", "copy", "--json", "--no-estimate")
    names = [[one["name"] for one in json.loads(text)["files"]] for text in (before, after)]
    assert names[0] == names[1]


def test_pack_as_json_is_one_document(audiobend, folder):
    status, out, _ = audiobend("dataset", "pack", folder, "copy", "--max-mb", "1", "--json")
    assert status == 0
    facts = json.loads(out)
    assert facts["sounds"] == 2
    assert facts["bytes"] <= 1e6
    assert facts["texts"] == ["LICENSE.txt"]
    assert set(facts["skipped"]) == {"broken.mp3", "short.wav", "silent.wav"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["scan", "nowhere"], "nowhere: there is no such folder"),
        (["pack", "nowhere", "copy"], "nowhere: there is no such folder"),
        (["pack", "{folder}", "copy", "--max-mb", "0.03"], "do not fit into 0.03 MB"),
        (["pack", "{folder}", "{folder}/copy"], "must lie outside"),
        (["pack", "{folder}", "{folder}/LICENSE.txt/copy"], "must lie outside"),
    ],
)
def test_wrong_commands_are_one_sentence(audiobend, folder, tmp_path, words, sentence):
    status, out, error = audiobend("dataset", *(word.format(folder=folder) for word in words))
    assert status == 2
    assert out == ""
    assert sentence in error
    assert error.count("\n") == 1
    assert not (tmp_path / "copy").exists()
