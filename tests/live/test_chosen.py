"""Which backend runs a model is measured once, and the same tomorrow."""

from audiobend.live import chosen as room
from audiobend.live.chosen import chosen
from audiobend.spectral.live_settings import LiveSettings


def test_what_was_measured_is_kept_and_asked_for_no_more(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOBEND_CACHE", str(tmp_path / "cache"))
    settings = LiveSettings(n_channels=1)
    first = chosen(tiny_model, settings, "torch")
    assert first.backend == "torch" and first.load > 0
    monkeypatch.setattr(room, "cost", None)    # who measures now fails
    assert chosen(tiny_model, settings, "torch") == first


def test_another_setting_is_measured_by_itself(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOBEND_CACHE", str(tmp_path))
    chosen(tiny_model, LiveSettings(), "torch")
    chosen(tiny_model, LiveSettings(stride=16), "torch")
    assert len(room._read(tmp_path / "speed.json")) == 2


def test_a_file_that_is_none_of_ours_is_replaced(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOBEND_CACHE", str(tmp_path))
    for rubbish in ("", "[1]", '{"a": 3}', "\0"):
        (tmp_path / "speed.json").write_text(rubbish)
        assert chosen(tiny_model, LiveSettings(), "torch").backend == "torch"
