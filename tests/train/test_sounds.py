"""What is found in folders, what is skipped, and what each sound is called."""

import os

import numpy as np
import pytest
import soundfile as sf

from audiobend.errors import TrainingError
from audiobend.train.cache import ColumnCache
from audiobend.train.searching import endings, sound_files
from audiobend.train.sounds import find_sounds, scan
from audiobend.train.tracks import load_tracks


@pytest.fixture
def folder(tmp_path, write):
    """A folder with two usable sounds, among all kinds of things that are none."""
    music = tmp_path / "music"
    write(music / "drums" / "loop.wav", 48000)
    write(music / "song.flac", start=1, seconds=4)
    write(music / "short.wav", seconds=0.7)
    (music / "broken.ogg").write_bytes(b"not a sound")
    (music / "empty.wav").touch()
    sf.write(music / "silent.wav", np.full(88200, 1e-5), 44100, subtype="FLOAT")
    cut = write(music / "cut.flac", start=2)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    (music / "film.mp4").write_bytes(b"moving pictures")
    (music / "notes.txt").write_text("buy strings")
    return music


def test_every_usable_sound_is_found_with_its_facts(folder):
    sounds = scan([folder]).sounds
    assert [(sound.name, sound.folder) for sound in sounds] == [("drums/loop", "music/drums"), ("song", "music")]
    assert [(sound.sample_rate, sound.channels) for sound in sounds] == [(48000, 2), (44100, 2)]
    assert [sound.seconds for sound in sounds] == pytest.approx([10, 4], abs=1e-3)


def test_every_other_sound_is_named_with_its_reason_and_other_files_are_not_mentioned(folder):
    reasons = {skipped.path.name: skipped.reason for skipped in scan([folder]).skipped}
    assert set(reasons) == {"short.wav", "broken.ogg", "empty.wav", "silent.wav", "cut.flac"}
    assert reasons["short.wav"] == "shorter than 0.74 s: it lasts 0.7 s"
    assert reasons["broken.ogg"] == "cannot be read: Format not recognised."
    assert reasons["empty.wav"] == "the file is empty"
    assert reasons["silent.wav"] == "silent: nothing in it is louder than -80 dB"
    assert reasons["cut.flac"].startswith("damaged or cut off")


def test_pipes_and_links_to_nowhere_do_not_stop_a_scan(folder):
    (folder / "gone.wav").symlink_to(folder / "nothing.wav")
    os.mkfifo(folder / "pipe.wav")
    found = scan([folder])
    assert len(found.sounds) == 2
    assert {"gone.wav", "pipe.wav"} <= {skipped.path.name for skipped in found.skipped}


def test_circles_of_links_end_and_a_file_is_used_once(folder):
    (folder / "drums" / "up").symlink_to(folder)
    (folder / "other").symlink_to(folder / "drums")
    (folder / "hard.wav").hardlink_to(folder / "drums" / "loop.wav")
    found = scan([folder, folder / "drums", folder / "song.flac"])
    assert len(found.sounds) == 2
    assert len({sound.path.resolve() for sound in found.sounds}) == 2


def test_links_to_folders_are_followed(folder, tmp_path):
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "here").symlink_to(folder)
    assert len(scan([tmp_path / "linked"]).sounds) == 2


def test_copies_are_left_out_and_named(folder):
    (folder / "a copy.flac").write_bytes((folder / "song.flac").read_bytes())
    found = scan([folder])
    assert [sound.name for sound in found.sounds] == ["a copy", "drums/loop"]
    assert any(skipped.path.name == "song.flac" and "a copy.flac" in skipped.reason for skipped in found.skipped)


@pytest.mark.skipif(os.name == "nt", reason="this system's names are text")
def test_odd_names_become_text_that_can_be_written_down(tmp_path, write):
    good = write(tmp_path / "good.wav")
    odd = (b"line\nbreak.wav", b"caf\xe9.wav", "ünïcode 音.WAV".encode(), b"-rf.wav", b"tab\t.wav")
    for start, name in enumerate(odd):
        write(tmp_path / "x.wav", start=start, seconds=3).rename(tmp_path / os.fsdecode(name))
    sounds = find_sounds([tmp_path])
    names = [sound.name for sound in sounds]
    assert [track.name for track in load_tracks(sounds, cache=ColumnCache(tmp_path / "cache"))] == names
    assert len(names) == 6
    assert good.stem in names
    assert "ünïcode 音" in names
    for name in names:
        assert name.isprintable()
        name.encode("utf-8")


def test_two_sounds_never_share_a_name(tmp_path, write):
    for index, path in enumerate(("a/x.wav", "b/x.wav", "a/x.flac", "b/y.wav")):
        write(tmp_path / path, start=index, seconds=2)
    names = [sound.name for sound in scan([tmp_path / "a", tmp_path / "b"]).sounds]
    assert names == ["a/x.flac", "a/x.wav", "b/x.wav", "y"]


def test_hidden_files_are_passed_over(tmp_path, write):
    write(tmp_path / "good.wav")
    write(tmp_path / "._good.wav", start=1)
    write(tmp_path / ".trash" / "old.wav", start=2)
    assert [path.name for path in sound_files([tmp_path])] == ["good.wav"]


def test_every_format_of_libsndfile_is_looked_for():
    assert {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64", ".rf64"} <= endings()
    assert not {".raw", ".mp4", ".txt", ".", ""} & endings()


@pytest.mark.parametrize(
    ("words", "sentence"), [(["nowhere"], "there is no such folder"), ([""], "no sound files here")]
)
def test_folders_without_sound_are_one_sentence(tmp_path, words, sentence):
    with pytest.raises(TrainingError, match=sentence):
        scan([tmp_path / word for word in words])


def test_nothing_usable_is_one_sentence_after_all_reasons(tmp_path, write):
    write(tmp_path / "short.wav", seconds=0.5)
    said = []
    with pytest.raises(TrainingError, match="none of the files could be used"):
        find_sounds([tmp_path], said.append)
    assert len(said) == 1
    assert said[0].endswith("short.wav: shorter than 0.74 s: it lasts 0.5 s")


def test_a_folder_that_may_not_be_entered_is_named(folder):
    locked = folder / "locked"
    locked.mkdir()
    locked.chmod(0)
    try:
        if os.access(locked, os.R_OK):
            pytest.skip("this user may read everything")
        assert any(skipped.path == locked for skipped in scan([folder]).skipped)
    finally:
        locked.chmod(0o700)
