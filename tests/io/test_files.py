"""A file is whole or absent, no input is overwritten, and every refusal of the system is one sentence."""

import errno
import os
import stat
from pathlib import Path

import pytest

from audiobend.errors import AudioError, PatchError
from audiobend.io.files import check_readable, write_atomically


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    target = tmp_path / "out.txt"
    with write_atomically(target) as temporary:
        temporary.write_text("half")
        assert not target.exists() and temporary.parent == tmp_path
        temporary.write_text("whole")
    assert target.read_text() == "whole"
    assert left_in(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_any_failure_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(failure), write_atomically(target) as temporary:
        temporary.write_text("new")
        raise failure
    assert target.read_text() == "old"
    assert left_in(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, number):
    with pytest.raises(AudioError) as caught, write_atomically(tmp_path / "out.wav", error=AudioError):
        raise OSError(number, os.strerror(number))
    assert str(caught.value).startswith(f"{tmp_path}/out.wav: cannot be written: the ")
    assert "\n" not in str(caught.value) and left_in(tmp_path) == []


def test_errors_of_other_files_pass_through(tmp_path):
    with pytest.raises(FileNotFoundError), write_atomically(tmp_path / "out.txt"):
        (tmp_path / "other").read_text()
    assert left_in(tmp_path) == []


def same(path):
    return path


def through_dots(path):
    (path.parent / "sub").mkdir()
    return path.parent / "sub" / ".." / path.name


def symbolic(path):
    link = path.with_name("link.wav")
    link.symlink_to(path)
    return link


def hard(path):
    link = path.with_name("hard.wav")
    link.hardlink_to(path)
    return link


def through_a_folder(path):
    link = path.parent / "folder"
    link.symlink_to(path.parent)
    return link / path.name


@pytest.mark.parametrize("way", [same, through_dots, symbolic, hard, through_a_folder])
def test_an_input_is_never_overwritten_by_whatever_name(tmp_path, way):
    source = tmp_path / "in.wav"
    source.write_text("precious")
    target = way(source)
    with pytest.raises(AudioError) as caught, write_atomically(target, inputs=[source], error=AudioError):
        pytest.fail("must be refused before anything is written")
    assert str(caught.value) == f"{target}: is also the input; choose another name for the output"
    assert source.read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("", "is a folder, not a file"),
        ("missing/out.wav", "the folder {folder}/missing does not exist"),
        ("file/out.wav", "{folder}/file is a file, not a folder"),
        ("x" * 300, "cannot be written: the name is too long"),
        ("circle", "cannot be written: the links of the path run in a circle"),
        ("pipe", "is not a plain file"),
    ],
)
def test_places_where_no_file_can_lie_are_one_sentence(tmp_path, name, end):
    (tmp_path / "file").write_text("")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    os.mkfifo(tmp_path / "pipe")
    before = left_in(tmp_path)
    with pytest.raises(PatchError) as caught, write_atomically(tmp_path / name, error=PatchError):
        pytest.fail("must be refused before anything is written")
    assert str(caught.value) == f"{tmp_path / name}: {end.format(folder=tmp_path)}"
    assert left_in(tmp_path) == before


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that even root cannot write to")
def test_a_folder_that_cannot_be_written_to_is_one_sentence():
    with pytest.raises(AudioError) as caught, write_atomically("/proc/self/out.wav", error=AudioError):
        pytest.fail("must be refused before anything is written")
    assert str(caught.value).startswith("/proc/self/out.wav: cannot be written: ")
    assert "Errno" not in str(caught.value)


def test_new_files_have_ordinary_rights_and_replaced_ones_keep_theirs(tmp_path):
    before = os.umask(0o027)
    try:
        with write_atomically(tmp_path / "new.txt") as temporary:
            temporary.write_text("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.txt").stat().st_mode) == 0o640
    (tmp_path / "new.txt").chmod(0o604)
    with write_atomically(tmp_path / "new.txt") as temporary:
        temporary.write_text("y")
    assert stat.S_IMODE((tmp_path / "new.txt").stat().st_mode) == 0o604


def test_a_link_keeps_being_a_link(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    with write_atomically(tmp_path / "link.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "real.txt").read_text() == "new"


@pytest.mark.parametrize("name", ["ü ~ 音.txt", "a b\tc.txt", "x" * 250, ".hidden", "-o"])
def test_any_name_that_the_system_takes_is_taken(tmp_path, name):
    with write_atomically(tmp_path / name) as temporary:
        temporary.write_text("x")
    assert left_in(tmp_path) == [name]


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("missing.wav", "cannot be read: there is no such file or folder"),
        ("", "is a folder, not a file"),
        ("file/in.wav", "cannot be read: a part of the path is a file, not a folder"),
        ("empty.wav", "the file is empty"),
    ],
)
def test_files_that_cannot_be_read_are_one_sentence(tmp_path, name, end):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty.wav").write_text("")
    with pytest.raises(AudioError) as caught:
        check_readable(tmp_path / name, AudioError)
    assert str(caught.value) == f"{tmp_path / name}: {end}"


def test_devices_and_pipes_are_not_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    for path in ("/dev/zero", tmp_path / "pipe.wav"):
        with pytest.raises(AudioError, match="is not a plain file"):
            check_readable(path, AudioError)
