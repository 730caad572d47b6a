"""The pieces of the sliding window, each against the same thing done to the whole sound."""

import pytest
import torch

from audiobend.spectral.sliding import CrossFade, SlidingAnalysis, SlidingSynthesis
from audiobend.spectral.stft import istft, stft
from audiobend.spectral.stream_phase import StreamPhase


@pytest.fixture(scope="module")
def waveform(music):
    return music[:, : 256 * 160]


def strides(values, stride):
    return [part for part in values.split(stride, dim=1) if part.shape[1] == stride]


@pytest.mark.parametrize(("stride", "look_ahead"), [(4, 4), (8, 3), (16, 16)])
def test_columns_are_those_of_the_whole_sound(waveform, stride, look_ahead):
    analysis = SlidingAnalysis(2, stride, look_ahead)
    columns = [analysis.feed(part) for part in strides(waveform, 256 * stride)]
    whole = stft(torch.nn.functional.pad(waveform, (1024, 0))).mT    # four columns of silence before
    spectrum = torch.cat([one.spectrum for one in columns], dim=1)[:, look_ahead + 1 :]
    # The frame of column 1 ends with sample 768, and the first stride brings columns -1 to stride - 2.
    n = spectrum.shape[1]
    torch.testing.assert_close(spectrum, whole[:, 4 : 4 + n], rtol=1e-4, atol=1e-5)
    last = columns[-1]
    kept = last.window_db[:, 128 - look_ahead - stride : 128 - look_ahead]
    assert torch.equal(last.kept_db, kept)
    torch.testing.assert_close(10 ** (last.kept_db / 20), last.spectrum.abs().clamp(min=1e-10), rtol=1e-4, atol=1e-6)


def test_windows_are_cross_faded_in_a_straight_line():
    fade = CrossFade(stride=4, look_ahead=4)
    steps = []
    for value in (0.0, 8.0, 8.0):
        window = torch.full((1, 128, 513), value)
        window[:, 127] = 1e9    # the last column of a window is never heard
        window[:, :120] = -1e9    # nor what was kept before
        steps += fade.feed(window[:, fade.span])[0, :, 0].tolist()
    assert steps == [0, 0, 0, 0, 2, 4, 6, 8, 8, 8, 8, 8]


@pytest.mark.parametrize("stride", [1, 8])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_true_magnitudes_give_the_sound_back(waveform, stride, n_channels):
    spectrum = stft(waveform[:n_channels]).mT
    synthesis = SlidingSynthesis(n_channels, None)
    parts = [synthesis.feed(part.abs(), part) for part in strides(spectrum, stride)]
    out = torch.cat(parts, dim=1)[:, 512:]
    expected = waveform[:n_channels, : out.shape[1]]
    # The first samples miss the frames before the first column, which a performance has.
    assert float((out - expected)[:, 1024:].norm() / expected.norm()) < 1e-5


@pytest.mark.parametrize(("stride", "look_ahead"), [(4, 1), (8, 3), (16, 7)])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_found_phases_are_those_of_the_whole_sound(waveform, stride, look_ahead, n_channels):
    spectrum = stft(waveform[:n_channels]).mT
    magnitude = spectrum.abs() * torch.linspace(0.5, 2, 513)    # bent, so that the input's phase does not fit
    synthesis = SlidingSynthesis(n_channels, look_ahead)
    fed = list(zip(strides(magnitude, stride), strides(spectrum, stride), strict=True))
    out = torch.cat([synthesis.feed(*part) for part in fed], dim=1)
    phases, directions = StreamPhase(look_ahead), []
    turned = magnitude * torch.sgn(spectrum)
    mid = turned.mean(0)
    for part in mid.split(stride):    # in the same portions: sweeps amplify the rounding of absolute values
        directions += [torch.from_numpy(phases.push(frame).copy()) for frame in part.abs().numpy()]
    direction = torch.stack(directions[look_ahead:])
    apart = magnitude if n_channels == 1 else turned * torch.sgn(mid).conj()
    expected = istft((apart[:, : len(direction)] * direction).mT)
    out = out[:, 256 * look_ahead + 512 :]
    n = 256 * 40    # in the end they drift apart: sweeps amplify rounding
    assert float((out[:, 1024:n] - expected[:, 1024:n]).norm() / expected[:, :n].norm()) < 1e-3


def test_stereo_keeps_its_image_and_its_mono_sum_where_phases_are_found(waveform):
    spectrum = stft(waveform).mT
    synthesis = SlidingSynthesis(2, 3)
    parts = [synthesis.feed(part.abs(), part) for part in strides(spectrum, 8)]
    out = torch.cat(parts, dim=1)[:, 256 * 3 + 512 :]
    given = waveform[:, : out.shape[1]]
    correlation = torch.corrcoef(out[:, 4096:])[0, 1] - torch.corrcoef(given[:, 4096:])[0, 1]
    assert abs(float(correlation)) < 0.1
    level = out.mean(0)[4096:].norm() / given.mean(0)[4096:].norm()
    assert abs(float(20 * level.log10())) < 0.5
