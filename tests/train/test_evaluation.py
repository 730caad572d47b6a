"""A model measured beside baselines; a PCA against scikit-learn's; what cards say about files."""

import dataclasses

import numpy as np
import pytest
import soundfile as sf
import torch
from sklearn import decomposition

from audiobend.errors import AudiobendError, ModelError, TrainingError
from audiobend.io.modelbundle import load_model
from audiobend.train.baselines import PCA, SIZE, fit_pca, load_pca, save_pca
from audiobend.train.clips import even_clip, passage
from audiobend.train.evaluation import choose, means, measure, read_or_fit_pca, trained_on
from audiobend.train.sounds import find_sounds
from audiobend.train.tracks import even_windows, load_tracks
from tests.conftest import EXAMPLES

NAMES = ("harvest_food", "next_to_you", "pressure")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three pieces of music, the second in stereo at another rate, the third in a folder; and a text that is none."""
    folder = tmp_path_factory.mktemp("music")
    (folder / "more").mkdir()
    for name, place in zip(NAMES, ("", "", "more"), strict=True):
        samples, rate = sf.read(EXAMPLES / "sounds" / f"{name}.flac", frames=4 * 44100)
        sf.write(folder / place / f"{name}.wav", samples, 48000 if name == "next_to_you" else rate)
    return folder


def with_card(model, **training):
    return dataclasses.replace(model, card={"training": training})


class Echo(torch.nn.Module):
    """A network that puts out what it gets."""

    n_latent = 512

    def forward(self, x):
        return x


def test_windows_are_those_of_training_and_sound_like_the_file(folder):
    sound = find_sounds([folder / "harvest_food.wav"])[0]
    clip = even_clip(sound.path, 5)
    expected = even_windows(load_tracks([sound])[0], 5)[:, 0]
    torch.testing.assert_close(clip.db, expected, rtol=0, atol=0.05)    # the cache keeps float16
    samples = torch.from_numpy(sf.read(sound.path, dtype="float32", always_2d=True)[0].mean(1))
    for start, heard in zip(clip.starts, clip.sound(), strict=True):
        torch.testing.assert_close(heard, samples[start * 256 :][: len(heard)], rtol=0, atol=1e-5)
    audible = clip.sound(clip.db) - clip.sound()
    assert float(audible.abs().max()) < 0.01 * float(clip.sound().abs().max())    # what lies under -80 dB is lost


def test_windows_of_a_passage_follow_each_other(folder):
    clip = passage(folder / "more" / "pressure.wav", 4)
    assert np.array_equal(np.diff(clip.starts), [128] * 3)
    assert len(passage(folder / "more" / "pressure.wav", 100).starts) == 689 // 128


def test_a_wrong_window_is_never_near(folder):
    clip = even_clip(folder / "harvest_food.wav", 7)
    elsewhere = clip.elsewhere()
    shift = len(clip.starts) // 2
    assert torch.equal(elsewhere, clip.db.roll(shift, 0))
    assert np.abs(np.roll(clip.starts, shift) - clip.starts).min() >= 128


def test_a_short_sound_has_fewer_windows_and_no_wrong_one(tmp_path, tiny_model):
    sf.write(tmp_path / "short.wav", np.random.default_rng(0).normal(0, 0.1, 34000), 44100)
    clip = even_clip(tmp_path / "short.wav", 32)
    assert len(clip.starts) == len(set(clip.starts)) == 133 - 128 + 1
    assert clip.elsewhere() is None
    rows = measure(tiny_model, find_sounds([tmp_path])[0]).rows
    assert "wrong window" not in rows
    assert rows["silence"]["sc"] == pytest.approx(1)


def test_a_network_that_changes_nothing_is_perfect_and_baselines_are_not(folder, tiny_model):
    perfect = dataclasses.replace(tiny_model, network=Echo(), codec=load_model("corpus-quarter").codec)
    rows = measure(perfect, find_sounds([folder])[0], 6).rows
    assert list(rows) == ["model", "wrong window", "mean spectrum", "silence"]
    assert rows["model"]["lsd_all"] < 1e-4
    assert rows["model"]["mr_stft"] < 0.01
    assert rows["model"]["onset"] == pytest.approx(1)
    for name in ("wrong window", "mean spectrum", "silence"):
        assert rows[name]["lsd_all"] > 5
        assert rows[name]["mr_stft"] > 0.5
        assert rows[name]["onset"] < 0.5


def test_of_a_folder_the_tracks_kept_out_are_taken(folder, tiny_model):
    model = with_card(tiny_model, kept_out=["pressure"])
    assert [sound.path.stem for sound in choose(model, [folder])] == ["pressure"]
    assert {sound.path.stem for sound in choose(model, [folder], everything=True)} == set(NAMES)
    direct = choose(model, [folder / "harvest_food.wav"])
    assert [sound.path.stem for sound in direct] == ["harvest_food"]
    both = choose(model, [folder, folder / "harvest_food.wav"])
    assert {sound.path.stem for sound in both} == {"harvest_food", "pressure"}
    assert len(choose(with_card(tiny_model), [folder])) == 3


def test_files_that_cannot_be_measured_are_a_sentence_if_named_and_a_warning_in_a_folder(tmp_path, folder, tiny_model):
    (tmp_path / "broken.wav").write_text("not a sound")
    sf.write(tmp_path / "silent.wav", np.zeros(88200), 44100)
    sf.write(tmp_path / "blip.wav", np.ones(1000) * 0.1, 44100)
    for name in ("broken", "silent", "blip", "absent"):
        with pytest.raises(AudiobendError, match=name):
            choose(tiny_model, [tmp_path / f"{name}.wav"])
    sf.write(tmp_path / "good.wav", sf.read(folder / "harvest_food.wav")[0], 44100)
    with pytest.warns(UserWarning) as caught:
        assert [sound.name for sound in choose(tiny_model, [tmp_path])] == ["good"]
    text = "\n".join(str(one.message) for one in caught)
    assert all(name in text for name in ("broken", "silent", "blip"))


def test_what_an_ancestor_was_trained_on_counts(tiny_model):
    started = {"model": "old", "trained_on": ["b"], "started_from": {"model": "older", "trained_on": ["c"]}}
    assert trained_on(with_card(tiny_model, trained_on=["a"], started_from=started)) == ["a", "b", "c"]
    assert trained_on(with_card(tiny_model)) == []


def test_stored_figures_are_shown_for_the_same_file_and_windows_only(folder, tiny_model):
    sound = find_sounds([folder / "harvest_food.wav"])[0]
    card = {"baselines": {"command": "x", "windows": 6, "figures": {"PCA-512": {"harvest_food": {"lsd_all": 4.5}}}}}
    model = dataclasses.replace(tiny_model, card=card)
    assert measure(model, sound, 6).rows["PCA-512 (stored)"] == {"lsd_all": 4.5}
    assert "PCA-512 (stored)" not in measure(model, sound, 5).rows
    other = find_sounds([folder / "next_to_you.wav"])[0]
    assert "PCA-512 (stored)" not in measure(model, other, 6).rows
    with_another = measure(model, sound, 6, PCA(torch.zeros(SIZE), torch.eye(2, SIZE))).rows
    assert "PCA-2" in with_another
    assert "PCA-512 (stored)" not in with_another


def test_a_codec_without_a_mean_spectrum_has_no_row_for_it(folder, tiny_model):
    rows = measure(tiny_model, find_sounds([folder])[0], 4).rows
    assert list(rows) == ["model", "wrong window", "silence"]


def test_means_are_of_rows_that_all_files_have(folder, tiny_model):
    one, two = (measure(tiny_model, sound, 4) for sound in find_sounds([folder])[:2])
    del two.rows["wrong window"]
    rows = means([one, two])
    assert "wrong window" not in rows
    assert rows["model"]["sc"] == pytest.approx((one.rows["model"]["sc"] + two.rows["model"]["sc"]) / 2)


def windows(n: int = 90, rank: int = 20) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    sizes = torch.linspace(3, 0.2, rank)
    codes = torch.randn(n, rank, generator=generator) * sizes
    return (-40 + codes @ torch.randn(rank, SIZE, generator=generator)).unflatten(1, (1, 128, 513))


def test_a_pca_is_as_good_as_scikit_learns():
    data = windows()
    pca = fit_pca(iter(data.split(16)), n_components=8, n_windows=90)
    assert pca.name == "PCA-8"
    flat = data.flatten(1).numpy()
    reference = decomposition.PCA(8, svd_solver="full").fit(flat)
    best = np.square(flat - reference.inverse_transform(reference.transform(flat))).mean()
    ours = float((pca.reconstructed(data[:, 0]) - data[:, 0]).square().mean())
    assert ours == pytest.approx(best, rel=5e-3)
    torch.testing.assert_close(pca.components @ pca.components.T, torch.eye(8), rtol=0, atol=1e-4)


def test_a_pca_of_few_windows_has_fewer_components_and_says_so():
    pca = fit_pca(iter(windows(12).split(5)), n_components=512, n_windows=10)
    assert pca.name == "PCA-9"
    with pytest.raises(TrainingError, match="at least two windows"):
        fit_pca(iter([]), n_windows=10)


def test_a_saved_pca_is_the_same(tmp_path):
    pca = fit_pca(iter(windows().split(30)), 6, 90, tracks=("a", "b/c"))
    save_pca(pca, tmp_path / "p.safetensors")
    again = load_pca(tmp_path / "p.safetensors")
    assert again.tracks == ("a", "b/c")
    data = windows()[:5, 0]
    torch.testing.assert_close(again.reconstructed(data), pca.reconstructed(data), rtol=0, atol=0.05)


def test_a_file_that_is_no_pca_is_refused_in_a_sentence(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "p.safetensors"
    torch.save({"mean": torch.zeros(3)}, path)
    with pytest.raises(ModelError, match="no PCA"):
        load_pca(path)
    save_file({"mean": torch.zeros(3), "components": torch.zeros(2, 3)}, path)
    with pytest.raises(ModelError, match="no PCA"):
        load_pca(path)
    save_file({"mean": torch.zeros(3), "components": torch.zeros(2, 3)}, path, metadata={"audiobend-pca": "1"})
    with pytest.raises(ModelError, match="another size"):
        load_pca(path)


def test_a_pca_is_never_fitted_to_what_is_measured_or_was_kept_out(folder, tiny_model):
    sounds = find_sounds([folder])
    food = [sound for sound in sounds if sound.path.stem == "harvest_food"]
    model = with_card(tiny_model, kept_out=["pressure"])
    assert read_or_fit_pca(model, folder, food, n_windows=16).tracks == ("next_to_you",)
    seen = with_card(tiny_model, kept_out=["pressure"], trained_on=["harvest_food", "next_to_you"])
    assert read_or_fit_pca(seen, folder, food, n_windows=16).tracks == ("harvest_food", "next_to_you")
    with pytest.raises(TrainingError, match="no track is left"):
        read_or_fit_pca(model, folder / "harvest_food.wav", food, n_windows=16)


def test_a_kept_pca_that_knows_a_file_is_said_to_flatter(folder, tiny_model, tmp_path):
    sounds = find_sounds([folder])
    save_pca(fit_pca(iter(windows().split(30)), 6, 90, tracks=("harvest_food",)), tmp_path / "p.safetensors")
    with pytest.warns(UserWarning, match="fitted to harvest_food"):
        read_or_fit_pca(tiny_model, tmp_path / "p.safetensors", sounds)
