"""The shipped model is worth bending: it reproduces real sound, and every layer does something of its own."""

from pathlib import Path

import pytest
import torch

import audiobend as ab
from audiobend.bending import Random
from audiobend.spectral import stft
from audiobend.train.metrics import fidelity

SOUNDS = sorted((Path(__file__).parents[2] / "examples" / "sounds").glob("*.flac"))
FAST = ab.Settings(quality="fast")


@pytest.fixture(scope="module")
def model():
    return ab.load_model()


def sound(path: Path, seconds: float = 4.0) -> torch.Tensor:
    waveform, rate = ab.read_audio(path)
    return waveform.mean(0)[: int(seconds * rate)]


def decibels(waveform: torch.Tensor, reference: float) -> torch.Tensor:
    """Columns ``(time, 513)`` of dB."""
    return 20 * (stft(waveform).abs().T / reference).clamp(min=1e-4).log10()


@pytest.mark.parametrize("path", SOUNDS, ids=lambda path: path.stem)
def test_unbent_sound_is_nearer_than_the_mean_spectrum_and_silence(model, path):
    waveform = sound(path)
    reference = float(stft(waveform).abs().max())
    target = decibels(waveform, reference)
    output = decibels(ab.render(waveform, 44100, model=model, settings=FAST), reference)
    ours = fidelity(target, output)
    for other in (model.codec.mean_db.expand_as(target), torch.full_like(target, -80.0)):
        baseline = fidelity(target, other)
        assert ours["lsd_all"] < baseline["lsd_all"]
        assert ours["sc"] < baseline["sc"]
    assert ours["onset"] > 0.5


@pytest.mark.parametrize("path", SOUNDS, ids=lambda path: path.stem)
def test_unbent_sound_is_as_loud_as_the_input(model, path):
    waveform = sound(path)
    output = ab.render(waveform, 44100, model=model, settings=FAST)
    change_db = 10 * torch.log10(output.square().mean() / waveform.square().mean())
    assert abs(float(change_db)) < 2.5


def test_ablating_a_quarter_of_each_layer_changes_the_sound_each_in_its_own_way(model):
    waveform = sound(SOUNDS[0])
    bent = [
        decibels(ab.render(waveform, 44100, model=model, patch=patch, settings=FAST), 30.0)
        for patch in [ab.Patch()] + [ab.Patch(seed=1).add(n, "ablate", features=Random(0.25)) for n in (1, 2, 3, 4)]
    ]
    for i, one in enumerate(bent):
        for other in bent[:i]:
            assert float((one - other).square().mean().sqrt()) > 1.5


def test_latent_axes_are_audible_in_order(model):
    waveform = sound(SOUNDS[0], 2.0)
    plain = decibels(ab.render(waveform, 44100, model=model, settings=FAST), 30.0)

    def change(axis: int) -> float:
        patch = ab.Patch(latent=(ab.bending.LatentBend("offset", {"axis": axis, "amount": 2.0}),))
        bent = decibels(ab.render(waveform, 44100, model=model, patch=patch, settings=FAST), 30.0)
        return float((bent - plain).square().mean().sqrt())

    first, last = [change(axis) for axis in (0, 1, 2)], [change(axis) for axis in (29, 30, 31)]
    assert sum(first) > 1.5 * sum(last)
    assert min(first) > 1.0
