"""Beginning from a trained model."""

import pytest
import torch

from audiobend.errors import TrainingError
from audiobend.io.modelbundle import load_for_training
from audiobend.networks.spectrogram_vae import SpectrogramVAE
from audiobend.train.widen import widened


@pytest.mark.parametrize("times", [1, 2, 3])
def test_widening_a_shipped_model_changes_nothing_but_its_size(times):
    narrow, _ = load_for_training("corpus-quarter")
    wide = widened(narrow, narrow.width * times, seed=5)
    assert wide.width == narrow.width * times
    x = torch.randn(1, 1, 128, 513)
    with torch.no_grad():
        assert torch.allclose(wide.eval()(x), narrow.eval()(x), atol=1e-4)


def test_twins_do_not_stay_twins():
    """Equal twins would get equal gradients for ever, and the width would be wasted."""
    torch.manual_seed(0)
    wide = widened(SpectrogramVAE(0.03125), 0.0625)
    loss = wide(torch.randn(2, 1, 128, 513)).square().mean()
    loss.backward()
    gradient = wide.decoder[1][0].weight.grad
    assert gradient is not None
    first, second = gradient.chunk(2, dim=1)    # written features: twins
    assert not torch.allclose(first, second, rtol=0.05)


def test_a_width_that_is_no_multiple_is_refused():
    with pytest.raises(TrainingError, match=r"whole multiple of the first model's 0\.03125, got 0\.05; try 0\.0625"):
        widened(SpectrogramVAE(0.03125), 0.05)
