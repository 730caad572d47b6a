"""How far training is, and what follows from it: learning rates and the weight of the divergence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from audiobend.networks.spectrogram_vae import WINDOW
from audiobend.train.recipe import Recipe
from audiobend.train.tracks import Track

KL_RISES_OVER = 0.2
"""Share of the training in which the weight of the divergence rises."""


@dataclass
class Progress:
    """Where training stands.

    Attributes
    ----------
    step : int
        Steps so far, those left out included.
    seconds : float
        Spent on steps, not on evaluating and writing.
    windows : int
        Learnt from, over all processes.
    loss, kl, gradient : float
        Of the last step: loss, divergence in nats, length of the gradient before it was clipped.
    """

    step: int = 0
    seconds: float = 0.0
    windows: int = 0
    loss: float = math.nan
    kl: float = math.nan
    gradient: float = math.nan


@dataclass(frozen=True)
class Schedule:
    """A recipe's length over these training tracks.

    Attributes
    ----------
    n_steps : int or None
        Steps of the whole training; None where the clock decides.
    """

    recipe: Recipe
    n_steps: int | None

    @classmethod
    def over(cls, recipe: Recipe, tracks: Sequence[Track]) -> "Schedule":
        """Count the steps of a recipe's epochs: one is as many windows as the tracks hold side by side."""
        steps = recipe.steps
        if recipe.epochs is not None:
            n_windows = sum(len(track.columns) // WINDOW for track in tracks)
            steps = max(1, math.ceil(recipe.epochs * n_windows / recipe.batch_size))
        return cls(recipe, steps)

    def share_done(self, progress: Progress) -> float:
        """Return how far training is, 0..1."""
        if self.n_steps is not None:
            return min(1.0, progress.step / self.n_steps)
        assert self.recipe.minutes is not None
        return min(1.0, progress.seconds / (self.recipe.minutes * 60))

    def seconds_left(self, progress: Progress) -> float:
        """Return how long the rest takes at the speed so far (infinite before the first step)."""
        done = self.share_done(progress)
        return progress.seconds * (1 - done) / done if done else math.inf

    def learning_rate(self, progress: Progress) -> float:
        """Return the share of the highest learning rate: a rise from nothing, then half a cosine."""
        final = self.recipe.final_lr
        cosine = final + (1 - final) * 0.5 * (1 + math.cos(math.pi * self.share_done(progress)))
        return min(1.0, (progress.step + 1) / max(1, self.recipe.warm_up_steps)) * cosine

    def kl(self, progress: Progress) -> float:
        """Return the weight of the divergence: it rises, so that there is a code before it is made small."""
        return self.recipe.kl * min(1.0, self.share_done(progress) / KL_RISES_OVER)
