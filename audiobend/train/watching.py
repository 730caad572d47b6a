"""What one sees of a training: a line and figures now and then, curves, pictures and sounds to listen to."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile as sf
import torch

from audiobend.bending import Patch
from audiobend.errors import AudiobendError
from audiobend.io.files import reason
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import SpectrogramVAE, for_inference
from audiobend.rendering import render_file
from audiobend.train.evaluation import Rows, evaluate
from audiobend.train.log import Log
from audiobend.train.loop import Trainer
from audiobend.train.losses import divergence
from audiobend.train.pictures import draw_spectrograms, passage_rows
from audiobend.train.schedule import KL_RISES_OVER, Progress
from audiobend.train.sounds import Sound
from audiobend.train.tracks import Track

EVERY_STEPS = 10
ACTIVE_NATS = 0.02
"""A latent that carries less than this says nothing about the sound."""
FEWEST_ACTIVE = 16
EXAMPLE_SECONDS = 6.0


@dataclass(frozen=True)
class Evaluation:
    """A training measured at one moment."""

    figures: Rows
    active: int


class Watch:
    """Measure a training now and then and tell about it.

    Parameters
    ----------
    trainer : Trainer
    out : Path
        ``curve.jsonl`` and ``log/`` are written there.
    measured : sequence of Track
        What fidelity is measured on.
    example : Sound or None
        Drawn, and sent through the network like any sound that is rendered.
    report : callable
        Takes a line.
    """

    def __init__(
        self,
        trainer: Trainer,
        out: Path,
        measured: Sequence[Track],
        example: Sound | None,
        report: Callable[[str], None],
    ) -> None:
        self.trainer, self.out, self.measured, self.example, self.report = trainer, out, measured, example, report
        self.log = Log(out / "log", trainer.progress.step, report)
        self._trouble_told = ""

    def step(self, progress: Progress) -> None:
        """Take note of a step; say so if it was left out."""
        if self.trainer.trouble and self.trainer.trouble != self._trouble_told:
            self.report(self.trainer.trouble)
        self._trouble_told = self.trainer.trouble
        if progress.step % EVERY_STEPS or self.trainer.trouble:
            return
        rates = {type(one).__name__: one.param_groups[0]["lr"] for one in self.trainer.optimisers}
        self.log.scalars(
            {
                "training/loss": progress.loss,
                "training/kl_nats": progress.kl,
                "training/gradient_length": progress.gradient,
                "training/windows_per_second": progress.windows / max(progress.seconds, 1e-9),
                **{f"learning_rate/{name}": rate for name, rate in rates.items()},
            },
            progress.step,
        )

    def evaluate(
        self, progress: Progress, network: SpectrogramVAE | None = None, active: int | None = None
    ) -> Evaluation:
        """Measure the averaged weights (or a network made of them), tell, and write the curve, pictures and sounds."""
        network = network or self.trainer.averaged_network()
        figures = evaluate(network, self.trainer.codec, self.measured)
        result = Evaluation(figures, self.active_latents(network) if active is None else active)
        self._tell(progress, result)
        self._write_curve(progress, result)
        values = {f"{key}/{name}": value for name, row in figures.items() for key, value in row.items()}
        self.log.scalars({f"fidelity_{name}": value for name, value in values.items()}, progress.step)
        self.log.scalars({"latent/active": result.active}, progress.step)
        if self.example is not None:
            self._show_example(network, self.example, progress.step)
        self.log.flush()
        return result

    @torch.no_grad()
    def active_latents(self, network: SpectrogramVAE) -> int:
        """Count the latents that carry anything over one training batch."""
        codec = self.trainer.codec
        mean, log_variance = network.encode((self.trainer.sampler.copy().batch() - codec.mean_db) / codec.scale_db)
        return int((divergence(mean, log_variance) > ACTIVE_NATS).sum())

    def _tell(self, progress: Progress, result: Evaluation) -> None:
        model, mean, n = result.figures["model"], result.figures["mean spectrum"], self.trainer.recipe.n_latent
        self.report(
            f"{progress.seconds / 60:.1f} min, step {progress.step}: loss {progress.loss:.3f}, "
            f"{progress.windows / max(progress.seconds, 1e-9):.1f} windows/s, {result.active} of {n} latents active; "
            f"log-spectral distance {model['lsd_all']:.2f} dB (mean spectrum {mean['lsd_all']:.2f}), "
            f"spectral convergence {model['sc']:.2f} ({mean['sc']:.2f}), onsets {model['onset']:.2f}"
        )
        if result.active < min(FEWEST_ACTIVE, n) and self.trainer.share_done >= KL_RISES_OVER:
            self.report(
                f"the code has collapsed: {result.active} of {n} latents carry anything, so the network puts out the "
                "same for every sound; begin anew with a smaller kl in the configuration"
            )

    def _write_curve(self, progress: Progress, result: Evaluation) -> None:
        learnt = {"loss": round(progress.loss, 4), "kl": round(progress.kl, 1)} if progress.windows else {}
        line = {"step": progress.step, "minutes": round(progress.seconds / 60, 1), "windows": progress.windows,
                **learnt, "active": result.active, **rounded(result.figures["model"])}
        try:
            with (self.out / "curve.jsonl").open("a", encoding="utf-8") as curve:
                curve.write(json.dumps(line) + "\n")
        except OSError as error:
            self.report(f"{self.out / 'curve.jsonl'}: cannot be written: {reason(error)}; training goes on")

    def _show_example(self, network: SpectrogramVAE, example: Sound, step: int) -> None:
        """Draw the example, and render it as `audiobend render` would: with the same code, and nothing bent."""
        folder = self.out / "log"
        model = model_of(network, self.trainer)
        try:
            folder.mkdir(exist_ok=True)
            picture = folder / "example.png"
            draw_spectrograms(picture, passage_rows(example.path, model), f"{example.name}, step {step}")
            self.log.picture("example", picture, step)
            source, target = folder / "example_input.wav", folder / "example_output.wav"
            first = not source.exists()
            if first:
                cut(example.path, source)
            render_file(source, target, model, model.resolve(Patch()))
            if first:
                self.log.sound("example/input", source, step)
            self.log.sound("example/output", target, step)
        except (AudiobendError, OSError, sf.SoundFileError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error)
            self.report(f"the example cannot be shown: {why}; training goes on")


def model_of(network: SpectrogramVAE, trainer: Trainer) -> Model:
    """Return a network in training as a model that can be rendered with."""
    axes = torch.eye(network.n_latent)[:1]
    return Model("in training", for_inference(network), trainer.codec, "0" * 16, axes)


def cut(source: Path, target: Path) -> None:
    """Write the middle seconds of a sound file, its first two channels."""
    with sf.SoundFile(source) as file:
        n_frames = int(EXAMPLE_SECONDS * file.samplerate)
        file.seek(max(0, (file.frames - n_frames) // 2))
        samples = file.read(n_frames, dtype="float32", always_2d=True)[:, :2]
        sf.write(target, samples, file.samplerate, subtype="FLOAT")


def rounded(figures: Mapping[str, float]) -> dict[str, Any]:
    """Return figures with three digits after the point."""
    return {name: round(value, 3) for name, value in figures.items()}
