"""Train a `MetricNetwork` on a layer's maps, measure it, and embed the layer's features with it.

Broad, Leymarie and Grierson, Entropy 2022, section 4: Adam at 1e-4 with betas 0.9 and 0.999, batches of 100,
embeddings averaged over samples. Measured and used with the running statistics of batch norm.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from audiobend.clustering.maps import Grey, Pictures, to_pictures
from audiobend.clustering.metric_network import MetricNetwork, laid_out

BATCH = 100
LEARNING_RATE = 1e-4
BETAS = (0.9, 0.999)
STEPS: Mapping[int, int] = {1: 30000, 2: 6000, 3: 2000, 4: 500}
"""Steps by depth: what fits into a quarter of an hour on two cores; large maps take a hundred times as long."""


@dataclass(frozen=True)
class Trained:
    """A network for one layer, what its greys mean, and for how many steps it was trained."""

    network: MetricNetwork
    grey: Grey
    steps: int = 0


def default_steps(depth: int) -> int:
    """Return for how many steps a network of a depth is trained unless one says otherwise."""
    return STEPS.get(depth, STEPS[max(STEPS)])


def train(
    maps: Pictures, steps: int, seed: int, depth: int | None = None, on_step: Callable[[int], None] = lambda _: None
) -> MetricNetwork:
    """Return a network trained to tell the features of maps apart, in evaluation mode.

    Parameters
    ----------
    maps : Pictures
    steps : int
        Of 100 maps each, drawn without putting back until all were seen.
    seed : int
        Of the weights and of the order; with one thread the same seed gives the same network, bit for bit.
    on_step : callable
        Takes the number of steps done.
    """
    n_samples, n_features, height, width = maps.shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = laid_out(MetricNetwork(n_features, height, width, depth))
    optimiser = torch.optim.Adam(network.parameters(), LEARNING_RATE, BETAS)
    pictures = maps.open()
    network.train()
    for step, which in zip(range(steps), _batches(n_samples * n_features, seed), strict=False):
        sample, feature = np.divmod(which, n_features)
        loss = F.cross_entropy(network(to_pictures(pictures[sample, feature])), torch.from_numpy(feature))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        on_step(step + 1)
    return network.eval().requires_grad_(False)


def _batches(n_maps: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Endless batches of indices; every map comes once before any comes again."""
    random = np.random.default_rng(seed)
    while True:
        order = random.permutation(n_maps)
        for start in range(0, max(n_maps - BATCH, 0) + 1, BATCH):
            yield order[start : start + BATCH]


@torch.inference_mode()
def accuracy(network: MetricNetwork, maps: Pictures) -> float:
    """Return the share of maps whose feature the network names rightly; chance is one in the number of features."""
    right = 0
    for sample in maps.open():
        right += int((network(to_pictures(sample)).argmax(1) == torch.arange(len(sample))).sum())
    return right / (maps.shape[0] * maps.shape[1])


@torch.inference_mode()
def embeddings(network: MetricNetwork, maps: Pictures) -> Tensor:
    """Return the bottleneck of each feature, averaged over samples, ``(feature, 10)``."""
    total = torch.zeros(maps.shape[1], 10, dtype=torch.float64)
    for sample in maps.open():
        total += network.embed(to_pictures(sample)).double()
    return total / maps.shape[0]
