"""A session's folder: scenes come back, names stay inside of it, strange files are told and left alone."""

import pytest

from audiobend.bending import Patch
from audiobend.errors import TakeError
from audiobend.io.session import Session, default_folder

PATCH = Patch(seed=4).add(3, "erode", {"radius": 2}, id="fog")
NAMES = ["low tide", "1", "a: b|c<>\"'", "Flöte", "nul.", "100%", "ebb%25", "~", "🌊"]


def test_scenes_come_back_by_their_names(tmp_path):
    session = Session(tmp_path / "new" / "session")
    for name in NAMES:
        session.save_scene(name, PATCH.replace(name=name))
    found, wrong = Session(tmp_path / "new" / "session").scenes()
    assert (sorted(found), wrong) == (sorted(NAMES), [])
    assert all(patch == PATCH.replace(name=name) for name, patch in found.items())
    session.delete_scene("1")
    session.delete_scene("1")
    assert "1" not in session.scenes()[0]


def test_no_name_leads_out_of_the_folder(tmp_path):
    session = Session(tmp_path / "session")
    for name in ("../x", "..", "a/../../b", "/etc/x", "c:\\x", "."):
        session.save_scene(name, PATCH)
        session.take_path(name).write_text("")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["session"]
    assert {path.parent.name for path in tmp_path.rglob("*") if path.is_file()} == {"scenes", "takes"}


def test_a_folder_that_is_not_there_is_an_empty_session_and_is_not_made(tmp_path):
    session = Session(tmp_path / "none")
    assert (session.scenes(), session.takes()) == (({}, []), ())
    assert not session.folder.exists()


def test_files_that_are_no_scenes_are_told_and_left_alone(tmp_path):
    session = Session(tmp_path)
    session.save_scene("good", PATCH)
    (tmp_path / "scenes" / "bad.yaml").write_text("transforms: [{layer: 3, transform: erodd}]")
    (tmp_path / "scenes" / "%2E%2E%2Fx.yaml").write_text("transforms: []")
    found, wrong = session.scenes()
    assert list(found) == ["good"]
    assert len(wrong) == 2 and any("did you mean 'erode'" in one for one in wrong)
    assert len(list((tmp_path / "scenes").iterdir())) == 3


def test_takes_are_listed(tmp_path):
    session = Session(tmp_path)
    session.take_path("take-1").write_text("")
    session.take_path("deep blue").write_text("")
    assert session.takes() == ("deep blue", "take-1")


def test_what_is_no_folder_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TakeError, match="is a file; a session is a folder"):
        Session(tmp_path / "file")
    (tmp_path / "scenes").write_text("")
    with pytest.raises(TakeError, match="cannot be made"):
        Session(tmp_path).save_scene("x", PATCH)


def test_the_default_folder_can_be_set(monkeypatch, tmp_path):
    monkeypatch.setenv("AUDIOBEND_SESSION", str(tmp_path))
    assert default_folder() == Session().folder == tmp_path
    monkeypatch.delenv("AUDIOBEND_SESSION")
    assert default_folder().parts[-2:] == ("audiobend", "session")
