"""The limiter touches nothing below the ceiling and lets nothing above it through."""

import pytest
import torch

from audiobend.spectral.limiter import CEILING, Limiter


def limited(waveform: torch.Tensor, size: int = 4096) -> torch.Tensor:
    limiter = Limiter(len(waveform))
    return torch.cat([*(limiter.feed(part) for part in waveform.split(size, dim=-1)), limiter.flush()], dim=-1)


@pytest.mark.parametrize("size", [1, 64, 441, 4096])
def test_portions_do_not_matter(size):
    waveform = torch.randn(2, 5000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(limited(waveform, size), limited(waveform, 5000))


@pytest.mark.parametrize("gain", [1.01, 2.0, 100.0])
def test_nothing_leaves_above_the_ceiling(gain):
    waveform = torch.randn(2, 20_000, generator=torch.Generator().manual_seed(1)) * gain
    result = limited(waveform)
    assert result.shape == waveform.shape
    assert float(result.abs().max()) <= CEILING


def test_the_gain_itself_keeps_the_ceiling_without_clipping():
    # A square wave's flat tops would be cut by clipping; a gain scales the whole wave.
    wave = torch.sign(torch.sin(torch.arange(30_000) / 50))[None] * torch.linspace(0.5, 3, 30_000)
    ratio = (limited(wave) / wave)[0, 441:-441]
    assert float((ratio[1:] - ratio[:-1]).abs().max()) < 5e-3


def test_quiet_sound_is_untouched_bit_for_bit():
    waveform = torch.rand(2, 10_000, generator=torch.Generator().manual_seed(2)) * 1.9 - 0.95
    assert torch.equal(limited(waveform), waveform)


def test_only_the_neighbourhood_of_a_peak_is_turned_down():
    waveform = torch.full((1, 10_000), 0.5)
    waveform[0, 5000] = 4.0
    changed = (limited(waveform) != waveform)[0].nonzero().flatten()
    assert int(changed.min()) > 5000 - 2 * 441
    assert int(changed.max()) < 5000 + 2 * 441


def test_what_is_not_a_number_becomes_silence():
    waveform = torch.tensor([[0.1, float("nan"), float("inf"), -float("inf"), 0.2]])
    assert limited(waveform)[0].tolist() == pytest.approx([0.1, 0.0, 0.0, 0.0, 0.2])
