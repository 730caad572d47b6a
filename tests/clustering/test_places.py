"""Where clusters act: numbered and named by frequency, and drawn as large as the output."""

import numpy as np
import pytest
import torch

from audiobend.bending import LayerClusters
from audiobend.clustering.cluster_pictures import draw_layer, where_it_acts
from audiobend.clustering.grouping import Groups
from audiobend.clustering.places import centre_of_activity, names_by_frequency, numbered, place_name


def planted(n_each: int = 10, seed: int = 0) -> tuple[torch.Tensor, np.ndarray]:
    """Maps of features that are busy low, in the middle, or high, each at its own level, in mixed order."""
    random = np.random.default_rng(seed)
    position = np.linspace(0, 1, 65)
    truth = random.permutation(np.repeat(np.arange(3), n_each))
    maps = []
    for kind in truth:
        bump = np.exp(-((position - (0.15 + 0.35 * kind)) ** 2) / 0.01) * random.uniform(0.1, 10)
        maps.append(bump[None, :] + 0.02 * random.normal(size=(17, 65)) + random.uniform(-1, 1))
    return torch.tensor(np.array(maps), dtype=torch.float32), truth


def test_centre_of_activity_is_where_the_bump_is():
    maps, truth = planted()
    assert np.allclose(centre_of_activity(maps), 0.15 + 0.35 * truth, atol=0.1)


def test_groups_are_numbered_from_low_to_high_and_the_noise_stays_last():
    maps, truth = planted()
    assert np.array_equal(numbered(Groups((truth + 1) % 3), maps).labels, truth)
    with_noise = numbered(Groups(np.where(truth == 0, 2, 2 - truth), noise=2), maps)
    assert np.array_equal(with_noise.labels, np.where(truth == 0, 2, truth - 1))


def test_names_tell_frequencies_and_differ():
    maps, truth = planted()
    names = names_by_frequency(maps, truth)
    hertz = [float(names[k].split()[1]) * (1000 if "kHz" in names[k] else 1) for k in range(3)]
    assert np.allclose(hertz, 22050 * (0.15 + 0.35 * np.arange(3)), rtol=0.1)
    assert len(set(names_by_frequency(torch.ones(6, 4, 4), np.arange(6)).values())) == 6


@pytest.mark.parametrize(("share", "name"), [(0.002, "44 Hz"), (0.045, "990 Hz"), (0.05, "1.1 kHz"), (1, "22 kHz")])
def test_places_are_named_in_musical_numbers(share, name):
    assert place_name(share) == f"around {name}"


@pytest.mark.slow
def test_pictures_are_as_large_as_the_output_and_bright_where_a_cluster_acts(tmp_path):
    maps, truth = planted()
    clusters = LayerClusters(torch.from_numpy(truth), {0: "low"})
    large = where_it_acts((maps - maps.amin((1, 2), keepdim=True)).abs(), clusters, (128, 513))
    assert large.shape == (3, 128, 513)
    peaks = large.mean(1).argmax(1) / 513
    assert np.allclose(peaks, 0.15 + 0.35 * np.arange(3), atol=0.05)
    for axes in (("time", "frequency"), ("y", "x")):
        draw_layer(tmp_path / "a.png", "layer", large, clusters, axes)
        assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
        first = (tmp_path / "a.png").read_bytes()
        draw_layer(tmp_path / "a.png", "layer", large, clusters, axes)
        assert (tmp_path / "a.png").read_bytes() == first
