"""Figures of fidelity: what they are at known differences, and against an independent calculation."""

import math

import librosa
import numpy as np
import pytest
import torch

from audiobend.train.metrics import FIGURES, RESOLUTIONS, fidelity, mean_of, multi_resolution_distance


def spectrum(seed: int = 0, n_columns: int = 300) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.linspace(-10, -55, 513) + 4 * torch.randn(n_columns, 513, generator=generator)).clamp(-80, 0)


def noise(seed: int = 0) -> torch.Tensor:
    return torch.randn(2, 32512, generator=torch.Generator().manual_seed(seed))


def test_every_figure_is_perfect_where_nothing_differs():
    figures = fidelity(spectrum(), spectrum()) | {"mr_stft": multi_resolution_distance(noise(), noise())}
    assert figures.keys() == FIGURES.keys()
    for name, value in figures.items():
        assert value == pytest.approx(FIGURES[name].best, abs=1e-9), name


def test_three_decibels_more_are_three_decibels_in_every_distance():
    figures = fidelity(spectrum(), spectrum() + 3)
    for name in ("lsd_all", "lsd_loud", "mel", "bias"):
        assert figures[name] == pytest.approx(3, abs=1e-4), name
    assert figures["sc"] == pytest.approx(10 ** (3 / 20) - 1, abs=1e-4)
    assert figures["onset"] == pytest.approx(1)


def test_silence_has_the_distance_of_the_levels_and_a_convergence_of_one():
    target = torch.full((200, 513), -30.0)
    figures = fidelity(target, torch.full_like(target, -80.0))
    for name in ("lsd_all", "lsd_loud", "mel"):
        assert figures[name] == pytest.approx(50, abs=1e-6), name    # mel bands have the floor of the bins
    assert figures["sc"] == pytest.approx(1)
    assert figures["bias"] == pytest.approx(-50)


def test_what_lies_under_the_floor_is_all_the_same():
    target = torch.full((200, 513), -90.0)
    target[:, :100] = -20.0
    output = target.clone()
    output[:, 100:] = -200.0
    assert fidelity(target, output)["lsd_all"] == 0
    assert fidelity(target, output)["mel"] == pytest.approx(0)


def test_what_is_no_number_counts_as_silence():
    broken = torch.full((200, 513), math.nan)
    assert fidelity(spectrum(n_columns=200), broken) == fidelity(spectrum(n_columns=200), torch.full_like(broken, -80))


def test_no_onset_is_counted_between_windows():
    steady = torch.full((8, 128, 513), -60.0) + 10 * torch.arange(8)[:, None, None] % 30
    assert fidelity(steady, steady)["onset"] == 0
    assert fidelity(steady.flatten(0, 1), steady.flatten(0, 1))["onset"] == pytest.approx(1)


def test_onsets_know_the_moment():
    target = torch.full((300, 513), -70.0)
    for start in (40, 111, 205):
        target[start : start + 20] = -20.0
    assert fidelity(target, target.roll(9, 0))["onset"] < 0.1
    assert fidelity(target, (target - 6).clamp(-80, 0))["onset"] == pytest.approx(1)


def test_twice_as_loud_is_one_and_the_logarithm_of_two_apart():
    assert multi_resolution_distance(noise(), 2 * noise()) == pytest.approx(1 + math.log(2), rel=1e-3)


def test_multi_resolution_distance_agrees_with_librosa():
    target, output = noise(0), noise(0) + 0.5 * noise(1)
    distances = []
    for n_fft in RESOLUTIONS:
        true, made = (
            np.abs(librosa.stft(x.double().numpy(), n_fft=n_fft, hop_length=n_fft // 4, center=False))
            for x in (target, output)
        )
        floor = true.max() * 1e-4
        logarithms = np.abs(np.log(np.maximum(true, floor)) - np.log(np.maximum(made, floor))).mean()
        distances.append(np.linalg.norm(true - made) / np.linalg.norm(true) + logarithms)
    assert multi_resolution_distance(target, output) == pytest.approx(np.mean(distances), rel=1e-6)


def test_means_are_over_clips():
    assert mean_of([{"sc": 1.0}, {"sc": 0.5}]) == {"sc": 0.75}
