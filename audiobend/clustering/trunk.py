"""Many bends of the same sound: what lies before the bent layer is worked out once."""

import torch
from torch import Tensor

from audiobend.bending import Plan
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import WINDOW
from audiobend.networks.stages import ALL_COLUMNS, CODE, N_STAGES, Bending, Run, rows_wanted
from audiobend.networks.torch_backend import TorchMachine

BATCH = 16
"""Windows in one pass."""


class Trunk:
    """A `Backend` for one sound: it keeps the windows' latent codes, unbent output, and maps of the layer last bent.

    Windows are known again by their ``call`` number, so every pass must bring the same windows in the same portions.
    Plans with bent kernels are not for it.
    """

    name = "torch"

    def __init__(self, model: Model) -> None:
        self._layers = tuple(layer.name for layer in model.network.layers())
        self._rows = tuple(range(layer.height) for layer in model.network.layers())
        self._axes = model.latent_axes
        self._machine = TorchMachine(model.network)
        self._codes: dict[int, Tensor] = {}
        self._unbent: dict[int, Tensor] = {}
        self._maps: dict[int, Tensor] = {}
        self._stage = -1    # of the maps

    def prepare(self, plan: Plan, columns: slice = ALL_COLUMNS) -> None:
        """Nothing is slow."""

    @torch.no_grad()
    def reconstruct(
        self, x: Tensor, plan: Plan, times: Tensor | None = None, call: int = 0, columns: slice = ALL_COLUMNS
    ) -> tuple[Tensor, Tensor]:
        """See `audiobend.networks.backends.Backend`."""
        if call not in self._codes:
            self._codes[call] = self._run(x, 0, CODE + 1)
            self._unbent[call] = self._run(self._codes[call], CODE + 1, N_STAGES)
        unbent = self._unbent[call][:, :, columns]
        bending = Bending(plan, self._layers, self._axes, times, call)
        stage = bending.first()
        if stage == N_STAGES:
            return unbent, unbent
        if stage < CODE:
            return self._run(x, 0, N_STAGES, bending)[:, :, columns], unbent
        if stage != self._stage:
            self._maps, self._stage = {}, stage
        if call not in self._maps:
            self._maps[call] = self._run(self._codes[call], CODE + 1, stage + 1)
        bent = bending.at(stage, self._maps[call])
        return self._run(bent, stage + 1, N_STAGES, bending)[:, :, columns], unbent

    def _run(self, x: Tensor, first: int, last: int, bending: Bending | None = None) -> Tensor:
        if first == last:
            return x
        rows = rows_wanted(range(WINDOW)) if bending is None and last == N_STAGES else self._rows
        given = self._rows[first - 1] if first > CODE + 1 else None
        return self._machine.run(x, Run(first, last, rows, bending, given)).clone()
