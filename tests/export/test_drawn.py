"""Random numbers of exported files against those of torch."""

import pytest
import torch

from audiobend.export.drawn import normal, uniform

SEEDS = (0, 1, 7, 2**31 + 5, 2**40 + 5)


@pytest.mark.parametrize("seed", SEEDS)
def test_evenly_drawn_numbers_are_torchs_bit_for_bit(seed):
    compiled = torch.jit.script(uniform)
    for n in (1, 623, 624, 4104, 5000):
        expected = torch.rand(n, generator=torch.Generator().manual_seed(seed))
        assert torch.equal(compiled(seed, n), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_bells_are_torchs(seed):
    compiled = torch.jit.script(normal)
    for n in (16, 17, 31, 4104, 5003):
        expected = torch.randn(n, generator=torch.Generator().manual_seed(seed))
        assert torch.allclose(compiled(seed, n), expected, atol=1e-5)
