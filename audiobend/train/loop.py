"""The training loop: windows in, a spectrogram VAE out.

Recipe (measured against alternatives): mean spectrum taken off and a linear output, mean-square loss in dB with a
small share of relative linear error, Muon with norm control on the big matrices and Adam elsewhere, a moving average
of the weights whose batch-norm statistics are measured anew before every use.
"""

import copy
import gc
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from audiobend.errors import TrainingError
from audiobend.networks.spectrogram_vae import SpectrogramVAE, channels_last
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.batchnorm import with_shared_statistics
from audiobend.train.distributed import Team, alone
from audiobend.train.losses import divergence, linear_error, squared_error
from audiobend.train.muon import optimisers_for
from audiobend.train.recipe import Recipe
from audiobend.train.schedule import Progress, Schedule
from audiobend.train.windows import WindowSampler

BAD_STEPS_IN_A_ROW = 5
LONGEST_GRADIENT = 1.0


class DivergedError(TrainingError):
    """Several steps in a row gave gradients that are not numbers; a new process often goes on where this one cannot."""


class _Pass(nn.Module):
    """One way through the network, as one module, so that Fabric can put its precision and processes around it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return output, mean and log variance of normalised windows; ``noise`` is ``(batch, latent)``."""
        mean, log_variance = self.network.encode(x)    # type: ignore[operator]
        log_variance = log_variance.clamp(-12, 8)
        output = self.network.decode(mean + noise * (0.5 * log_variance).exp())    # type: ignore[operator]
        return output, mean, log_variance


