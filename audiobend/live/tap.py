"""Lets others see what the network does: a few small numbers of each stride, into shared memory, if anybody looks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool1d

from audiobend.live.rings import MAP_WIDTH, MAX_MAPS, N_MAPPED, N_SEEN, Count, Shared
from audiobend.live_engine import LiveEngine
from audiobend.live_window import Prepared
from audiobend.networks.model import Model
from audiobend.networks.stages import CODE, N_STAGES
from audiobend.spectral.stft import HOP_LENGTH

MOST_CHANGE_DB = 24.0
MOST_NUMBERS = 2**16
"""Of a map that are compared to know by how much it was bent."""
LATENT_HUE, ENCODER_HUE, LAST_HUE = 5, 6, 4

Between = Callable[[int, int], None]
"""What is called before each block, with its position and its length."""


def mapped_clusters(model: Model) -> list[tuple[int, int]]:
    """Return which clusters have maps, as stage and cluster, in the order in which their maps lie."""
    if model.clusters is None:
        return []
    found = [
        (stage, cluster)
        for stage, layer in enumerate(model.network.layers())
        if layer.name in model.clusters
        for cluster in range(model.clusters.n_clusters(layer.name))
    ]
    return found[:MAX_MAPS]


def tapped(between: Between, engine: Any, shared: Shared, model_rate: int, card_rate: int) -> Between:
    """Let an engine be seen; return what is to be called before each block in the place of ``between``."""
    if not isinstance(engine, LiveEngine):
        return between
    tap = Tap(shared, model_rate, card_rate)
    engine.show(tap)

    def both(position: int, n: int) -> None:
        between(position, n)
        tap.at(position, n)

    return both


class Tap:
    """An `audiobend.live_window.Onlooker` that writes into shared memory; the oldest is written over.

    What it writes of each column: by how much bent and unbent reconstruction differ (the mean over channels), measured,
    in dB, and the layer that changed its maps most, as a share of what they were. Where OpenVINO bends inside of its
    graphs that share is not to be seen; then it is the last layer that bends.
    """

    def __init__(self, shared: Shared, model_rate: int, card_rate: int) -> None:
        self._shared, self._ratio = shared, card_rate / model_rate
        self._position, self._fed, self._next = 0, 0.0, 0.0
        self._model: Model | None = None
        self._weights: dict[int, tuple[slice, Tensor]] = {}
        self._maps = np.zeros((MAX_MAPS, MAP_WIDTH), np.float32)
        self._shares: dict[int, float] = {}

    def at(self, position: int, n: int) -> None:
        """Know where in the input ring the next ``n`` samples of the card lie."""
        self._position, self._fed = position, self._next
        self._next += n / self._ratio

    @property
    def looks(self) -> bool:
        """Whether anybody looks."""
        return bool(self._shared.counts[Count.LOOKS])

    def stage(self, stage: int, x: Tensor) -> None:
        """Take the mean of each cluster's maps over time and channels."""
        known = self._weights.get(stage)
        if known is not None and x.dim() == 4 and x.shape[1] == known[1].shape[1]:
            along = adaptive_avg_pool1d(x.float().mean((0, 2)), MAP_WIDTH)
            self._maps[known[0]] = (known[1] @ along).numpy()

    def change(self, stage: int, before: Tensor, after: Tensor) -> None:
        """Take by how much bends changed a map, as a share."""
        step = max(1, before.numel() // MOST_NUMBERS) if before.dim() == 4 else 1
        old, new = (x[:, :, ::step].float() if x.dim() == 4 else x.float() for x in (before, after))
        self._shares[stage] = float((new - old).abs().mean() / (old.abs().mean() + 1e-6))

    def columns(self, now: Prepared, bent_db: Tensor, unbent_db: Tensor, first: int) -> None:
        """See `audiobend.live_window.Onlooker`."""
        difference = (bent_db - unbent_db).abs_().mean(0).mul_(255 / MOST_CHANGE_DB).clamp_(max=255)
        change = difference.to(torch.uint8).numpy()
        hue, seen = self._hue(now), self._shared.seen
        start = self._position + (first - self._fed) * self._ratio
        numbers = np.round(start / (HOP_LENGTH * self._ratio)).astype(int) + np.arange(len(change))
        slots = numbers % N_SEEN
        seen["column"][slots] = -1    # while it is written it is none
        seen["change"][slots], seen["hue"][slots] = change, np.where(change.any(axis=1), hue, 0)
        seen["column"][slots] = numbers
        self._write_maps(int(numbers[-1]), len(numbers))
        self._shares.clear()
        if now.model is not self._model:
            self._follow(now.model)

    def _write_maps(self, last: int, stride: int) -> None:
        one = self._shared.mapped[last // stride % N_MAPPED]
        one["column"] = -1
        one["maps"] = self._maps
        one["column"] = last

    def _hue(self, now: Prepared) -> int:
        if self._shares:
            return _hue_of(max(self._shares, key=self._shares.__getitem__))
        names = [layer.name for layer in now.model.network.layers()]
        acting = [names.index(name) for name in now.plan.layers] + [CODE] * bool(now.plan.patch.latent)
        return _hue_of(max(acting)) if acting else LAST_HUE

    def _follow(self, model: Model) -> None:
        """Know which features make the clusters of another model."""
        self._model, self._weights = model, {}
        self._maps = np.zeros_like(self._maps)
        layers, places = model.network.layers(), mapped_clusters(model)
        for stage in range(N_STAGES):
            rows = [row for row, (of_stage, _) in enumerate(places) if of_stage == stage]
            if rows and model.clusters is not None:
                of_layer = model.clusters.layers[layers[stage].name]
                members = torch.stack([of_layer.labels == places[row][1] for row in rows]).float()
                weights = members / members.sum(1, keepdim=True).clamp(min=1)
                self._weights[stage] = slice(rows[0], rows[-1] + 1), weights


def _hue_of(stage: int) -> int:
    """Return the colour of a stage: decoder layers have their own, the last one that of the layer before."""
    if stage < CODE:
        return ENCODER_HUE
    return LATENT_HUE if stage == CODE else min(stage - CODE, LAST_HUE)
