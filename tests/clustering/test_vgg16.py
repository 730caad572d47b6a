"""VGG16 from the user's weights: the same numbers as an independent network, and nothing but tensors is read."""

import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from audiobend.clustering.find import find_clusters
from audiobend.clustering.settings import Settings
from audiobend.clustering.vgg16 import MEAN, STD, VGG16, load_vgg16
from audiobend.errors import ClusteringError
from tests.clustering.pictures import Codes, blobs

PLAN = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")


class Slim(nn.Module):
    """Configuration D as the usual library lays it out, with an eighth of the features."""

    def __init__(self) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        before = 3
        for item in PLAN:
            if item == "M":
                parts.append(nn.MaxPool2d(2, 2))
            else:
                parts += [nn.Conv2d(before, item // 8, 3, padding=1), nn.ReLU()]
                before = item // 8
        self.features = nn.Sequential(*parts)
        wide = before * 49
        self.classifier = nn.Sequential(
            nn.Linear(wide, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 48), nn.ReLU(), nn.Dropout(), nn.Linear(48, 10)
        )


@pytest.fixture(scope="module")
def slim():
    torch.manual_seed(0)
    return Slim().eval()


def test_fc2_is_that_of_an_independent_network(slim):
    pictures = torch.rand(2, 3, 224, 224)
    normal = (pictures - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    with torch.no_grad():
        expected = slim.classifier[:5](slim.features(normal).flatten(1))
    torch.testing.assert_close(VGG16(slim.state_dict())(pictures), expected)


@pytest.mark.parametrize("kind", ["pth", "old pth", "safetensors"])
def test_weights_are_read_from_every_kind_of_file(slim, tmp_path, kind):
    path = tmp_path / f"vgg16.{kind.split()[-1]}"
    if kind == "safetensors":
        save_file(slim.state_dict(), path)
    else:
        torch.save(slim.state_dict(), path, _use_new_zipfile_serialization=kind == "pth")
    pictures = torch.rand(1, 3, 224, 224)
    torch.testing.assert_close(load_vgg16(path)(pictures), VGG16(slim.state_dict())(pictures))


def test_a_pickle_that_would_run_something_is_refused_and_runs_nothing(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "trapped"), "w"))

    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"features.0.weight": Trap()}, protocol=2))
    with pytest.raises(ClusteringError, match=r"evil\.pth: cannot be read"):
        load_vgg16(tmp_path / "evil.pth")
    assert not (tmp_path / "trapped").exists()


def test_other_weights_are_refused_by_what_is_missing(slim, tmp_path):
    weights = slim.state_dict()
    del weights["features.28.bias"]
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(ClusteringError, match=r"a\.pth: .*features\.28\.bias is missing"):
        load_vgg16(tmp_path / "a.pth")
    weights = slim.state_dict() | {"classifier.0.weight": torch.zeros(64, 10)}
    with pytest.raises(ClusteringError, match="three channels in"):
        VGG16(weights)


def test_planted_clusters_of_pictures_are_found(slim, tmp_path):
    torch.save(slim.state_dict(), tmp_path / "v.pth")
    network = blobs(3)
    settings = Settings(method="vgg16", vgg16=tmp_path / "v.pth", n_clusters=(3,), samples=10)
    assert find_clusters(network, Codes(10), settings).clusters.of_layer(1).labels.tolist() == network.kinds.tolist()
