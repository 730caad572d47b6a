"""How long training would take on this machine: a few real steps, timed."""

import time

import numpy as np
import torch

from audiobend.networks.spectrogram_vae import N_BINS
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.devices import choose_precision
from audiobend.train.distributed import make_team
from audiobend.train.loop import Trainer
from audiobend.train.recipe import Recipe
from audiobend.train.tracks import Track
from audiobend.train.windows import WindowSampler

MOST_STEPS = 20


def windows_per_second(recipe: Recipe, seconds: float = 5.0) -> float:
    """Return how many windows one device of this machine learns from in a second.

    Whole training steps on noise, batches included, after one that does not count. Something else that runs at the
    same time makes the figure smaller; it is what one gets then.

    Parameters
    ----------
    recipe : Recipe
    seconds : float > 0
        How long to measure at least, in whole steps; not more than 20 of them.
    """
    device = "cuda:0" if torch.cuda.is_available() else "cpu"
    team = make_team(device, precision=choose_precision("auto", device, recipe.width))
    noise = np.random.default_rng(0).uniform(-80, 0, (2048, N_BINS)).astype(np.float16)
    sampler = WindowSampler([Track("noise", noise)], recipe.batch_size, seed=0)
    before = torch.get_rng_state()
    trainer = Trainer(recipe, SpectrogramCodec(), sampler, team=team)
    trainer.step(trainer.sampler.batch())
    begun, steps = time.monotonic(), 0
    while steps < MOST_STEPS and (steps == 0 or time.monotonic() - begun < seconds):
        trainer.step(trainer.sampler.batch())    # reads its loss, so it waits for the device
        steps += 1
    torch.set_rng_state(before)
    return steps * recipe.batch_size / (time.monotonic() - begun)
