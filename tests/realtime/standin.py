"""An engine that is nothing but its latency.

It turns the sign of what it gets, so bent and dry can be told apart; and the patch's seed says by how much it turns
the sound down, so a state can be told from the one that a performance began with.
"""

import os
import time
from pathlib import Path

import numpy as np

LATENCY = {"frame": 768, "buffering": 1024, "window": 512}
SLOW = "AUDIOBEND_TEST_SLOW"
"""Names a file in the environment; while it exists, every block takes twice its own length."""


class Delay:
    def __init__(self, n_channels: int) -> None:
        self.latency = sum(LATENCY.values())
        self.gain = -1.0
        self._n_channels = n_channels
        self.reset()

    def reset(self):
        self._line = np.zeros((self._n_channels, self.latency), dtype=np.float32)

    def process(self, block):
        if SLOW in os.environ and Path(os.environ[SLOW]).exists():
            time.sleep(2 * block.shape[1] / 44100)
        line = np.concatenate([self._line, block], axis=1)
        self._line = line[:, block.shape[1] :]
        return np.float32(self.gain) * line[:, : block.shape[1]]


class Player:
    def __init__(self, wanted, settings) -> None:
        self.engine = Delay(settings.n_channels)
        self.model_rate = 44100
        self.parts = LATENCY
        self.stride_seconds = LATENCY["buffering"] / 44100
        self.backend = self.warning = None
        self.want(wanted)

    def prepare(self, wanted, alone):
        return lambda: self.want(wanted)

    def want(self, wanted) -> None:
        self.engine.gain = 1.0 if wanted.bypass else -(0.5**wanted.patch.seed)


def make(wanted, settings) -> Player:
    return Player(wanted, settings)
