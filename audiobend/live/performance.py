"""A performance that is played: the processes, the state, and OSC."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from audiobend.control import Context, ModelFailed, State
from audiobend.errors import AudiobendError
from audiobend.io.modelbundle import list_models, load_model
from audiobend.live.setup import Setup
from audiobend.live.supervisor import Supervisor
from audiobend.networks.model import Model
from audiobend.osc.desk import Desk
from audiobend.osc.doors import Doors, Listening

_ANY_PORT = Listening(port=0)


class Performance(Supervisor):
    """A `Supervisor` whose state is kept at a desk and played by OSC.

    Parameters
    ----------
    setup : Setup
    model : Model
        The one that ``setup.wanted`` names, loaded: the desk checks changes against it.
    tell : callable
        Takes sentences, from any thread.
    listening : Listening
        Where OSC is heard.

    Attributes
    ----------
    desk : Desk
    osc : Doors
    """

    def __init__(
        self,
        setup: Setup,
        model: Model,
        tell: Callable[[str], None],
        listening: Listening = _ANY_PORT,
    ) -> None:
        state = State(setup.wanted.patch, bypass=setup.wanted.bypass, model=model.name)
        context = Context.of_model(model, list(list_models()))
        self.desk = Desk(state, context, self._on_change, self._figures)
        self._sources = {model.name: setup.wanted.model}
        self.osc = Doors(self.desk, listening).open()    # a port in use is known at once
        try:
            super().__init__(setup, tell)
        except BaseException:
            self.osc.close()
            raise

    def close(self) -> None:
        """End everything."""
        self.osc.close()
        super().close()

    def _on_change(self, before: State, after: State) -> None:
        if after.wanted_model and after.wanted_model != before.wanted_model:
            threading.Thread(target=self._load, args=(after.wanted_model,), daemon=True, name="model").start()
        if (after.patch, after.bypass, after.model) != (before.patch, before.bypass, before.model):
            model = self._sources.get(after.model, after.model)
            self.change(replace(self.setup.wanted, model=model, patch=after.patch, bypass=after.bypass))

    def _load(self, name: str) -> None:
        """Load a model for the desk; the engine loads it too, and plays on until it has."""
        try:
            context = Context.of_model(load_model(name), list(list_models()))
        except AudiobendError as error:
            self.desk.apply([ModelFailed(name, str(error))])
            return
        if self.desk.state.wanted_model == name:    # else another one was wanted meanwhile
            self.desk.change_model(context)

    def _figures(self) -> Mapping[str, float]:
        if not hasattr(self, "latency"):
            return {}
        status = self.status()
        return {
            "load": status.load,
            "latency_ms": self.latency.total_ms,
            "xruns": status.xruns,
            "late": status.late_blocks,
            "dropped": round(1000 * status.lost_seconds),
        }
