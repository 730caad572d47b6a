"""The pass-through pieces give the same whatever the portions."""

import pytest
import torch

from audiobend.spectral.stft import n_columns, stft
from audiobend.spectral.streaming import ContextWindow, Framer, OverlapAdd

PORTIONS = [1, 63, 64, 257, 512, 4096, 100_000]


def noise(n_samples: int, n_channels: int = 2) -> torch.Tensor:
    return torch.randn(n_channels, n_samples, generator=torch.Generator().manual_seed(0))


def in_portions(piece, data: torch.Tensor, size: int) -> list[torch.Tensor]:
    return [piece.feed(part) for part in data.split(size, dim=-1)]


@pytest.mark.parametrize("size", PORTIONS)
@pytest.mark.parametrize("n_samples", [0, 1, 255, 256, 1023, 20_011])
def test_framer_equals_stft_of_the_whole(size, n_samples):
    if size == 1 and n_samples > 2000:
        n_samples = 2000
    waveform = noise(n_samples)
    framer = Framer(2)
    columns = torch.cat([*in_portions(framer, waveform, size), framer.flush()], dim=-1)
    assert columns.shape[-1] == n_columns(n_samples)
    torch.testing.assert_close(columns, stft(waveform), rtol=0, atol=1e-5)


def test_framer_starts_anew_after_reset():
    framer = Framer(1)
    framer.feed(noise(3000, 1))
    framer.reset()
    waveform = noise(5000, 1)
    columns = torch.cat([framer.feed(waveform), framer.flush()], dim=-1)
    torch.testing.assert_close(columns, stft(waveform), rtol=0, atol=1e-5)


@pytest.mark.parametrize("stride", [4, 8, 32, 64, 128])
@pytest.mark.parametrize("n", [1, 31, 128, 700])
@pytest.mark.parametrize("size", [1, 37, 1000])
def test_windows_cross_faded_give_the_columns_back(stride, n, size):
    columns = torch.rand(2, 513, n, generator=torch.Generator().manual_seed(1)) * 80 - 80
    context = ContextWindow(2, torch.full((513,), -80.0), stride)
    overlap = OverlapAdd(2, stride=stride)
    parts = [overlap.feed(windows) for windows in in_portions(context, columns, size)]
    result = torch.cat([*parts, overlap.feed(context.flush())], dim=-1)
    assert result.shape[-1] >= n
    torch.testing.assert_close(result[..., :n], columns, rtol=0, atol=1e-4)


def test_every_window_sees_the_columns_in_order_with_silence_around():
    columns = torch.arange(40.0).expand(1, 513, -1)
    context = ContextWindow(1, torch.full((513,), -7.0), stride=32)
    windows = torch.cat([context.feed(columns), context.flush()])
    assert windows.shape == (5, 1, 513, 128)
    assert windows[0, 0, 0, :96].eq(-7).all()
    assert windows[0, 0, 0, 96:].tolist() == list(range(32))
    assert windows[-1, 0, 0, 8:].eq(-7).all()


def test_later_columns_never_change_earlier_output():
    first, second = (torch.randn(1, 513, 300) for _ in range(2))
    second[..., :200] = first[..., :200]
    results = []
    for columns in (first, second):
        context, overlap = ContextWindow(1, torch.zeros(513)), OverlapAdd(1)
        results.append(overlap.feed(context.feed(columns)))
    sure = 200 - 128
    assert torch.equal(results[0][..., :sure], results[1][..., :sure])
