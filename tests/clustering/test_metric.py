"""The networks of method metric: the paper's shape, batches, running statistics; and the file that keeps them."""

import sys
import time

import numpy as np
import psutil
import pytest
import torch
from safetensors.torch import save_file

from audiobend.clustering.find import find_clusters
from audiobend.clustering.maps import Grey, PictureStore, to_pictures
from audiobend.clustering.metric import Trained, _batches, accuracy, embeddings, train
from audiobend.clustering.metric_file import load_networks, save_networks
from audiobend.clustering.metric_network import MetricNetwork, ShuffleUnit, depth_for
from audiobend.clustering.metric_work import Job, learn_all
from audiobend.clustering.settings import Settings
from audiobend.errors import ClusteringError
from tests.clustering.pictures import Codes, blobs

SOUND = ((8, 33), (17, 65), (32, 129), (64, 257))


def stored(folder, maps: torch.Tensor, batch: int = 3):
    grey = Grey(float(maps.min()), float(maps.max()))
    store = PictureStore(folder / str(len(list(folder.iterdir()))), len(maps), grey)
    for part in maps.split(batch):
        store.add(part)
    return store.done()


def gratings(n_samples: int, n_features: int, seed: int) -> torch.Tensor:
    """Maps of stripes; each feature has its own number of them, at any place."""
    x = torch.arange(33) / 33
    places = torch.rand(n_samples, n_features, 1, 1, generator=torch.Generator().manual_seed(seed))
    counts = torch.arange(1, n_features + 1)[:, None, None]
    return torch.sin(2 * torch.pi * (counts * x + places)).expand(-1, -1, 8, -1).contiguous()


@pytest.mark.parametrize(("shape", "depth"), list(zip(SOUND, (1, 2, 3, 4), strict=True)))
def test_depth_width_and_bottleneck_are_the_papers(shape, depth):
    network = MetricNetwork(16, *shape)
    assert network.depth == depth == depth_for(shape[0])
    assert sum(isinstance(part, ShuffleUnit) for part in network.blocks) == depth - 1
    assert network.bottleneck.out_features == 10
    assert network.identity.in_features == 10
    assert network.blocks(torch.zeros(2, 1, *shape)).shape[1] == 50


@pytest.mark.parametrize("side", [4, 8, 16, 32, 64, 128, 256])
def test_pictures_of_every_resolution_fit(side):
    assert MetricNetwork(7, side, side).eval()(torch.zeros(1, 1, side, side)).shape == (1, 7)


def test_half_of_the_features_pass_a_unit_and_are_interleaved_with_the_others():
    unit = ShuffleUnit(6).eval()
    x = torch.randn(2, 6, 5, 5)
    assert torch.equal(unit(x)[:, ::2], x[:, :3])
    assert not torch.equal(unit(x)[:, 1::2], x[:, 3:])


def test_every_map_comes_once_before_any_comes_again():
    batches = _batches(550, seed=3)
    first = np.concatenate([next(batches) for _ in range(5)])
    assert len(set(first.tolist())) == 500
    assert len(next(_batches(20, 0))) == 20


def test_features_that_differ_are_told_apart_on_samples_never_seen(tmp_path):
    network = train(stored(tmp_path, gratings(200, 5, 0)), 500, seed=0)
    right = accuracy(network, stored(tmp_path, gratings(20, 5, 1)))
    assert right > 0.9
    assert not network.training
    means = network.blocks[1].running_mean.clone()
    accuracy(network, stored(tmp_path, gratings(5, 5, 2)))
    assert torch.equal(network.blocks[1].running_mean, means)


