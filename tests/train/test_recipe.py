"""Recipes: from defaults, a file and options, checked strictly; and what follows from them while training runs."""

import pytest
import torch

from audiobend.errors import TrainingError
from audiobend.networks.spectrogram_vae import SpectrogramVAE
from audiobend.train.muon import NormedMuon, optimisers_for
from audiobend.train.recipe import Recipe, load_recipe
from audiobend.train.schedule import Progress, Schedule
from tests.train.small import tracks


def test_small_is_the_default_written_out():
    assert load_recipe("small") == Recipe()


def test_paper_is_as_published():
    recipe = load_recipe("paper")
    assert (recipe.width, recipe.n_latent, recipe.batch_size, recipe.epochs, recipe.minutes) == (1, 512, 64, 50, None)
    assert (recipe.output, recipe.activation) == ("tanh", "relu")
    network = SpectrogramVAE(1 / 64, 512, recipe.activation, recipe.output)
    assert [type(one).__name__ for one in network.decoder[-1]] == ["ConvTranspose2d", "BatchNorm2d", "Tanh"]
    (adam,) = optimisers_for(network, recipe)
    assert type(adam) is torch.optim.Adam
    assert (adam.defaults["lr"], adam.defaults["betas"], adam.defaults["weight_decay"]) == (3e-4, (0, 0.99), 0)


def test_muon_gets_kernels_and_dense_layers_and_adam_the_rest():
    network = SpectrogramVAE(1 / 64)
    muon, adam = optimisers_for(network, Recipe())
    assert isinstance(muon, NormedMuon)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    big = {names[id(one)] for one in muon.param_groups[0]["params"]}
    expected = [f"encoder.{i}.0.weight" for i in range(1, 5)] + [f"decoder.{i}.0.weight" for i in range(4)]
    assert big == {*expected, "mean.weight", "expand.weight"}
    rest = {names[id(one)] for one in adam.param_groups[0]["params"]}
    assert big | rest == set(names.values())
    assert not big & rest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lr_muo: 0.1", "unknown key 'lr_muo'; did you mean 'lr_muon'?"),
        ("kl: lots", "kl must be a number, got 'lots'"),
        ("kl: -1", "kl must be in 0..1000, got -1"),
        ("batch_size: 2.5", "batch_size must be a whole number, got 2.5"),
        ("batch_size: true", "batch_size must be a whole number, got True"),
        ("optimiser: sgd", "optimiser must be one of muon, adam, got 'sgd'"),
        ("adam_betas: [0.9]", "adam_betas must be two numbers"),
        ("adam_betas: [0, 1]", "adam_betas must be two numbers"),
        ("level_db: [3, -12]", "level_db must be a low and a high level"),
        ("minutes: 5\nepochs: 2", "give one of minutes, epochs and steps, got minutes and epochs"),
        ("start_from: 7", "start_from must be a word, got 7"),
        ("- width", "needs lines of the form 'width: 0.25'"),
        ("width: 0.25\nwidth: 0.5", "the key 'width' stands twice"),
    ],
)
def test_wrong_recipes_are_one_sentence_that_names_the_file(tmp_path, text, sentence):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(TrainingError) as refused:
        load_recipe(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert sentence in str(refused.value)


def test_options_come_before_the_file_and_another_length_takes_the_place_of_its(tmp_path):
    (tmp_path / "mine.yaml").write_text("kl: 0.2\nminutes: 5\n")
    recipe = load_recipe(tmp_path / "mine.yaml").changed({"steps": 7, "kl": 0.3})
    assert (recipe.kl, recipe.minutes, recipe.epochs, recipe.steps) == (0.3, None, None, 7)


def test_an_epoch_is_as_many_windows_as_the_tracks_hold_side_by_side():
    two = tracks(2, seconds=4.0)
    windows = sum(len(track.columns) // 128 for track in two)
    schedule = Schedule.over(Recipe().changed({"epochs": 3, "batch_size": 4}), two)
    assert schedule.n_steps == -(-3 * windows // 4)
    assert schedule.share_done(Progress(step=schedule.n_steps)) == 1


def test_learning_rates_rise_and_fall_and_the_divergence_comes_in_slowly():
    schedule = Schedule.over(Recipe().changed({"steps": 1000, "warm_up_steps": 50}), [])
    rates = [schedule.learning_rate(Progress(step=step)) for step in range(1001)]
    assert rates[0] == pytest.approx(1 / 50, rel=0.01)
    assert max(rates) == pytest.approx(1, rel=0.01)
    assert rates[49:] == sorted(rates[49:], reverse=True)
    assert rates[-1] == pytest.approx(0.02)
    assert [schedule.kl(Progress(step=step)) for step in (0, 100, 200, 900)] == pytest.approx([0, 0.025, 0.05, 0.05])
    by_clock = Schedule.over(Recipe(minutes=10.0), [])
    assert by_clock.share_done(Progress(seconds=300)) == 0.5
    assert by_clock.seconds_left(Progress(seconds=150)) == pytest.approx(450)


def test_the_published_output_is_carried_by_a_bundle(tmp_path):
    from audiobend.io.modelbundle import load_for_training, load_model, save_model
    from audiobend.train.music import codec_for

    recipe = Recipe().changed({"width": 1 / 64, "output": "tanh"})
    codec = codec_for(recipe, [])
    assert codec.normalise(torch.tensor([[-80.0], [0.0]]).expand(2, 513).T)[:, 0].tolist() == [-1.0] * 513
    network = SpectrogramVAE(recipe.width, 512, "relu", "tanh").eval()
    save_model(tmp_path / "m", network, codec, torch.eye(512)[:4], {})
    x = torch.randn(1, 1, 128, 513)
    again, its_codec = load_for_training(tmp_path / "m")
    fast = load_model(tmp_path / "m").network
    assert (again.output, its_codec.scale_db) == ("tanh", 40.0)
    with torch.no_grad():
        assert network(x).abs().max() <= 1
        assert torch.allclose(again.eval()(x), network(x), atol=1e-2)    # weights are stored in float16
        assert torch.allclose(fast(x), again(x), atol=1e-4)