class Trainer:
    """Train one model; `run` until the recipe's length is over, take a `checkpoint` at any time.

    Parameters
    ----------
    recipe : Recipe
    codec : SpectrogramCodec
        Holds the corpus's mean spectrum.
    sampler : WindowSampler
        Of the same seed in every process: each builds its part of the same batches.
    first : SpectrogramVAE, optional
        Weights to begin with, instead of random ones.
    team : Team, optional
        The processes that train together; default is this one alone, on the processor.
    """

    def __init__(
        self,
        recipe: Recipe,
        codec: SpectrogramCodec,
        sampler: WindowSampler,
        first: SpectrogramVAE | None = None,
        team: Team | None = None,
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.codec, self.sampler, self.team = recipe, codec, sampler, team or alone()
        self.schedule = Schedule.over(recipe, sampler.tracks)
        network = first or SpectrogramVAE(recipe.width, recipe.n_latent, recipe.activation, recipe.output)
        self.average = copy.deepcopy(channels_last(network)).requires_grad_(False).to(self.team.device)
        self.network = with_shared_statistics(network, self.team.device)
        self._pass = self.team.joined(_Pass(self.network))
        self.optimisers = optimisers_for(self.network, recipe)
        self.noise = torch.Generator().manual_seed(recipe.seed)
        """Its own generator: what the first process draws while it evaluates must not come between."""
        self.progress = Progress()
        self.trouble = ""
        """Why the last step was left out; empty if it was not."""
        self.stop = False
        """Set it in the first process to end `run` after the step that is being done."""
        self._bad_steps = 0

    @property
    def share_done(self) -> float:
        """How far training is, 0..1."""
        return self.schedule.share_done(self.progress)

    def run(self, after_step: Callable[[Progress], None] = lambda _: None) -> None:
        """Train until the recipe's length is over; what ``after_step`` takes is not training time."""
        stops = 0.0
        while self.share_done < 1 and not stops:
            begun = time.monotonic()
            self.step(self.sampler.batch((self.team.rank, self.team.size)))
            self.progress.seconds += time.monotonic() - begun
            after_step(self.progress)
            # The first process's clock and Ctrl-C are everybody's, and nothing else may decide who makes a step.
            self.progress.seconds, stops = self.team.agree([self.progress.seconds, float(self.stop)])

    def step(self, windows_db: Tensor) -> None:
        """Learn from this process's part of a batch, ``(batch / processes, 1, 128, 513)`` of dB.

        Raises
        ------
        DivergedError
            At the fifth step in a row whose gradients are not numbers; until then such steps are left out.
        """
        self._pass.train()
        self._set_learning_rates()
        loss, kl = self._loss(windows_db.to(self.team.device))
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        self.team.fabric.backward(loss)
        self.progress.step += 1
        length = self._gradient_length()
        if length is None:
            return
        nn.utils.clip_grads_with_norm_(self.network.parameters(), LONGEST_GRADIENT, length)
        for optimiser in self.optimisers:
            optimiser.step()
        self._update_average()
        self.progress.windows += len(windows_db) * self.team.size
        told = self.team.mean(torch.stack([loss.detach(), kl, length]))
        self.progress.loss, self.progress.kl, self.progress.gradient = told.tolist()

    def _loss(self, windows_db: Tensor) -> tuple[Tensor, Tensor]:
        mean_db = self.codec.mean_db.to(windows_db.device)
        x = (windows_db - mean_db) / self.codec.scale_db
        y, mean, log_variance = self._pass(x, self._noise(len(x)).to(x.device))
        y, mean, log_variance = y.float(), mean.float(), log_variance.float()
        kl = divergence(mean, log_variance).sum()
        loss = squared_error(x, y) + self.schedule.kl(self.progress) * kl / x[0].numel()
        if self.recipe.linear:
            y_db = y * self.codec.scale_db + mean_db
            loss = loss + self.recipe.linear * linear_error(windows_db, y_db)
        return loss, kl.detach()

    def _noise(self, n_windows: int) -> Tensor:
        """Draw the noise of all processes and take this one's, so that their number changes nothing."""
        rank, size = self.team.rank, self.team.size
        noise = torch.randn(n_windows * size, self.recipe.n_latent, generator=self.noise)
        return noise[rank * n_windows : (rank + 1) * n_windows]

    def _set_learning_rates(self) -> None:
        factor = self.schedule.learning_rate(self.progress)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["highest_lr"] * factor

    def _gradient_length(self) -> Tensor | None:
        """Look before clipping, which would spread one NaN over every parameter; None means: leave this step out."""
        named = [(name, p.grad) for name, p in self.network.named_parameters() if p.grad is not None]
        lengths = torch.stack([gradient.norm() for _, gradient in named])
        length: Tensor = lengths.norm()
        if bool(length.isfinite()):
            self.trouble, self._bad_steps = "", 0
            return length
        bad = [name for (name, _), one in zip(named, lengths.isfinite().tolist(), strict=True) if not one]
        where = f"{bad[0]} and {len(bad) - 1} more" if len(bad) > 1 else (bad or ["all of them together"])[0]
        self.trouble = f"step {self.progress.step}: the gradients of {where} are not numbers; the step is left out"
        self._bad_steps += 1
        if self._bad_steps >= BAD_STEPS_IN_A_ROW:
            raise DivergedError(
                f"{BAD_STEPS_IN_A_ROW} steps in a row gave gradients that are not numbers (in {where}); "
                "run the same command again with --resume to go on from the last checkpoint"
            )
        return None

    @torch.no_grad()
    def _update_average(self) -> None:
        # A short memory at first, so that the random beginning is soon forgotten.
        keep = min(self.recipe.average, self.progress.step / (self.progress.step + 10))
        for slow, fast in zip(self.average.parameters(), self.network.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)

    @torch.no_grad()
    def averaged_network(self, n_batches: int = 16) -> SpectrogramVAE:
        """Return the averaged weights, on the processor, with batch-norm statistics measured for them.

        The raw network's statistics do not fit: with them the averaged one is dB worse.
        """
        network = copy.deepcopy(self.average).train()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None    # plain mean over the batches
        sampler, mean_db = self.sampler.copy(), self.codec.mean_db.to(self.team.device)
        for _ in range(n_batches):
            network((sampler.batch().to(self.team.device) - mean_db) / self.codec.scale_db)
        return network.cpu().eval()

    def checkpoint(self) -> dict[str, Any]:
        """Return everything needed to go on later; the same in every process."""
        return {
            "recipe": asdict(self.recipe),
            "tracks": [track.name for track in self.sampler.tracks],
            "mean_db": self.codec.mean_db,
            "scale_db": self.codec.scale_db,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "progress": asdict(self.progress),
            "sampler": self.sampler.state,
            "noise": self.noise.get_state(),
        }

    def restore(self, checkpoint: dict[str, Any]) -> None:
        """Go on where `checkpoint` was made, perhaps for longer than was planned then."""
        if difference := self.recipe.difference(checkpoint["recipe"]):
            name, now, then = difference
            raise TrainingError(
                f"the checkpoint has {name} {then}, not {now}; resume with the same options, or choose another --out"
            )
        if checkpoint["tracks"] != [track.name for track in self.sampler.tracks]:
            raise TrainingError(
                "the training tracks are not those of the checkpoint; "
                "resume with the same sounds and the same --validation, or choose another --out"
            )
        self.codec = SpectrogramCodec(checkpoint["mean_db"], checkpoint["scale_db"])
        self.network.load_state_dict(checkpoint["network"])
        self.average.load_state_dict(checkpoint["average"])
        for optimiser, state in zip(self.optimisers, checkpoint["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.progress = Progress(**checkpoint["progress"])
        self.sampler.state = checkpoint["sampler"]
        self.noise.set_state(checkpoint["noise"])

    def close(self) -> None:
        """Let go of what connects the processes; afterwards the team may be left, and no step be made."""
        del self._pass    # its end waits for threads that would wait for it if the connection ended first
        gc.collect()

    def go_another_way(self, attempt: int) -> None:
        """Draw other windows and noise from here on: whatever led into a dead end should not do so again."""
        seeds = (self.recipe.seed, self.progress.step, attempt)
        self.sampler.random = np.random.default_rng(seeds)
        self.noise.manual_seed(int(np.random.SeedSequence(seeds).generate_state(1)[0]))
