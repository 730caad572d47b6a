"""What a feature does is found by taking it out: the place and the moments it acts at, whatever its strength."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audiobend.clustering.effect import effect_points, effects
from audiobend.clustering.find import find_clusters
from audiobend.clustering.settings import Settings
from audiobend.clustering.sound_inputs import Given
from audiobend.io.modelbundle import load_model
from audiobend.networks.bendable import LayerSpec

TIME, BINS = 64, 96
LOW, HIGH = slice(2, 8), slice(50, 90)


class Speaker(nn.Module):
    """Puts out what it is given; its four features add a low band, a high band, or attacks, each in its strength."""

    WHAT = ("low", "attacks", "high", "low")
    STRENGTH = (1.0, 3.0, 0.5, 4.0)

    def __init__(self) -> None:
        super().__init__()
        self.voices, self.out = nn.Identity(), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        voices = torch.zeros(len(x), 4, TIME, BINS)
        for feature, (what, strength) in enumerate(zip(self.WHAT, self.STRENGTH, strict=True)):
            if what == "attacks":
                voices[:, feature, 4::6] = strength
            else:
                voices[:, feature, :, LOW if what == "low" else HIGH] = strength
        return self.out(x + self.voices(voices).sum(1, keepdim=True))

    def layers(self) -> tuple[LayerSpec, ...]:
        return LayerSpec(1, "voices", 4, TIME, BINS), LayerSpec(2, "out", 1, TIME, BINS)


@pytest.fixture(scope="module")
def heard() -> np.ndarray:
    sounds = Given(torch.rand(3, 1, TIME, BINS, generator=torch.Generator().manual_seed(0)))
    network = Speaker().eval()
    return effects(network, sounds, network.layers()[:1])[1]


def test_a_feature_changes_its_own_band_and_its_own_moments_by_its_strength(heard):
    steady, _, attacks = heard.reshape(4, 3, -1).transpose(1, 0, 2)
    low = steady[0] > 0
    assert 0 < low.sum() < low.size
    np.testing.assert_allclose(steady[3], 4 * steady[0], rtol=1e-5)
    assert not (steady[2].astype(bool) & (steady[0] == steady[0].max())).any()
    assert attacks[1].min() == pytest.approx(3.0, rel=1e-5)    # every column that rises that much is an attack
    assert steady[1].max() == 0


def test_features_that_do_the_same_lie_together_whatever_their_strength(heard):
    points = effect_points(heard)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    assert distances[0, 3] < 0.3 * min(distances[0, 1], distances[0, 2], distances[1, 2])


def test_features_that_do_nothing_are_all_alike():
    assert not effect_points(np.zeros((5, 12))).any()
    points = effect_points(np.array([[0.0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]]))
    np.testing.assert_allclose(points[0], points[1], atol=1e-12)


def test_a_model_of_sound_is_clustered_by_effect_the_same_each_time(tiny_bundle):
    network = load_model(tiny_bundle).network
    windows = Given(torch.randn(2, 1, 128, 513, generator=torch.Generator().manual_seed(0)))
    settings = Settings("effect", layers=(4,), n_clusters=(2,))
    first, again = (find_clusters(network, windows, settings).clusters for _ in range(2))
    assert torch.equal(first.of_layer(4).labels, again.of_layer(4).labels)
    assert first.n_clusters(4) == 2


def test_a_bundle_may_keep_clusters_of_both_kinds(tiny_bundle, audiobend, tmp_path):
    import shutil

    bundle = shutil.copytree(tiny_bundle, tmp_path / "mine")
    text = (bundle / "clusters.yaml").read_text()
    (bundle / "clusters-effect.yaml").write_text(text.replace("low band", "thunder"))
    for words, name in ((), "low band"), (("--clusters", "effect"), "thunder"):
        status, out, error = audiobend("layers", "--model", bundle, "--json", *words)
        assert (status, error) == (0, "")
        assert name in out
    status, _, error = audiobend("layers", "--model", bundle, "--clusters", "moods")
    assert (status, error.count("\n")) == (2, 1)
