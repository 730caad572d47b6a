"""Training: its parts, and a whole session in a few seconds."""

import json
import os
import signal

import numpy as np
import pytest
import soundfile as sf
import torch

from audiobend.io.modelbundle import load_model
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.checkpoint import load_checkpoint, save_checkpoint
from audiobend.train.dataset import (
    Augmentation,
    Track,
    WindowSampler,
    even_windows,
    find_sounds,
    load_tracks,
    mean_spectrum,
    split,
)
from audiobend.train.latent import principal_axes, standardise
from audiobend.train.loop import Trainer
from audiobend.train.metrics import fidelity
from audiobend.train.muon import NormedMuon, orthogonalise
from audiobend.train.recipe import Recipe


def tracks(n: int = 2, seconds: float = 4.0) -> list[Track]:
    random = np.random.default_rng(0)
    n_columns = int(seconds * 44100 / 256)
    shape = np.linspace(-10, -70, 513) + 15 * np.sin(np.arange(n_columns) / 9)[:, None]
    return [
        Track(f"track{i}", (shape + random.normal(0, 3, shape.shape)).clip(-80, 0).astype(np.float16))
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of real sound (and of things that are none), as a musician might have it."""
    from tests.conftest import EXAMPLES

    folder = tmp_path_factory.mktemp("music")
    for index, name in enumerate(("pressure", "harvest_food")):
        samples, rate = sf.read(EXAMPLES / "sounds" / f"{name}.flac", frames=4 * 44100)
        sf.write(folder / f"{name}.wav", samples, rate if index else 48000)
    (folder / "broken.wav").write_text("not a sound")
    sf.write(folder / "short.wav", np.ones(1000) * 0.1, 44100)
    sf.write(folder / "silent.wav", np.zeros(88200), 44100)
    (folder / "notes.txt").write_text("buy strings")
    return folder


def test_loudest_bin_of_a_track_is_0_db(folder):
    track = load_tracks(find_sounds([folder / "pressure.wav"]))[0]
    columns = track.columns[:]
    assert float(columns.max()) == pytest.approx(0.0, abs=0.01)
    assert columns.shape[1] == 513


def test_sampler_is_deterministic_and_levels_keep_silence():
    batches = [WindowSampler(tracks(), 4, seed=3).batch() for _ in range(2)]
    assert torch.equal(*batches)
    assert batches[0].shape == (4, 1, 128, 513)
    silent = [Track("silent", np.full((300, 513), -80, np.float16))]
    assert WindowSampler(silent, 4, 0, augmentation=Augmentation(level_db=(3, 3))).batch().eq(-80).all()


def test_reels_share_a_quarter_of_the_windows():
    many = [*tracks(8), Track("reel_a", np.full((300, 513), -40, np.float16))]
    sampler = WindowSampler(many, 1, 0, weights={"reel_": 0.25})
    assert sampler.probability[-1] == pytest.approx(0.25)
    assert sampler.probability.sum() == pytest.approx(1)


def test_orthogonalise_pulls_singular_values_to_one():
    for shape in ((16, 64), (64, 16), (300, 40), (256, 400)):
        matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        for rows in orthogonalise(matrix).split(128) if min(shape) > 128 else [orthogonalise(matrix)]:
            values = torch.linalg.svdvals(rows)
            assert float(values.max()) < 1.35
            assert float(values.min()) > 0.3


def test_orthogonalise_survives_low_rank_and_zero():
    flat = torch.outer(torch.randn(20), torch.randn(50))
    assert orthogonalise(flat).isfinite().all()
    assert orthogonalise(torch.zeros(20, 50)).isfinite().all()


def test_muon_keeps_the_size_of_every_weight_and_goes_downhill():
    torch.manual_seed(0)
    weight, goal = torch.nn.Parameter(torch.randn(20, 30)), torch.randn(20, 30)
    goal *= weight.detach().norm() / goal.norm()
    size, optimiser, losses = float(weight.detach().norm()), NormedMuon([weight], lr=0.5), []
    for _ in range(60):
        optimiser.zero_grad()
        loss = (weight - goal).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert float(weight.detach().norm()) == pytest.approx(size, rel=1e-4)
    assert losses[-1] < losses[0] / 10


def trainer(minutes: float = 1.0) -> Trainer:
    codec = SpectrogramCodec(mean_spectrum(tracks()))
    return Trainer(Recipe(width=0.03125, minutes=minutes, batch_size=4), codec, WindowSampler(tracks(), 4, seed=0))


def test_a_batch_is_learnt():
    training = trainer()
    batch = training.sampler.batch()
    losses = []
    for _ in range(60):
        training.step(batch)
        losses.append(training.progress.loss)
    assert losses[-1] < losses[0] * 0.7


def test_resumed_training_is_the_same_bit_for_bit(tmp_path):
    straight, first = trainer(), trainer()
    for training in (straight, first):
        torch.manual_seed(0)
        for _ in range(3):
            training.step(training.sampler.batch())
        training.progress.seconds = 20.0    # a third of the schedule
    save_checkpoint(first.checkpoint(), tmp_path / "checkpoint.pt")
    straight.step(straight.sampler.batch())
    resumed = trainer()
    resumed.restore(load_checkpoint(tmp_path / "checkpoint.pt"))
    resumed.step(resumed.sampler.batch())
    for a, b in zip(straight.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(straight.average.parameters(), resumed.average.parameters(), strict=True):
        assert torch.equal(a, b)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_checkpoints_of_other_sounds_or_options_are_refused():
    from dataclasses import replace

    from audiobend.errors import TrainingError

    checkpoint = trainer().checkpoint()
    other = Trainer(replace(trainer().recipe, kl=0.1), SpectrogramCodec(), WindowSampler(tracks(), 4, seed=0))
    with pytest.raises(TrainingError, match=r"the checkpoint has kl 0.05, not 0.1"):
        other.restore(checkpoint)
    more = Trainer(trainer().recipe, SpectrogramCodec(), WindowSampler(tracks(3), 4, seed=0))
    with pytest.raises(TrainingError, match="the training tracks are not those of the checkpoint"):
        more.restore(checkpoint)


class Payload:
    def __reduce__(self):
        return os.system, ("touch owned",)


@pytest.mark.parametrize("content", [b"", b"garbage", "half", "payload"])
def test_damaged_checkpoints_are_one_sentence_and_run_nothing(tmp_path, monkeypatch, content):
    from audiobend.errors import TrainingError

    monkeypatch.chdir(tmp_path)
    path = tmp_path / "checkpoint.pt"
    if content == "payload":
        torch.save({"recipe": Payload()}, path)
    elif content == "half":
        save_checkpoint(trainer().checkpoint(), path)
        path.write_bytes(path.read_bytes()[:1000])
    else:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match="checkpoint is damaged"):
        load_checkpoint(path)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(("n", "held"), [(1, 0), (2, 1), (3, 1), (9, 1), (30, 3)])
def test_tracks_kept_out_are_never_trained_on(n, held):
    training, kept = split(tracks(n, seconds=0.8), ())
    assert len(kept) == held
    assert len(training) == n - held
    assert not {track.name for track in training} & {track.name for track in kept}


def test_gradients_that_are_no_numbers_are_skipped_and_then_stop_the_run():
    from audiobend.errors import TrainingError

    training = trainer()
    before = [parameter.clone() for parameter in training.network.parameters()]
    broken = torch.full((4, 1, 128, 513), float("nan"))
    for _ in range(4):
        training.step(broken)
    assert all(torch.equal(a, b) for a, b in zip(before, training.network.parameters(), strict=True))
    with pytest.raises(TrainingError, match="--resume"):
        training.step(broken)


def test_standardising_the_latent_keeps_the_sound(tiny_network):
    import copy

    network = copy.deepcopy(tiny_network)
    x = torch.randn(64, 1, 128, 513, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, codes = network(x[:4]), network.encode_mean(x)
        standardise(network, codes)
        torch.testing.assert_close(network(x[:4]), before, rtol=0, atol=1e-4)
        after = network.encode_mean(x)
    torch.testing.assert_close(after.mean(0), torch.zeros(512), rtol=0, atol=1e-3)
    moving = codes.std(0) > 1e-4
    torch.testing.assert_close(after.std(0)[moving], torch.ones(int(moving.sum())), rtol=1e-2, atol=0)


def test_principal_axes_are_sorted_orthogonal_and_one_deviation_long():
    codes = torch.randn(500, 40, generator=torch.Generator().manual_seed(0)) * torch.linspace(5, 0.1, 40)
    axes = principal_axes(codes, 8)
    sizes = axes.norm(dim=1)
    assert torch.equal(sizes, sizes.sort(descending=True).values)
    directions = axes / sizes[:, None]
    torch.testing.assert_close(directions @ directions.T, torch.eye(8), rtol=0, atol=1e-4)
    along = (codes - codes.mean(0)) @ directions.T
    torch.testing.assert_close(along.std(0), sizes, rtol=1e-2, atol=0)


def test_fidelity_of_silence_and_of_the_truth():
    target = torch.from_numpy(tracks(1)[0].columns.astype(np.float32))
    truth, silence = fidelity(target, target), fidelity(target, torch.full_like(target, -80.0))
    assert truth["lsd_all"] == truth["sc"] == truth["mel"] == 0
    assert truth["onset"] == pytest.approx(1)
    assert silence["sc"] == pytest.approx(1)
    louder = fidelity(target, target + 3)
    assert louder["bias"] == pytest.approx(3, abs=0.01)
    assert louder["lsd_loud"] == pytest.approx(3, abs=0.01)


def test_even_windows_cover_the_track():
    track = tracks(1)[0]
    windows = even_windows(track, 5)
    assert windows.shape == (5, 1, 128, 513)
    assert np.array_equal(windows[-1, 0].numpy(), track.columns[-128:].astype(np.float32))


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    from audiobend.clustering.activation import add_clusters
    from audiobend.train.session import train

    out, said = tmp_path_factory.mktemp("trained") / "mine", []
    figures = train([folder], out, Recipe(width=0.03125, minutes=0.05, batch_size=4), report=said.append)
    add_clusters(out, [folder])
    return out, said, figures


def test_a_trained_bundle_can_be_bent(trained, music):
    import audiobend as ab

    out, _, _ = trained
    model = load_model(out)
    assert model.latent_axes.shape[1] == 512
    patch = ab.Patch().add(1, "ablate", features=ab.bending.Cluster((1,)))
    assert ab.render(music[:, :40_000], 44100, model=model, patch=patch).isfinite().all()


def test_what_cannot_be_used_is_named_with_its_reason(trained):
    _, said, _ = trained
    text = "\n".join(said)
    for name in ("broken.wav", "short.wav", "silent.wav"):
        assert f"{name}: " in text
    assert "notes.txt" not in text


def test_figures_stand_beside_baselines(trained):
    out, _, figures = trained
    assert set(figures) == {"model", "mean spectrum", "silence"}
    assert figures["silence"]["sc"] == pytest.approx(1)
    assert load_model(out).card["metrics"]["model"]["lsd_all"] == pytest.approx(figures["model"]["lsd_all"], abs=1e-3)
    lines = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == sorted(line["step"] for line in lines)


def test_a_finished_model_is_not_trained_over(trained, folder):
    from audiobend.errors import TrainingError
    from audiobend.train.session import train

    with pytest.raises(TrainingError, match="holds a finished model"):
        train([folder], trained[0], Recipe(width=0.03125, minutes=0.05), report=lambda _: None)


def test_ctrl_c_ends_after_a_whole_step_and_training_goes_on_from_there(folder, tmp_path, monkeypatch):
    from audiobend.errors import TrainingError
    from audiobend.train.session import train

    seen: list[int] = []

    def step_and_interrupt(self, batch, step=Trainer.step):
        if len(seen) == 2:
            os.kill(os.getpid(), signal.SIGINT)    # in the middle of the third step
        step(self, batch)
        seen.append(self.progress.step)

    recipe = Recipe(width=0.03125, minutes=0.05, batch_size=4)
    monkeypatch.setattr(Trainer, "step", step_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        train([folder], tmp_path / "m", recipe, report=lambda _: None)
    assert seen == [1, 2, 3]
    with pytest.raises(TrainingError, match="go on with --resume"):
        train([folder], tmp_path / "m", recipe, report=lambda _: None)
    train([folder], tmp_path / "m", recipe, resume=True, report=lambda _: None)
    assert seen[3] == 4
    assert load_model(tmp_path / "m").card["training"]["steps"] == seen[-1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere", "--out", "m"], "nowhere: there is no such folder"),
        ([".", "--out", "m"], "no sound files here"),
        (["{folder}", "--out", "m", "--resume"], "no checkpoint to resume from"),
        (["{folder}", "--out", "m", "--validation", "presure", "--minutes", "0.05"], "did you mean 'pressure'?"),
        (["{folder}/broken.wav", "--out", "m"], "none of the files could be used"),
    ],
)
def test_wrong_training_commands_are_one_sentence(audiobend, folder, words, sentence):
    status, _, error = audiobend("train", *(word.format(folder=folder) for word in words))
    assert status == 2
    assert sentence in error
    assert error.count("\n") == 1
