"""Training of picture models: the losses by reference, determinism, resuming, tiles, and the program."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from audiobend.errors import TrainingError
from audiobend.io.picturemodel import load_picture_model
from audiobend.picture import generate
from audiobend.train_pictures.augment import MOST, adjusted, augmented
from audiobend.train_pictures.colours import from_lightness
from audiobend.train_pictures.critic import Critic
from audiobend.train_pictures.data import Pictures, read_pictures
from audiobend.train_pictures.losses import path_lengths, r1_penalty
from audiobend.train_pictures.recipe import PictureRecipe
from audiobend.train_pictures.session import train
from audiobend.train_pictures.tiles import SAMPLE_RATE, SIDE, frequencies, harmony, levels, tile, tiles_of
from audiobend.train_pictures.trainer import Trainer

ROOT = Path(__file__).parents[2]
SMALL = PictureRecipe(
    features=(6, 5, 4), critic_features=(6, 5, 4), n_latent=8, n_style=8, n_mapping=2, batch_size=4, images=16,
    minutes=None, r1_every=2, path_every=2, seed=3,
)    # fmt: skip


def pictures(n: int = 12, size: int = 16) -> Pictures:
    pixels = torch.randint(0, 256, (n, 3, size, size), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return Pictures(pixels, ("a.png",), "pictures")


def weights(trainer: Trainer) -> list[torch.Tensor]:
    networks = (trainer.generator, trainer.critic, trainer.average)
    return [value.clone() for network in networks for value in network.state_dict().values()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def run(trainer: Trainer, steps: int) -> Trainer:
    for _ in range(steps):
        trainer.step()
    return trainer


@pytest.fixture
def picture_folder(tmp_path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(5):
        pixels = random.integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    (folder / "broken.png").write_text("not a picture")
    (folder / "notes.txt").write_text("buy paint")
    return folder


def test_the_gradient_penalty_is_that_of_finite_differences():
    torch.manual_seed(0)
    critic, real = Critic((4, 4, 4)).double(), torch.randn(4, 3, 16, 16).double()
    expected = 0.0
    step = 1e-5
    with torch.no_grad():
        flat = real.flatten()
        for index in range(0, len(flat), 7):
            moved = torch.stack([flat, flat])
            moved[0, index] += step
            moved[1, index] -= step
            up, down = (critic(one.view_as(real)).sum() for one in moved)
            expected += float((up - down) / (2 * step)) ** 2
    wanted = torch.zeros(len(flat), dtype=torch.float64)
    leaf = real.clone().requires_grad_(True)
    critic(leaf).sum().backward()
    wanted[::7] = leaf.grad.flatten()[::7]
    assert float(wanted.square().sum()) == pytest.approx(expected, rel=1e-4)
    assert r1_penalty(critic, real).item() == pytest.approx(float(leaf.grad.square().sum()) / len(real) / 2, rel=1e-9)


def test_the_gradient_penalty_trains_the_critic_as_autograd_says():
    torch.manual_seed(0)
    critic, real = Critic((4, 4, 4)).double(), torch.randn(4, 3, 16, 16).double()
    weight = critic.blocks[0].first.weight
    r1_penalty(critic, real).backward()
    found, step = weight.grad[1, 2, 1, 1].item(), 1e-4
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight[1, 2, 1, 1] += sign * step
        values.append(r1_penalty(critic, real).item())
        with torch.no_grad():
            weight[1, 2, 1, 1] -= sign * step
    assert found == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-3)


def test_path_lengths_of_a_linear_painter_are_known():
    torch.manual_seed(0)
    matrix = torch.randn(3 * 4 * 4, 5)
    styles = torch.randn(2, 1, 5, requires_grad=True)
    painted = (styles[:, 0] @ matrix.t()).view(2, 3, 4, 4)
    noise = torch.randn(2, 3, 4, 4)
    lengths = path_lengths(painted, styles, noise)
    expected = (noise.flatten(1) @ matrix).norm(dim=1) / 4
    assert torch.allclose(lengths, expected, atol=1e-5)


def test_one_seed_trains_one_model_and_another_seed_another():
    first, second = run(Trainer(SMALL, pictures()), 3), run(Trainer(SMALL, pictures()), 3)
    other = run(Trainer(replace(SMALL, seed=4), pictures()), 3)
    assert same(weights(first), weights(second))
    assert not same(weights(first), weights(other))


def test_training_that_went_on_ends_in_the_same_weights_bit_for_bit(tmp_path):
    whole = run(Trainer(SMALL, pictures()), 6)
    half = run(Trainer(SMALL, pictures()), 3)
    torch.save(half.checkpoint(), tmp_path / "half.pt")
    rest = Trainer(SMALL, pictures())
    rest.restore(torch.load(tmp_path / "half.pt", weights_only=True))
    run(rest, 3)
    assert same(weights(whole), weights(rest))
    assert whole.progress == replace(rest.progress, seconds=whole.progress.seconds)


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_every_number_of_both_networks_learns(precision):
    trainer = Trainer(replace(SMALL, precision=precision), pictures())
    before = weights(trainer)
    run(trainer, 4)
    names = [f"{name}" for network in (trainer.generator, trainer.critic, trainer.average)
             for name in network.state_dict()]    # fmt: skip
    still = [name for name, a, b in zip(names, before, weights(trainer), strict=True) if torch.equal(a, b)]
    assert all("noises." in name for name in still)


def test_a_checkpoint_of_another_recipe_or_of_other_pictures_is_refused():
    content = Trainer(SMALL, pictures()).checkpoint()
    with pytest.raises(TrainingError, match=r"r1 0\.1, now it is 3"):
        Trainer(replace(SMALL, r1=3.0), pictures()).restore(content)
    with pytest.raises(TrainingError, match="other pictures"):
        Trainer(SMALL, pictures(n=11)).restore(content)
    Trainer(replace(SMALL, images=99), pictures()).restore(content)    # a longer training goes on


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"images": 5, "minutes": 5.0}, "one of images and minutes"),
        ({"learning_rate": 2.0}, "learning_rate must be in"),
        ({"critic_features": (4, 4)}, "as many sizes"),
        ({"precision": "fp8"}, "precision must be one of 32, bf16"),
    ],
)
def test_a_wrong_recipe_is_refused_in_a_sentence(values, sentence):
    with pytest.raises(TrainingError, match=sentence):
        replace(SMALL, **values)


def test_a_recipe_comes_back_from_plain_data():
    assert PictureRecipe.from_dict(SMALL.as_dict()) == SMALL
    with pytest.raises(TrainingError, match="a recipe needs"):
        PictureRecipe.from_dict({"seed": 1})


def test_pictures_are_changed_only_where_the_draws_say_so():
    x = pictures().batch(torch.arange(6))
    draws = torch.rand(6, 8, generator=torch.Generator().manual_seed(1))
    assert augmented(x, 0.0, draws) is x
    never = draws.clone()
    never[:, [0, 1, 4]] = 1.0
    assert torch.allclose(augmented(x, 0.8, never), x, atol=1e-6)
    mirrored = never.clone()
    mirrored[:, 0] = 0.0
    assert torch.allclose(augmented(x, 0.8, mirrored), x.flip(3), atol=1e-6)
    moved = never.clone()
    moved[:, 1], moved[:, 2], moved[:, 3] = 0.0, 0.5, 1.0    # two pixels up
    assert torch.allclose(augmented(x, 0.8, moved)[..., :8, :], x[..., 2:10, :], atol=1e-6)
    assert not torch.allclose(augmented(x, 0.8, draws), x, atol=0.01)


def test_changes_become_likelier_where_the_critic_is_too_sure():
    assert adjusted(0.2, 0.9, 0.6, 5000) == pytest.approx(0.21)
    assert adjusted(0.2, 0.3, 0.6, 5000) == pytest.approx(0.19)
    assert adjusted(0.0, 0.3, 0.6, 5000) == 0.0
    assert adjusted(MOST, 0.9, 0.6, 5000) == MOST


def test_greys_have_no_hue_and_hues_turn():
    ramp = torch.linspace(0, 1, 5)[None]
    grey = from_lightness(ramp, torch.zeros(1, 5), torch.rand(1, 5))
    assert (grey - grey.mean(0)).abs().max() < 1e-3
    colours = from_lightness(torch.full((1, 2), 0.6), torch.full((1, 2), 0.15), torch.tensor([[0.08, 0.73]]))
    assert colours[:, 0, 0].argmax() == 0 and colours[:, 0, 1].argmax() == 2    # red, blue


def test_a_tone_lights_its_own_row_and_octaves_share_their_hue():
    time = torch.arange(4 * SAMPLE_RATE) / SAMPLE_RATE

    def tone(frequency: float) -> torch.Tensor:
        return levels(0.3 * torch.sin(2 * torch.pi * frequency * time))[:, 20 : 20 + SIDE]

    for frequency in (110.0, 440.0, 2000.0):
        expected = int((frequencies() / frequency).log2().abs().argmin())
        assert abs(int(tone(frequency).mean(dim=1).argmax()) - expected) <= 1
        rows = tile(tone(frequency)).float().sum(dim=(0, 2))
        assert abs((SIDE - 1 - int(rows.argmax())) - expected) <= 1    # pitch rises to the top
    (a, clear), (octave, _), (near, _), (far, _) = (harmony(tone(one)) for one in (440.0, 880.0, 415.3, 622.3))

    def apart(x: float, y: float) -> float:
        return abs((x - y + 0.5) % 1 - 0.5)

    assert clear > 0.5
    assert apart(a, octave) < 0.05 < apart(a, near) < 0.2 < 0.35 < apart(a, far)
    noise = torch.randn(4 * SAMPLE_RATE, generator=torch.Generator().manual_seed(0))
    assert harmony(levels(noise)[:, :SIDE])[1] < 0.3


def test_sound_becomes_tiles_and_silence_none(tmp_path):
    import soundfile as sf

    found = tiles_of(ROOT / "examples" / "sounds" / "pressure.flac")
    assert found.dtype == torch.uint8 and found.shape[1:] == (3, SIDE, SIDE) and len(found) > 20
    assert found.float().std(dim=(1, 2, 3)).min() > 5    # no tile is empty
    sf.write(tmp_path / "short.wav", np.zeros(4000), 44100)
    assert len(tiles_of(tmp_path / "short.wav")) == 0
    with pytest.raises(TrainingError, match="none of the sounds could be used"):
        read_pictures([tmp_path], 64, lambda _: None)
    with pytest.raises(TrainingError, match="tiles of 64 pixels"):
        read_pictures([tmp_path], 32, lambda _: None)


def test_pictures_of_any_shape_become_squares_and_damaged_ones_are_reported(picture_folder):
    told: list[str] = []
    found = read_pictures([picture_folder], 16, told.append)
    assert found.pixels.shape == (5, 3, 16, 16) and found.kind == "pictures"
    assert len(told) == 1 and "broken.png" in told[0]
    with pytest.raises(TrainingError, match="there is no such folder"):
        read_pictures([picture_folder / "nowhere"], 16, told.append)


def test_a_trained_bundle_paints_and_goes_on(picture_folder, tmp_path):
    out = tmp_path / "mine"
    model = train([picture_folder], out, SMALL, report=lambda _: None)
    assert {"model.yaml", "weights.safetensors", "samples.png", "real.png", "checkpoint.pt"} <= {
        path.name for path in out.iterdir()
    }
    loaded = load_picture_model(out)
    assert loaded.fingerprint == model.fingerprint and loaded.mean is not None
    assert loaded.card["training"]["shown"] == 16 and loaded.card["training"]["recipe"]["seed"] == 3
    assert generate(loaded, [0, 1]).shape == (2, 3, 16, 16)
    with pytest.raises(TrainingError, match="holds a finished model"):
        train([picture_folder], out, SMALL, report=lambda _: None)
    further = train([picture_folder], out, replace(SMALL, images=24), resume=True, report=lambda _: None)
    assert further.fingerprint != model.fingerprint
    whole = train([picture_folder], tmp_path / "whole", replace(SMALL, images=24), report=lambda _: None)
    assert further.fingerprint == whole.fingerprint


@pytest.mark.slow
def test_the_program_runs_every_part_in_its_smoke_test():
    words = [sys.executable, ROOT / "training" / "train_stylegan2.py", ROOT / "examples" / "sounds", "--smoke-test"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "checkpoint, resuming and bundle work" in done.stdout


@pytest.mark.slow
def test_the_program_refuses_in_a_sentence(tmp_path):
    words = [sys.executable, ROOT / "training" / "train_stylegan2.py", tmp_path / "nowhere", "--out", tmp_path / "a"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "there is no such folder" in done.stderr
    assert not (tmp_path / "a").exists()
