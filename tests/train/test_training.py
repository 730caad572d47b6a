"""Training: its parts, and a whole session in a few seconds."""

import json

import numpy as np
import pytest
import torch

from audiobend.io.modelbundle import load_model
from audiobend.train.latent import principal_axes, standardise
from audiobend.train.metrics import fidelity
from audiobend.train.muon import NormedMuon, orthogonalise
from audiobend.train.recipe import Recipe
from audiobend.train.sounds import find_sounds
from audiobend.train.tracks import Track, even_windows, load_tracks, split
from audiobend.train.windows import Augmentation, WindowSampler
from tests.train.small import tracks, trainer


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


@pytest.mark.slow
def test_a_batch_is_learnt():
    training = trainer()
    batch = training.sampler.batch()
    losses = []
    for _ in range(60):
        training.step(batch)
        losses.append(training.progress.loss)
    assert losses[-1] < losses[0] * 0.7


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
    for index in range(4):
        training.step(broken)
        assert training.trouble.startswith(f"step {index + 1}: the gradients of encoder.0.0.weight")
    assert all(torch.equal(a, b) for a, b in zip(before, training.network.parameters(), strict=True))
    training.step(training.sampler.batch())    # a good one between: the count begins anew
    assert training.trouble == ""
    for _ in range(4):
        training.step(broken)
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


@pytest.mark.slow
def test_a_trained_bundle_can_be_bent(trained, music):
    import audiobend as ab

    out, _, _ = trained
    model = load_model(out)
    assert model.latent_axes.shape[1] == 512
    patch = ab.Patch().add(1, "ablate", features=ab.bending.Cluster((1,)))
    assert ab.render(music[:, :40_000], 44100, model=model, patch=patch).isfinite().all()


@pytest.mark.slow
def test_what_cannot_be_used_is_named_with_its_reason(trained):
    _, said, _ = trained
    text = "\n".join(said)
    for name in ("broken.wav", "short.wav", "silent.wav"):
        assert f"{name}: " in text
    assert "notes.txt" not in text


@pytest.mark.slow
def test_figures_stand_beside_baselines(trained):
    out, _, figures = trained
    assert set(figures) == {"model", "mean spectrum", "silence"}
    assert figures["silence"]["sc"] == pytest.approx(1)
    assert load_model(out).card["metrics"]["model"]["lsd_all"] == pytest.approx(figures["model"]["lsd_all"], abs=1e-3)
    lines = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == sorted(line["step"] for line in lines)


@pytest.mark.slow
def test_a_finished_model_is_not_trained_over(trained, folder):
    from audiobend.errors import TrainingError
    from audiobend.train.session import train

    with pytest.raises(TrainingError, match="holds a finished model"):
        train([folder], trained[0], Recipe(width=0.03125, minutes=0.05), report=lambda _: None)
