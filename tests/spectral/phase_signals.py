"""Short synthetic sounds with silence around them, and how to measure a reconstruction."""

import math

import torch
from torch import Tensor

from audiobend.spectral.stft import stft

SAMPLE_RATE = 44100
SILENCE = 4500    # samples; longer than 0.1 s


def decibels(error: Tensor, reference: Tensor) -> float:
    """Return the level of `error` against `reference` in dB."""
    return 20 * math.log10(max(float(error.norm() / reference.norm()), 1e-12))


def convergence(waveform: Tensor, magnitude: Tensor) -> float:
    """Return the spectral convergence in dB; lower is nearer."""
    return decibels(stft(waveform).abs() - magnitude, magnitude)


def chord(seconds: float = 1.0) -> Tensor:
    """Return three voices of eight harmonics with vibrato, `(time,)`."""
    time = torch.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sound = torch.zeros_like(time)
    for number, pitch in enumerate((220.0, 277.2, 329.6)):
        vibrato = 3 * torch.sin(2 * math.pi * (5 + number) * time)
        for harmonic in range(1, 9):
            sound += torch.sin(harmonic * (2 * math.pi * pitch * time + vibrato / 5)) / harmonic
    return _framed(0.1 * sound)


def drums(seconds: float = 1.0) -> Tensor:
    """Return kicks and noise bursts, `(time,)`."""
    generator = torch.Generator().manual_seed(1)
    sound = torch.zeros(int(seconds * SAMPLE_RATE))
    for number, at in enumerate(range(0, len(sound) - 8000, 9000)):
        time = torch.arange(8000) / SAMPLE_RATE
        kick = torch.sin(2 * math.pi * (50 * time + 4 * (1 - torch.exp(-30 * time)))) * torch.exp(-20 * time)
        burst = torch.randn(8000, generator=generator) * torch.exp(-40 * time)
        sound[at : at + 8000] += 0.6 * kick if number % 2 == 0 else 0.2 * burst
    return _framed(sound)


def chirp(seconds: float = 1.0) -> Tensor:
    """Return a rising and a falling sine, `(time,)`."""
    time = torch.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    rising = torch.sin(2 * math.pi * (200 * time + 2000 / seconds * time**2))
    return _framed(0.3 * rising + 0.2 * torch.sin(2 * math.pi * (6000 * time - 1500 / seconds * time**2)))


def stereo(seconds: float = 1.0) -> Tensor:
    """Return a chord, drums and a chirp at three places, `(2, time)`; their correlation is about a half."""
    voices = torch.stack([chord(seconds), drums(seconds), chirp(seconds)])
    delayed = torch.roll(voices, 7, dims=-1)    # 0.16 ms: a phase difference, too
    left, right = torch.tensor([0.9, 0.6, 0.2]), torch.tensor([0.4, 0.6, 0.8])
    return torch.stack([left @ voices, right @ delayed])


SOUNDS = {"chord": chord, "drums": drums, "chirp": chirp}


def _framed(sound: Tensor) -> Tensor:
    fade = torch.linspace(0, 1, 200)
    sound[:200] *= fade
    sound[-200:] *= fade.flip(0)
    return torch.nn.functional.pad(sound, (SILENCE, SILENCE))
