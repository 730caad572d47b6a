"""`audiobend eval` as one types it, and the cards that are made with the same code."""

import importlib
import json
import sys
from pathlib import Path

import pytest
import soundfile as sf

from tests.conftest import EXAMPLES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    for name in ("harvest_food", "pressure"):
        samples, rate = sf.read(EXAMPLES / "sounds" / f"{name}.flac", frames=3 * 44100)
        sf.write(folder / f"{name}.wav", samples, rate)
    return folder


def test_a_table_of_every_file_and_their_mean_beside_baselines(audiobend, folder):
    status, out, error = audiobend("eval", "corpus-quarter", folder, "--windows", 4)
    assert status == 0
    assert error == ""
    assert "mean of 2 files" in out
    for words in ("harvest_food", "pressure", "LSD dB", "MR-STFT", "wrong window", "mean spectrum", "silence"):
        assert words in out
    rows = [line.split() for line in out.splitlines() if line.strip().startswith("model ")]
    assert len(rows) == 3
    assert all(float(row[1]) < 8 for row in rows)
    assert "--pca" in out.splitlines()[-1]    # the way to the honest comparison


def test_json_is_one_document_with_a_pca_fitted_here(audiobend, folder, tmp_path):
    kept = tmp_path / "kept.safetensors"
    sound = folder / "harvest_food.wav"
    status, out, error = audiobend(
        "eval", "corpus-quarter", sound, "--windows", 4, "--pca", folder, "--pca-windows", 40, "--save-pca", kept,
        "--json",
    )
    assert (status, error) == (0, "")
    document = json.loads(out)
    assert document["pca"] == {"components": 39, "tracks": ["pressure"]}
    (entry,) = document["files"]
    assert not entry["kept_out"]
    assert set(entry["figures"]) == {"model", "PCA-39", "wrong window", "mean spectrum", "silence"}
    assert document["mean"]["model"] == entry["figures"]["model"]
    again = json.loads(audiobend("eval", "corpus-quarter", sound, "--windows", 4, "--pca", kept, "--json")[1])
    assert again["mean"]["PCA-39"]["lsd_all"] == pytest.approx(document["mean"]["PCA-39"]["lsd_all"], abs=0.02)


@pytest.mark.slow
def test_pictures_of_every_file_and_of_all(audiobend, folder, tmp_path):
    from matplotlib.image import imread

    status, _, _ = audiobend("eval", "corpus-quarter", folder, "--windows", 2, "--plots", tmp_path / "pictures")
    assert status == 0
    pictures = sorted((tmp_path / "pictures").iterdir())
    assert [path.name for path in pictures] == ["harvest_food.png", "pressure.png", "summary.png"]
    for path in pictures:
        assert imread(path)[..., :3].std() > 0.02    # there is something on it


def test_a_file_that_was_trained_on_is_said_to_flatter(audiobend, folder, tmp_path):
    known = tmp_path / "openhv_timbeek_pink_blue.wav"
    known.write_bytes((folder / "pressure.wav").read_bytes())
    status, out, error = audiobend("eval", "corpus-quarter", known, "--windows", 2, "--json")
    assert status == 0
    assert json.loads(out)["files"][0]["trained_on"]
    assert "trained on openhv_timbeek_pink_blue" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nomodel", "{folder}"], "nomodel: there is no such model"),
        (["corpus-quarter", "nowhere"], "nowhere: there is no such"),
        (["corpus-quarter", "{folder}", "--windows", "0"], "--windows"),
        (["corpus-quarter", "{folder}", "--pca", "nowhere"], "nowhere: there is no such"),
        (["corpus-quarter", "{folder}", "--save-pca", "p.safetensors"], "--save-pca needs --pca"),
        (["corpus-quarter", "{folder}", "--pca", "{folder}", "--save-pca", "p.npy"], "must end in safetensors"),
        (["corpus-quarter", "{folder}", "--pca", "{folder}"], "no track is left"),
        (["corpus-quarter", "{folder}", "--plots", "{folder}/pressure.wav"], "is a file, not a folder"),
        (["corpus-quarter", "{folder}", "--pca", "{folder}", "--weight", "x"], "needs WORDS=SHARE"),
    ],
)
def test_wrong_commands_are_one_sentence_and_write_nothing(audiobend, folder, tmp_path, words, sentence):
    status, out, error = audiobend("eval", *(word.format(folder=folder) for word in words))
    assert status == 2
    assert out == ""
    assert sentence in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_files_of_somebody_else_are_not_replaced(audiobend, folder, tmp_path):
    (tmp_path / "summary.png").write_bytes(b"a drawing by a child")
    (tmp_path / "mine.safetensors").write_bytes(b"years of work")
    words = ("eval", "corpus-quarter", folder / "pressure.wav", "--windows", 2)
    status, _, error = audiobend(*words, "--plots", tmp_path)
    assert status == 2
    assert "summary.png: exists and was not written by audiobend" in error
    status, _, error = audiobend(*words, "--pca", folder, "--save-pca", tmp_path / "mine.safetensors")
    assert status == 2
    assert "mine.safetensors: exists and is no PCA" in error
    assert (tmp_path / "summary.png").read_bytes() == b"a drawing by a child"
    assert (tmp_path / "mine.safetensors").read_bytes() == b"years of work"


def test_tables_on_cards_and_pages_are_those_of_the_models(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    make_cards = importlib.import_module("make_cards")
    for path, text in make_cards.pages().items():
        assert path.read_text() == text, f"{path.name} is old: run python benchmarks/make_cards.py"


def test_the_default_models_card_keeps_the_promises():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        fidelity, layers = importlib.import_module("fidelity"), importlib.import_module("layers")
    finally:
        sys.path.pop(0)
    from audiobend.io.modelbundle import load_model

    card = load_model().card
    assert fidelity.broken_promises(card["metrics"], is_default=True) == []
    worse = {**card["metrics"], "model": card["metrics"]["mean spectrum"]}
    assert len(fidelity.broken_promises(worse, is_default=True)) > 5
    dead = {name: {n: layers.Change(0, 0, 0, 1) for n in layers.LAYERS} for name in layers.BENDS}
    pairs = {(1, 2): 0.0, (1, 1): 0.0}
    assert len(layers.broken_promises(layers.Result(dead, pairs, dict.fromkeys(pairs, 1.0), {}))) == 6
