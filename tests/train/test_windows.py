"""The sampler: the same for the same seed, for any number of processes, and after a break."""

import copy

import numpy as np
import pytest
import torch

from audiobend.errors import TrainingError
from audiobend.train.tracks import Track
from audiobend.train.windows import Augmentation, WindowSampler, power_sum, probabilities, read_weights

ALL_ON = Augmentation(level_db=(-12, 3), mix=0.5, tilt_db=6)


def tracks(n=4):
    random = np.random.default_rng(0)
    columns = [random.uniform(-79, 0, (300 + 200 * i, 513)).astype(np.float16) for i in range(n)]
    return [Track(f"track{i}", columns[i], "music/a" if i else "music/b") for i in range(n)]


def sampler(seed=0, batch=8, **options):
    return WindowSampler(tracks(), batch, seed, **options)


@pytest.mark.parametrize("n_ranks", [1, 2, 4, 8])
def test_ranks_together_see_what_one_process_sees(n_ranks):
    whole, parts = sampler(augmentation=ALL_ON), [sampler(augmentation=ALL_ON) for _ in range(n_ranks)]
    for _ in range(3):
        together = torch.cat([part.batch((rank, n_ranks)) for rank, part in enumerate(parts)])
        assert torch.equal(together, whole.batch())


def test_a_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(TrainingError, match="3 processes cannot share a batch of 8 evenly; a batch of 9 can be"):
        sampler().batch((0, 3))


def test_the_same_seed_gives_the_same_windows_and_another_gives_others():
    first, same, other = sampler(1).batch(), sampler(1).batch(), sampler(2).batch()
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_sampling_goes_on_exactly_where_it_was_saved():
    straight, broken, resumed = (sampler(augmentation=ALL_ON) for _ in range(3))
    for training in (straight, broken):
        training.batch()
    resumed.state = broken.state
    assert torch.equal(resumed.batch(), straight.batch())


def test_a_copy_draws_the_same_and_disturbs_nothing():
    original, untouched = sampler(), sampler()
    twin, deep = original.copy(), copy.deepcopy(original)
    assert deep.tracks[0].columns is original.tracks[0].columns    # hours of sound are not copied
    assert torch.equal(twin.batch(), deep.batch())
    assert torch.equal(original.batch(), untouched.batch())


def test_without_augmentation_windows_are_pieces_of_their_tracks():
    plain = sampler(augmentation=Augmentation(level_db=(0, 0))).batch()
    everything = [track.columns.astype(np.float32) for track in tracks()]
    for window in plain[:, 0].numpy():
        assert any(
            np.array_equal(window, columns[start : start + 128])
            for columns in everything
            for start in np.flatnonzero(columns[: len(columns) - 127, 0] == window[0, 0])
        )


def test_each_augmentation_acts_alone():
    """The windows stay the same ones when an augmentation is turned on, so that its effect can be measured."""
    plain = sampler(augmentation=Augmentation((0, 0))).batch()[:, 0]
    level = sampler(augmentation=Augmentation((-10, 5))).batch()[:, 0]
    tilted = sampler(augmentation=Augmentation((0, 0), tilt_db=6)).batch()[:, 0]
    audible = (plain > -60) & (level > -79) & (tilted > -79)
    for before, after, where in zip(plain, level, audible, strict=True):
        gains = (after - before)[where]
        assert -10 <= gains.mean() <= 5
        assert gains.max() - gains.min() < 1e-3    # one gain for all bins
    for before, after, where in zip(plain, tilted, audible, strict=True):
        gain = torch.where(where, after - before, torch.nan)
        by_bin = gain.nanmean(0)
        assert torch.nan_to_num(gain - by_bin).abs().max() < 1e-3    # the same at all times
        assert by_bin.abs().max() <= 6 * (1 + 1 / 2 + 1 / 3) + 1e-3
        assert by_bin.diff()[50:].abs().max() < 1    # smooth
    assert (tilted - plain).std() > 1


def test_mixing_adds_powers_as_often_as_asked():
    plain, mixed = (sampler(batch=200, augmentation=Augmentation((0, 0), mix)).batch() for mix in (0.0, 0.3))
    changed = (plain != mixed).flatten(1).any(1)
    assert 0.2 < changed.float().mean() < 0.4
    assert (mixed >= plain - 1e-4).all()
    noise = [np.random.default_rng(seed).normal(0, 0.01, 400_000) for seed in (0, 1)]
    powers = [np.float32([10 * np.log10(np.mean(one**2))]) for one in (*noise, noise[0] + noise[1])]
    assert power_sum(powers[0], powers[1]) == pytest.approx(powers[2], abs=0.05)


def test_silence_stays_silence_under_every_augmentation():
    silent = [Track("silent", np.full((300, 513), -80, np.float16))]
    assert WindowSampler(silent, 8, 0, augmentation=Augmentation((3, 3), 1.0, 12)).batch().eq(-80).all()


def test_tracks_are_drawn_by_the_root_of_their_length():
    expected = np.sqrt([300, 500, 700, 900])
    np.testing.assert_allclose(probabilities(tracks(), {}), expected / expected.sum())
    drawn = sampler(batch=20000)._draw().track.reshape(-1)
    np.testing.assert_allclose(np.bincount(drawn) / drawn.size, expected / expected.sum(), atol=0.01)


def test_weights_are_shares_of_the_windows_by_folder_or_name():
    shares = probabilities(tracks(), {"music/B": 0.1, "track2": 0.6})
    assert shares[0] == pytest.approx(0.1)
    assert shares[2] == pytest.approx(0.6)
    assert shares.sum() == pytest.approx(1)
    assert shares[3] / shares[1] == pytest.approx((900 / 500) ** 0.5)


def test_weights_that_name_every_track_keep_their_proportion():
    shares = probabilities(tracks(2), {"track0": 0.2, "track1": 0.6})
    assert shares == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["drums"], "needs WORDS=SHARE"),
        (["=0.5"], "needs WORDS=SHARE"),
        (["drums=2"], "share in 0..1"),
        (["drums=nan"], "share in 0..1"),
        (["a=0.7", "b=0.6"], "add up to 1.3"),
    ],
)
def test_wrong_weights_are_one_sentence(words, sentence):
    with pytest.raises(TrainingError, match=sentence):
        read_weights(words)


def test_weights_that_fit_no_track_are_refused():
    with pytest.raises(TrainingError, match=r"--weight trak2: .* did you mean 'track2'"):
        probabilities(tracks(), {"trak2": 0.5})
    with pytest.raises(TrainingError, match="leave no track"):
        probabilities(tracks(), {"track": 0.0})


@pytest.mark.parametrize(
    "options", [{"mix": 1.5}, {"mix": float("nan")}, {"tilt_db": -1}, {"level_db": (3, -12)}, {"level_db": (-99, 0)}]
)
def test_augmentations_outside_their_range_are_refused(options):
    with pytest.raises(TrainingError, match=r"must be in|is a probability|must be a low and a high"):
        Augmentation(**options)
