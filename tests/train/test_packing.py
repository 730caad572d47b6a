"""A compact copy keeps names, folders, lengths and sound, fits its size, and replaces nobody's files."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import soundfile as sf

from audiobend.errors import AudioError, TrainingError
from audiobend.train.cache import ColumnCache
from audiobend.train.packing import pack
from audiobend.train.sounds import find_sounds
from audiobend.train.tracks import load_tracks


@pytest.fixture
def folder(tmp_path, write):
    music = tmp_path / "music"
    write(music / "drums" / "loop.wav", 48000, seconds=6)
    write(music / "drums" / "loop.flac", start=3, seconds=4)
    write(music / "song.wav", start=1, seconds=5)
    (music / "broken.wav").write_text("not a sound")
    (music / "ATTRIBUTION.md").write_text("loop: by somebody, CC BY-SA 4.0")
    (music / "licences").mkdir()
    (music / "licences" / "somebody.txt").write_text("I allow this")
    (music / "drums" / "sources.csv").write_text("file,author\nloop,somebody\n")
    (music / "diary.txt").write_text("private")
    return music


def tree(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def inside(folder):
    return sorted(path.name for path in folder.iterdir())


def content(folder):
    return {name: (folder / name).read_bytes() for name in tree(folder)}


def test_names_folders_and_licences_are_kept(folder, tmp_path):
    pack(folder, tmp_path / "copy", 5)
    texts = {"ATTRIBUTION.md", "licences/somebody.txt", "drums/sources.csv", "MANIFEST.json"}
    assert tree(tmp_path / "copy") == texts | {"drums/loop.ogg", "drums/loop.wav.ogg", "song.ogg"}
    assert (tmp_path / "copy" / "licences" / "somebody.txt").read_text() == "I allow this"


def test_the_list_says_what_every_file_was(folder, tmp_path):
    packed = pack(folder, tmp_path / "copy", 5)
    manifest = json.loads((tmp_path / "copy" / "MANIFEST.json").read_text())
    originals = {sound["original"]: sound for sound in manifest["sounds"]}
    assert set(originals) == {"drums/loop.wav", "drums/loop.flac", "song.wav"}
    for name, sound in originals.items():
        assert sound["seconds"] == pytest.approx(sf.info(folder / name).duration, abs=1e-3)
        for path, digest in ((folder / name, "original_sha256"), (tmp_path / "copy" / sound["file"], "sha256")):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == sound[digest]
    assert manifest["skipped"] == {"broken.wav": "cannot be read: Format not recognised."}
    assert packed.n_bytes == sum(len(data) for data in content(tmp_path / "copy").values())


@pytest.mark.parametrize(("max_mb", "codec", "error_db"), [(5.0, "Vorbis", 2.5), (0.095, "Opus", 7.0)])
def test_the_copy_fits_and_has_the_same_columns_roughly(folder, tmp_path, max_mb, codec, error_db):
    if codec == "Opus" and "OPUS" not in sf.available_subtypes("OGG"):
        pytest.skip("this libsndfile has no Opus")
    packed = pack(folder, tmp_path / "copy", max_mb)
    assert packed.codec == codec
    assert packed.n_bytes <= max_mb * 1e6
    cache = ColumnCache(tmp_path / "cache", gb=1)
    before, after = (load_tracks(find_sounds([place]), cache=cache) for place in (folder, tmp_path / "copy"))
    for original in before:
        copy = min(after, key=lambda track: abs(len(track.columns) - len(original.columns)))
        assert len(copy.columns) == len(original.columns)    # no delay, no cut
        difference = copy.columns[:].astype(np.float32) - original.columns[:].astype(np.float32)
        assert np.sqrt((difference**2).mean()) < error_db


def test_the_quality_uses_the_room(folder, tmp_path):
    small, large = (pack(folder, tmp_path / f"{mb}", mb) for mb in (0.13, 0.2))
    assert small.kbit_per_second < large.kbit_per_second
    assert small.n_bytes > 0.7 * 0.13e6


def test_too_much_sound_is_refused_with_what_would_fit_and_nothing_is_left(folder, tmp_path):
    with pytest.raises(TrainingError, match=r"do not fit into 0\.02 MB .* but [\d.]+ hours would"):
        pack(folder, tmp_path / "copy", 0.02)
    assert inside(tmp_path) == ["music"]


def test_a_second_pack_replaces_the_first(folder, tmp_path):
    pack(folder, tmp_path / "copy", 5)
    (folder / "song.wav").unlink()
    pack(folder, tmp_path / "copy", 5)
    assert "song.ogg" not in tree(tmp_path / "copy")
    assert inside(tmp_path) == ["copy", "music"]


@pytest.mark.parametrize("what", ["a stranger's file", "a changed file", "a stranger's list", "a file in its place"])
def test_nothing_of_anybody_else_is_replaced(folder, tmp_path, what):
    out = tmp_path / "copy"
    if what == "a file in its place":
        out.write_text("mine")
    else:
        pack(folder, out, 5)
        name = {"a stranger's file": "mine.txt", "a changed file": "song.ogg", "a stranger's list": "MANIFEST.json"}
        (out / name[what]).write_text("[]")
    before = content(out) if out.is_dir() else out.read_text()
    with pytest.raises(TrainingError):
        pack(folder, out, 5)
    assert (content(out) if out.is_dir() else out.read_text()) == before
    assert inside(tmp_path) == ["copy", "music"]


def test_a_copy_inside_the_folder_or_around_it_is_refused(folder, tmp_path):
    for out in (folder / "copy", folder, tmp_path):
        with pytest.raises(TrainingError, match="must lie outside"):
            pack(folder, out, 5)


def test_a_failure_in_the_middle_leaves_the_earlier_copy(folder, tmp_path, monkeypatch):
    pack(folder, tmp_path / "copy", 5)
    before = content(tmp_path / "copy")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audiobend.train.packing.encode", full)
    with pytest.raises(TrainingError, match="the disk is full"):
        pack(folder, tmp_path / "copy", 5)
    assert content(tmp_path / "copy") == before
    assert inside(tmp_path) == ["copy", "music"]


def test_a_file_damaged_in_its_middle_is_left_out_and_listed(folder, tmp_path, monkeypatch):
    from audiobend.train.encoding import encode

    def encode_or_fail(source, *rest):
        encode(source, *rest)
        if source.name == "song.wav":
            raise AudioError(f"{source}: is damaged: lost sync")

    monkeypatch.setattr("audiobend.train.packing.encode", encode_or_fail)
    packed = pack(folder, tmp_path / "copy", 5)
    assert packed.skipped["song.wav"] == "is damaged: lost sync"
    assert "song.ogg" not in tree(tmp_path / "copy")


def test_progress_reaches_the_end(folder, tmp_path):
    seen = []
    pack(folder, tmp_path / "copy", 5, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1, abs=1e-3)


def test_a_libsndfile_without_opus_makes_do_with_vorbis(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(sf, "available_subtypes", lambda _: {"VORBIS": "Vorbis"})
    shutil.rmtree(folder / "licences")
    assert pack(folder, tmp_path / "copy", 0.15).codec == "Vorbis"
