"""Clusters by mean activation maps: planted ones are found, and they do not depend on luck or level."""

import numpy as np
import pytest
import torch

from audiobend.clustering.activation import add_clusters, centre_of_activity, cluster_maps, mean_maps, place_name
from audiobend.io.modelbundle import load_model


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


def test_planted_clusters_are_found_and_numbered_from_low_to_high():
    maps, truth = planted()
    assert np.array_equal(cluster_maps(maps, 3), truth)


def test_same_seed_gives_the_same_clusters():
    maps = torch.randn(40, 8, 33, generator=torch.Generator().manual_seed(0))
    assert np.array_equal(cluster_maps(maps, 5, seed=1), cluster_maps(maps, 5, seed=1))


@pytest.mark.parametrize("maps", [torch.zeros(6, 8, 33), torch.ones(1, 4, 4), torch.randn(2, 8, 33)])
@pytest.mark.filterwarnings("error")
def test_dead_maps_and_few_features_do_not_stop_it(maps):
    labels = cluster_maps(maps, 5)
    assert len(labels) == len(maps)
    assert labels.min() == 0


def test_centre_of_activity_is_where_the_bump_is():
    maps, truth = planted()
    centres = centre_of_activity(maps)
    assert np.allclose(centres, 0.15 + 0.35 * truth, atol=0.1)


@pytest.mark.parametrize(("share", "name"), [(0.002, "44 Hz"), (0.045, "990 Hz"), (0.05, "1.1 kHz"), (1, "22 kHz")])
def test_places_are_named_in_musical_numbers(share, name):
    assert place_name(share) == f"around {name}"


def test_mean_maps_are_means_of_the_layers_outputs(tiny_model):
    windows = torch.rand(10, 1, 128, 513, generator=torch.Generator().manual_seed(0)) * 80 - 80
    maps = mean_maps(tiny_model, windows, (1, 4))
    codec, network = tiny_model.codec, tiny_model.network
    with torch.no_grad():
        x = network.expand(network.encode_mean((windows - codec.mean_db) / codec.scale_db)).unflatten(1, (-1, 4, 17))
        for layer in network.decoder[:4]:
            x = layer(x)
    torch.testing.assert_close(maps[4], x.mean(0), rtol=1e-4, atol=1e-5)
    assert maps[1].shape == (32, 8, 33)


def test_new_clusters_replace_those_of_older_weights(tiny_bundle, tmp_path):
    import shutil

    from tests.conftest import EXAMPLES

    bundle = shutil.copytree(tiny_bundle, tmp_path / "m")
    stale = (bundle / "clusters.yaml").read_text().replace("fingerprint: ", "fingerprint: ffff")
    (bundle / "clusters.yaml").write_text(stale)
    add_clusters(bundle, [EXAMPLES / "sounds" / "harvest_food.flac"])
    model = load_model(bundle)
    assert model.clusters.fingerprint == model.fingerprint
    names = model.clusters.of_layer(1).names
    assert len(set(names.values())) == len(names)
