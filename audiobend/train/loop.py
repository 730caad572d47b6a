"""The training loop: windows in, a spectrogram VAE out.

Recipe (measured against alternatives): mean spectrum taken off and a linear output, mean-square loss in dB with a
small share of relative linear error, Muon with norm control on the big matrices and AdamW elsewhere, a moving average
of the weights whose batch-norm statistics are measured anew before every use.
"""

import copy
import math
import pickle
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from audiobend.errors import TrainingError
from audiobend.networks.spectrogram_vae import SpectrogramVAE, channels_last
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.dataset import WindowSampler
from audiobend.train.muon import NormedMuon

BAD_STEPS_IN_A_ROW = 5


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a model is trained; kept on its card."""

    width: float = 0.25
    n_latent: int = 512
    activation: str = "leaky_relu"
    batch_size: int = 32
    minutes: float = 90.0
    lr_muon: float = 4e-3
    lr_adam: float = 1e-3
    warm_up_steps: int = 50
    final_lr: float = 0.02
    kl: float = 0.05
    linear: float = 0.05
    average: float = 0.995
    seed: int = 0
    start_from: str = ""    # a model whose weights training begins with


@dataclass
class Progress:
    """Where training stands."""

    step: int = 0
    seconds: float = 0.0
    loss: float = math.nan
    kl: float = math.nan
    windows: int = 0


class Trainer:
    """Train one model; `run` until the recipe's minutes are over, `save` at any time.

    Parameters
    ----------
    recipe : Recipe
    codec : SpectrogramCodec
        Holds the corpus's mean spectrum.
    sampler : WindowSampler
    first : SpectrogramVAE, optional
        Weights to begin with, instead of random ones.
    """

    def __init__(
        self, recipe: Recipe, codec: SpectrogramCodec, sampler: WindowSampler, first: SpectrogramVAE | None = None
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.codec, self.sampler = recipe, codec, sampler
        self.network = channels_last(first or SpectrogramVAE(recipe.width, recipe.n_latent, recipe.activation))
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        dense = [self.network.get_parameter(name) for name in ("mean.weight", "expand.weight")]
        big = [*_kernels(self.network), *dense]
        chosen = {id(parameter) for parameter in big}
        rest = [parameter for parameter in self.network.parameters() if id(parameter) not in chosen]
        self.optimisers = [
            NormedMuon(big, lr=recipe.lr_muon),
            torch.optim.AdamW(rest, lr=recipe.lr_adam, betas=(0.9, 0.99), weight_decay=0.0),
        ]
        self.progress = Progress()
        self._bad_steps = 0
        self.stop = False
        """Set it to end `run` after the step that is being done."""

    def run(self, every_seconds: float, report: Callable[[Progress], None]) -> None:
        """Train until the time is over, calling ``report`` now and then (evaluate and save there)."""
        before, reported = time.monotonic(), self.progress.seconds
        while self.progress.seconds < self.recipe.minutes * 60 and not self.stop:
            self.step(self.sampler.batch())
            now = time.monotonic()
            self.progress.seconds += now - before
            before = now
            if self.progress.seconds - reported >= every_seconds:
                reported = self.progress.seconds
                report(self.progress)
                before = time.monotonic()    # evaluation is not training time

    def step(self, window_db: Tensor) -> None:
        """Learn from one batch ``(batch, 1, 128, 513)`` of dB."""
        self.network.train()
        loss, kl = self._loss(window_db)
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.progress.step += 1
        if not self._gradients_are_finite():
            return
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._set_learning_rates()
        for optimiser in self.optimisers:
            optimiser.step()
        self._update_average()
        self.progress.windows += len(window_db)
        self.progress.loss, self.progress.kl = float(loss.detach()), float(kl)

    def _loss(self, window_db: Tensor) -> tuple[Tensor, Tensor]:
        x = (window_db - self.codec.mean_db) / self.codec.scale_db
        mean, log_variance = self.network.encode(x)
        log_variance = log_variance.clamp(-12, 8)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        y = self.network.decode(z)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        annealed = self.recipe.kl * min(1.0, self._share_done() / 0.2)
        loss = (y - x).square().mean() + annealed * kl / x[0].numel()
        return loss + self.recipe.linear * self._linear_error(x, y), kl.detach()

    def _linear_error(self, x: Tensor, y: Tensor) -> Tensor:
        true, guess = (
            (((v * self.codec.scale_db + self.codec.mean_db).clamp(max=12.0)) * (math.log(10) / 20)).exp()
            for v in (x, y)
        )
        error = (true - guess).square().sum((1, 2, 3)) / true.square().sum((1, 2, 3)).clamp(min=1e-6)
        return error.clamp(max=4.0).mean()

    def _share_done(self) -> float:
        return min(1.0, self.progress.seconds / (self.recipe.minutes * 60))

    def _set_learning_rates(self) -> None:
        final, done = self.recipe.final_lr, self._share_done()
        cosine = final + (1 - final) * 0.5 * (1 + math.cos(math.pi * done))
        factor = min(1.0, self.progress.step / self.recipe.warm_up_steps) * cosine
        for optimiser, peak in zip(self.optimisers, (self.recipe.lr_muon, self.recipe.lr_adam), strict=True):
            for group in optimiser.param_groups:
                group["lr"] = peak * factor

    def _gradients_are_finite(self) -> bool:
        """Look before clipping: clipping would spread one NaN over every parameter."""
        bad = [
            name
            for name, parameter in self.network.named_parameters()
            if parameter.grad is not None and not bool(parameter.grad.isfinite().all())
        ]
        self._bad_steps = self._bad_steps + 1 if bad else 0
        if self._bad_steps >= BAD_STEPS_IN_A_ROW:
            raise TrainingError(
                f"{BAD_STEPS_IN_A_ROW} steps in a row gave gradients that are not numbers (first in {bad[0]}); "
                "run the same command again with --resume to go on from the last checkpoint"
            )
        return not bad

    @torch.no_grad()
    def _update_average(self) -> None:
        # A short memory at first, so that the random beginning is soon forgotten.
        keep = min(self.recipe.average, self.progress.step / (self.progress.step + 10))
        for slow, fast in zip(self.average.parameters(), self.network.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)

    @torch.no_grad()
    def averaged_network(self, n_batches: int = 16) -> SpectrogramVAE:
        """Return the averaged weights with batch-norm statistics measured for them (the raw model's do not fit)."""
        network = copy.deepcopy(self.average).train()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None    # plain mean over the batches
        sampler = copy.deepcopy(self.sampler)
        for _ in range(n_batches):
            network((sampler.batch() - self.codec.mean_db) / self.codec.scale_db)
        return network.eval()

    def checkpoint(self) -> dict[str, Any]:
        """Return everything needed to go on later."""
        return {
            "recipe": asdict(self.recipe),
            "tracks": [track.name for track in self.sampler.tracks],
            "mean_db": self.codec.mean_db,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "progress": asdict(self.progress),
            "sampler": self.sampler.random.bit_generator.state,
            "torch_random": torch.get_rng_state(),
        }

    def restore(self, checkpoint: dict[str, Any]) -> None:
        """Go on where `checkpoint` was made."""
        for name, value in asdict(self.recipe).items():
            if name != "minutes" and checkpoint["recipe"].get(name) != value:
                raise TrainingError(
                    f"the checkpoint has {name} {checkpoint['recipe'].get(name)}, not {value}; "
                    "resume with the same options, or choose another --out"
                )
        if checkpoint["tracks"] != [track.name for track in self.sampler.tracks]:
            raise TrainingError(
                "the training tracks are not those of the checkpoint; "
                "resume with the same sounds and the same --validation, or choose another --out"
            )
        self.codec = SpectrogramCodec(checkpoint["mean_db"], self.codec.scale_db)
        self.network.load_state_dict(checkpoint["network"])
        self.average.load_state_dict(checkpoint["average"])
        for optimiser, state in zip(self.optimisers, checkpoint["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.progress = Progress(**checkpoint["progress"])
        self.sampler.random.bit_generator.state = checkpoint["sampler"]
        torch.set_rng_state(checkpoint["torch_random"])


def _kernels(network: SpectrogramVAE) -> list[nn.Parameter]:
    """All convolution kernels but the first and the last (one feature on one side: nothing to orthogonalise)."""
    blocks = [*network.encoder[1:], *network.decoder[:-1]]
    return [block.get_parameter("0.weight") for block in blocks]


def save_checkpoint(trainer: Trainer, path: Path) -> None:
    """Write atomically: a kill in the middle leaves the old checkpoint."""
    temporary = path.with_suffix(".tmp")
    try:
        torch.save(trainer.checkpoint(), temporary)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise TrainingError(f"{path}: the checkpoint cannot be written; is the disk full?") from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; nothing inside it is run."""
    try:
        checkpoint = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path}: the checkpoint is damaged; leave out --resume and begin anew") from error
    if not isinstance(checkpoint, dict) or "recipe" not in checkpoint:
        raise TrainingError(f"{path}: this is no checkpoint of audiobend; leave out --resume and begin anew")
    return checkpoint
