"""Phases found frame by frame: near, causal, settled once, and finite whatever comes."""

import numpy as np
import pytest
import torch

from audiobend.spectral.stft import istft, stft
from audiobend.spectral.stream_phase import StreamPhase
from tests.spectral.phase_signals import SOUNDS, convergence

LOOK_AHEADS = (1, 3, 7)


def found(magnitude, look_ahead, **options):
    """Return the waveform of magnitudes ``(513, time)`` with phases found frame by frame."""
    phases = StreamPhase(look_ahead, **options)
    frames = np.pad(magnitude.mT.numpy(), ((0, look_ahead), (0, 0)))
    directions = [phases.push(frame).copy() for frame in frames][look_ahead:]
    return istft(magnitude * torch.from_numpy(np.stack(directions, axis=1)))


def test_more_look_ahead_comes_nearer(music):
    sounds = [*(make() for make in SOUNDS.values()), music.mean(0)]
    nearness = [np.mean([convergence(found(stft(x).abs(), n), stft(x).abs()) for x in sounds]) for n in LOOK_AHEADS]
    assert nearness[0] < -19.5
    assert nearness[1] < -21
    assert nearness[2] < -23
    assert nearness[0] > nearness[1] > nearness[2]


@pytest.mark.parametrize("look_ahead", LOOK_AHEADS)
def test_frames_are_not_touched_by_what_comes_more_than_the_look_ahead_later(music, look_ahead):
    magnitude = stft(music[0, :60_000]).abs()
    cut = 150
    other = magnitude.clone()
    other[:, cut:] = torch.rand(513, other.shape[1] - cut) * 50
    one, two = StreamPhase(look_ahead), StreamPhase(look_ahead)
    same = [
        np.array_equal(one.push(a).copy(), two.push(b).copy())
        for a, b in zip(magnitude.mT.numpy(), other.mT.numpy(), strict=True)
    ]
    assert all(same[:cut])
    assert not any(same[cut + look_ahead + 1 : cut + look_ahead + 10])


@pytest.mark.parametrize("look_ahead", LOOK_AHEADS)
def test_directions_have_length_one_and_the_ends_of_the_spectrum_are_real_enough(music, look_ahead):
    phases = StreamPhase(look_ahead)
    for frame in stft(music[0, :20_000]).abs().mT.numpy():
        np.testing.assert_allclose(np.abs(phases.push(frame)), 1, rtol=1e-4)


@pytest.mark.parametrize("bad", [0.0, float("nan"), float("inf"), -1.0, 1e-30, 1e30])
def test_any_magnitude_gives_finite_directions_and_is_forgotten(music, bad):
    phases = StreamPhase(3)
    frames = stft(music[0, :40_000]).abs().mT.numpy().copy()
    frames[20:25, 7:300] = bad
    found = np.stack([phases.push(frame).copy() for frame in frames])
    assert np.isfinite(found).all()


def test_silence_stays_silence():
    magnitude = torch.zeros(513, 20)
    assert not found(magnitude, 3).any()


def test_sound_begins_out_of_silence(music):
    """A frame that starts at 0 must not stay there for ever."""
    magnitude = stft(torch.nn.functional.pad(music[0, :60_000], (20_000, 0))).abs()
    assert convergence(found(magnitude, 3), magnitude) < -15


def test_reset_begins_again(music):
    frames = stft(music[0, :20_000]).abs().mT.numpy()
    phases = StreamPhase(3)
    first = [phases.push(frame).copy() for frame in frames]
    phases.reset()
    again = [phases.push(frame).copy() for frame in frames]
    assert np.array_equal(first, again)


def test_nothing_is_allocated_once_it_runs(music):
    import tracemalloc

    frames = stft(music[0, :40_000]).abs().mT.numpy()
    phases = StreamPhase(3)
    for frame in frames[:20]:
        phases.push(frame)
    tracemalloc.start()
    for frame in frames[20:]:
        phases.push(frame)
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert now < 4096
    assert peak < 16_384
