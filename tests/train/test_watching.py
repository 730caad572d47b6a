"""What one sees of a training."""

import json

import pytest
import soundfile as sf
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from audiobend.io.audiofile import read_audio
from audiobend.io.modelbundle import load_model
from audiobend.spectral.stft import stft
from audiobend.train.log import ADVICE, Log
from audiobend.train.recipe import Recipe
from audiobend.train.session import train
from audiobend.train.watching import Watch
from tests.train.small import tracks, trainer

TINY = Recipe().changed({"width": 0.015625, "steps": 20, "batch_size": 4})


@pytest.fixture(scope="module")
def watched(folder, tmp_path_factory):
    out, said, steps = tmp_path_factory.mktemp("watched") / "m", [], []
    train([folder], out, TINY, report=said.append, on_step=lambda progress, share: steps.append((progress.step, share)))
    log = EventAccumulator(str(out / "log"), {"scalars": 0, "images": 0, "audio": 0})
    log.Reload()
    return out, said, steps, log


@pytest.mark.slow
def test_the_log_holds_curves_pictures_and_sounds(watched):
    _, _, _, log = watched
    curves = set(log.Tags()["scalars"])
    for name in ("training/loss", "training/kl_nats", "training/gradient_length", "training/windows_per_second",
                 "learning_rate/NormedMuon", "learning_rate/Adam", "latent/active"):
        assert name in curves
    assert {f"fidelity_lsd_all/{row}" for row in ("model", "mean spectrum", "silence")} <= curves
    assert [event.step for event in log.Scalars("training/loss")] == [10, 20]
    assert [event.step for event in log.Scalars("fidelity_lsd_all/model")] == [5, 10, 15, 20]
    assert len(log.Images("example")) == 4
    assert len(log.Audio("example/output")) == 4


@pytest.mark.slow
def test_the_example_is_what_render_makes_of_it(watched):
    import audiobend as ab

    out, _, _, _ = watched
    source, rate = read_audio(out / "log" / "example_input.wav")
    heard, _ = sf.read(out / "log" / "example_output.wav", always_2d=True)
    rendered = ab.render(source, rate, model=load_model(out))
    assert heard.shape == tuple(source.T.shape)
    # The bundle's weights have 16 bits, and its latent is standardised: phases part ways, the spectrum is the same.
    spectra = [stft(sound).abs() for sound in (torch.from_numpy(heard.T).float(), rendered)]
    assert (spectra[0] - spectra[1]).norm() < 0.1 * spectra[1].norm()


@pytest.mark.slow
def test_after_every_step_one_hears_how_far_it_is(watched):
    _, _, steps, _ = watched
    assert [step for step, _ in steps] == list(range(1, 21))
    assert steps[4][1] == pytest.approx(0.25)


@pytest.mark.slow
def test_lines_name_the_figures_beside_the_baseline(watched):
    out, said, _, _ = watched
    (line,) = [line for line in said if "step 10:" in line]
    curve = [json.loads(text) for text in (out / "curve.jsonl").read_text().splitlines()]
    assert f"log-spectral distance {curve[1]['lsd_all']:.2f} dB (mean spectrum" in line
    assert "512 of 512 latents active" in line


def collapsed(share: float, tmp_path) -> list[str]:
    training, said = trainer(steps=100), []
    with torch.no_grad():
        for network in (training.network, training.average):
            network.mean.weight.zero_()
            network.log_variance.weight.zero_()
            network.log_variance.bias.zero_()    # mean 0, deviation 1, whatever the sound
    training.progress.step = round(100 * share)
    Watch(training, tmp_path, tracks(1), None, said.append).evaluate(training.progress)
    return [line for line in said if "collapsed" in line]


def test_a_code_that_carries_nothing_raises_the_alarm_once_the_divergence_has_its_weight(tmp_path):
    assert collapsed(0.1, tmp_path) == []
    (line,) = collapsed(0.5, tmp_path)
    assert line.startswith("the code has collapsed: 0 of 512 latents carry anything")


def test_without_tensorboard_there_is_one_line_of_advice(tmp_path, monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("torch.utils.tensorboard"):
            raise ImportError
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    said: list[str] = []
    log = Log(tmp_path, 0, said.append)
    log.scalars({"a": 1.0}, 0)
    log.close()
    assert said == [ADVICE]
    assert not list(tmp_path.iterdir())


def test_on_a_nearly_full_disk_the_log_ends_and_says_so_once(tmp_path, monkeypatch):
    monkeypatch.setattr("audiobend.train.log.LEAST_FREE", 2**62)
    said: list[str] = []
    log = Log(tmp_path, 0, said.append)
    for step in range(3):
        log.scalars({"a": 1.0}, step)
    log.close()
    assert said == ["the log cannot be written any more (the disk is full); training goes on without it"]