def test_embeddings_are_means_over_samples_and_do_not_depend_on_what_stands_beside(tmp_path):
    network = train(stored(tmp_path, gratings(20, 5, 0)), 5, seed=0)
    maps = stored(tmp_path, gratings(8, 5, 1))
    points = embeddings(network, maps)
    one_by_one = [network.embed(to_pictures(maps.open()[sample, 2:3]))[0] for sample in range(8)]
    torch.testing.assert_close(points[2].float(), torch.stack(one_by_one).mean(0), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_process_for_each_layer_gives_the_same_bits_as_one_process(tmp_path):
    jobs = [
        Job(stored(tmp_path, gratings(10, n, 0)), stored(tmp_path, gratings(2, n, 1)), 8, seed)
        for n, seed in ((4, 0), (5, 1))
    ]
    shares: list[float] = []
    for here, apart in zip(learn_all(jobs, 1, shares.append), learn_all(jobs, 2, lambda _: None), strict=True):
        assert torch.equal(here.embeddings, apart.embeddings)
        assert here.accuracy == apart.accuracy
        state = apart.network.state_dict()
        assert all(torch.equal(value, state[name]) for name, value in here.network.state_dict().items())
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


ENDLESS = """
import sys
from pathlib import Path
from audiobend.clustering.maps import Pictures
from audiobend.clustering.metric_work import Job, learn_all

if __name__ == "__main__":
    maps = Pictures(Path(sys.argv[1]), (2, 3, 8, 8))
    learn_all([Job(maps, maps, 10**9, seed) for seed in (0, 1)], 2, lambda share: print(share, flush=True))
"""


@pytest.mark.slow
def test_layers_in_training_end_with_a_first_process_that_is_killed(tmp_path):
    (tmp_path / "maps").write_bytes(bytes(range(192)) * 2)
    (tmp_path / "endless.py").write_text(ENDLESS)
    words = [sys.executable, tmp_path / "endless.py", tmp_path / "maps"]
    with (tmp_path / "shares").open("w") as shares:
        first = psutil.Popen(words, stdout=shares)
    while not any(float(share) > 0 for share in (tmp_path / "shares").read_text().split()):    # until they train
        assert first.is_running()
        time.sleep(0.2)
    children = first.children(recursive=True)
    first.kill()
    first.wait()
    _, alive = psutil.wait_procs(children, timeout=120)
    for process in alive:
        process.kill()
    assert not alive


def test_maps_on_disk_are_within_one_step_of_grey(tmp_path):
    maps = torch.randn(5, 4, 6, 7)
    pictures = stored(tmp_path, maps, batch=2)
    assert pictures.shape == (5, 4, 6, 7)
    back = to_pictures(pictures.open()[3])[:, 0]
    low, high = float(maps.min()), float(maps.max())
    assert torch.allclose((back + 1) / 2 * (high - low) + low, maps[3], atol=0.51 * (high - low) / 255)


def test_large_maps_are_averaged_down(tmp_path):
    pictures = stored(tmp_path, torch.ones(1, 1, 512, 300) * torch.tensor([0.0, 1.0]).repeat(150))
    assert pictures.shape == (1, 1, 256, 150)
    assert set(np.unique(pictures.open())) == {128}


def trained() -> dict:
    settings = Settings(steps=3, n_clusters=(2,))
    return find_clusters(blobs(), Codes(10), settings).networks


def test_networks_come_back_from_their_file_and_give_the_same_clusters(tmp_path):
    first = find_clusters(blobs(), Codes(10), Settings(steps=3, n_clusters=(2,)))
    save_networks(first.networks, tmp_path / "n.safetensors", "0123")
    networks = load_networks(tmp_path / "n.safetensors", "0123")
    again = find_clusters(blobs(), Codes(10), Settings(n_clusters=(2,)), networks=networks)
    assert torch.equal(again.clusters.of_layer(1).labels, first.clusters.of_layer(1).labels)
    assert networks[1].grey == first.networks[1].grey
    assert networks[1].steps == 3


def test_another_models_networks_are_refused_by_name(tmp_path):
    save_networks(trained(), tmp_path / "n.safetensors", "0123")
    with pytest.raises(ClusteringError, match="for the model 0123, not for 4567"):
        load_networks(tmp_path / "n.safetensors", "4567")


@pytest.mark.parametrize("kind", ["text", "other tensors", "cut"])
def test_a_file_that_holds_no_networks_is_one_sentence(tmp_path, kind):
    path = tmp_path / "n.safetensors"
    if kind == "text":
        path.write_text("hello")
    elif kind == "other tensors":
        save_file({"a": torch.zeros(3)}, path)
    else:
        save_networks(trained(), path, "0123")
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ClusteringError, match=r"n\.safetensors: "):
        load_networks(path, "0123")


def test_networks_for_other_maps_or_other_layers_are_refused():
    networks = trained()
    with pytest.raises(ClusteringError, match="layer 1: its trained network is for maps of another size"):
        find_clusters(blobs(3), Codes(5), Settings(), networks=networks)
    other: dict = {9: Trained(networks[1].network, networks[1].grey)}
    with pytest.raises(ClusteringError, match="layer 1 has no trained network; there are networks for: 9"):
        find_clusters(blobs(), Codes(5), Settings(), networks=other)
