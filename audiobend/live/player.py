"""The live engine as its process plays it: made, measured, and changed while it sounds."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from time import monotonic, sleep
from typing import TYPE_CHECKING, cast

import torch

from audiobend.bending import Patch
from audiobend.control import morph
from audiobend.control.fading import retouched
from audiobend.io.modelbundle import load_model
from audiobend.live.dsp import Alone, Wanted
from audiobend.live_engine import LiveEngine, Prepared
from audiobend.networks.backends import Backend, BackendName, backend
from audiobend.networks.bendable import LayerSpec
from audiobend.networks.model import Model
from audiobend.speed import choose_backend, cost

if TYPE_CHECKING:
    from audiobend.spectral.live_settings import LiveSettings

COMPILED = 16
"""Steps of a fade that are prepared before it begins."""
BREATH = 0.15
"""Rest after each, in times of its own length: Linux stops threads of real-time priority that work without any."""


class EnginePlayer:
    """A `LiveEngine` and what it was last asked for.

    Parameters
    ----------
    wanted : Wanted
    settings : LiveSettings
    model : Model, optional
        The one that is wanted, where it is loaded already.

    Raises
    ------
    ModelError, PatchError
        If the model or its backend is missing, or the patch does not fit.
    """

    def __init__(self, wanted: Wanted, settings: "LiveSettings", model: Model | None = None) -> None:
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        self._model = model = model or load_model(wanted.model, clusters=wanted.clusters)
        self._wanted, self._settings = wanted, settings
        self._origin = wanted.patch    # where a fade comes from
        self.warning: str | None = None
        self._backend = chosen = self._first_backend(model)
        self.backend: BackendName | None = cast(BackendName, chosen.name)
        self.engine = LiveEngine(model, wanted.patch, settings, backend=chosen)
        self.engine.set_controls(bypass=wanted.bypass, difference=wanted.difference)
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
        """Bring the engine to what is wanted, while it does not play."""
        self.prepare(wanted)()

    def prepare(self, wanted: Wanted, alone: Alone = nullcontext) -> Callable[[], None]:
        """Return what brings the engine to what is wanted from what was prepared before; what is as it was stays."""
        before, done = self._wanted, list[Callable[[], None]]()
        if wanted.bypass != before.bypass:
            done.append(lambda: self.engine.set_controls(bypass=wanted.bypass))
        if wanted.difference != before.difference:
            done.append(lambda: self.engine.set_controls(difference=wanted.difference))
        if (wanted.model, wanted.clusters) != (before.model, before.clusters):
            self._model = load_model(wanted.model, clusters=wanted.clusters)
            self._backend = backend(self.backend or "torch", self._model, self._settings.n_channels)
            done.append(partial(self.engine.set_patch, self._prepared(wanted.patch, alone)))
        elif wanted.fade is not None and wanted.fade != before.fade:
            for n in range(1, COMPILED):    # before it begins: a radius that grows wants other graphs on the way
                with alone():
                    between = morph(before.patch, wanted.patch, n / COMPILED, self._layers())
                begun = monotonic()
                self._prepared(between, alone)
                sleep(BREATH * (monotonic() - begun))
            done.append(partial(self._fade, wanted.patch, self._prepared(wanted.patch, alone), wanted.fade.seconds))
        elif wanted.patch != before.patch:
            done.append(self._turn(before.patch, wanted, alone))
        self._wanted = wanted

        def change() -> None:
            for one in done:
                one()

        return change

    def _turn(self, before: Patch, wanted: Wanted, alone: Alone) -> Callable[[], None]:
        """Return what brings another patch; one that only differs in output values, or in what is bound, needs none."""
        patch, output = wanted.patch, wanted.patch.output
        is_as_before = patch.replace(output=before.output, macros=before.macros) == before
        prepared = None if is_as_before else self._prepared(patch, alone)

        def turn() -> None:
            if self.engine.is_gliding and wanted.fade is not None:
                self._origin = retouched(self._origin, before, patch)
                self._fade(patch, prepared or self._prepared(patch), None)
            elif prepared is not None:
                self.engine.set_patch(prepared)
            else:
                self.engine.set_controls(**vars(output))

        return turn

    def _fade(self, patch: Patch, prepared: Prepared, seconds: float | None) -> None:
        """Go over to a patch from what is heard now, or go on with another goal."""
        if seconds is not None:
            self._origin = self.engine.patch
        origin, layers = self._origin, self._layers()

        def between(share: float) -> Prepared:
            return prepared if share == 1 else self._prepared(morph(origin, patch, share, layers))

        self.engine.glide_to(between, seconds)

    def _prepared(self, patch: Patch, alone: Alone = nullcontext) -> Prepared:
        with alone():
            plan = self._model.resolve(patch)
        return self.engine.prepare(plan, self._model, self._backend)    # what is compiled does not need Python

    def _layers(self) -> Sequence[LayerSpec]:
        return self._model.network.layers()


def make_player(wanted: Wanted, settings: "LiveSettings") -> EnginePlayer:
    """Load the model and make the engine."""
    return EnginePlayer(wanted, settings)
