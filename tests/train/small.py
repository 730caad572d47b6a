"""A training that is small enough to be run in a test; as a program: by several processes."""

import sys
from pathlib import Path

import numpy as np
import torch

from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.distributed import Team, make_team
from audiobend.train.loop import Trainer
from audiobend.train.recipe import Recipe
from audiobend.train.tracks import Track, mean_spectrum
from audiobend.train.windows import WindowSampler


def tracks(n: int = 2, seconds: float = 4.0) -> list[Track]:
    """Tracks whose spectrum falls and whose level goes up and down, with noise."""
    random = np.random.default_rng(0)
    n_columns = int(seconds * 44100 / 256)
    shape = np.linspace(-10, -70, 513) + 15 * np.sin(np.arange(n_columns) / 9)[:, None]
    return [
        Track(f"track{i}", (shape + random.normal(0, 3, shape.shape)).clip(-80, 0).astype(np.float16))
        for i in range(n)
    ]


def trainer(team: Team | None = None, **recipe) -> Trainer:
    """A trainer of a narrow network on two tracks."""
    chosen = Recipe().changed({"width": 0.03125, "minutes": 1.0, "batch_size": 4}).changed(recipe)
    codec = SpectrogramCodec(mean_spectrum(tracks()))
    return Trainer(chosen, codec, WindowSampler(tracks(), chosen.batch_size, seed=0), team=team)


def main(out: str, devices: str, nodes: str) -> None:
    """Train a few steps, with all processes that were asked for, and write what came out."""
    torch.set_num_threads(1)
    team = make_team(devices, int(nodes))
    team.fabric.launch()
    training = trainer(team, steps=4)
    losses: list[float] = []
    training.run(lambda progress: losses.append(progress.loss))
    if team.leads:
        average = training.averaged_network().state_dict()
        torch.save({"size": team.size, "losses": losses, "raw": training.network.state_dict(), "average": average}, out)
    training.close()
    team.first(lambda: None)
    team.leave()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(*sys.argv[1:])
