"""The live engine as its process plays it: made, measured, and changed while it sounds."""

from typing import TYPE_CHECKING, cast

import torch

from audiobend.io.modelbundle import load_model
from audiobend.live.dsp import Wanted
from audiobend.live_engine import LiveEngine
from audiobend.networks.backends import Backend, BackendName, backend
from audiobend.networks.model import Model
from audiobend.speed import choose_backend, cost

if TYPE_CHECKING:
    from audiobend.spectral.live_settings import LiveSettings


class EnginePlayer:
    """A `LiveEngine` and what it was last asked for.

    Raises
    ------
    ModelError, PatchError
        If the model or its backend is missing, or the patch does not fit.
    """

    def __init__(self, wanted: Wanted, settings: "LiveSettings") -> None:
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        model = load_model(wanted.model)
        self._wanted, self._settings = wanted, settings
        self.warning: str | None = None
        chosen = self._first_backend(model)
        self.backend: BackendName | None = cast(BackendName, chosen.name)
        self.engine = LiveEngine(model, wanted.patch, settings, backend=chosen)
        self.engine.set_controls(bypass=wanted.bypass)
        self.model_rate = model.codec.sample_rate
        self.parts = settings.latency_parts()
        self.stride_seconds = self.parts["buffering"] / self.model_rate

    def _first_backend(self, model: Model) -> Backend:
        """Return the backend that is wanted, or the fastest; and know whether it is fast enough."""
        wanted, settings = self._wanted, self._settings
        if wanted.backend is not None:
            return backend(wanted.backend, model, settings.n_channels)
        chosen, _ = choose_backend(model, settings)
        self.warning = cost(model, settings, chosen, seconds=1.0).warning()
        return chosen

    def want(self, wanted: Wanted) -> None:
        """Bring the engine to what is wanted; what has not changed is left alone."""
        before, self._wanted = self._wanted, wanted
        if wanted.bypass != before.bypass:
            self.engine.set_controls(bypass=wanted.bypass)
        if wanted.model != before.model:
            model = load_model(wanted.model)
            other = backend(self.backend or "torch", model, self._settings.n_channels)
            self.engine.set_patch(self.engine.prepare(wanted.patch, model, other))
        elif wanted.patch.replace(output=before.patch.output) != before.patch:
            self.engine.set_patch(self.engine.prepare(wanted.patch))
        elif wanted.patch.output != before.patch.output:
            output = wanted.patch.output
            self.engine.set_controls(
                mix=output.mix,
                detail=output.detail,
                gain_db=output.gain_db,
                limiter=output.limiter,
                match_level=output.match_level,
            )


def make_player(wanted: Wanted, settings: "LiveSettings") -> EnginePlayer:
    """Load the model and make the engine."""
    return EnginePlayer(wanted, settings)
