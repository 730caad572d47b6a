"""A performance that is played: the processes, the state, and OSC."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

from audiobend.control import Command, Context, ModelFailed, StartTake, State, StopTake
from audiobend.errors import AudiobendError, TakeError
from audiobend.io.modelbundle import list_models, load_model
from audiobend.io.takefile import TakeHead, track_of
from audiobend.live.archive import Archive, Keeping
from audiobend.live.choosing import Choosing
from audiobend.live.cueing import Cueing
from audiobend.live.recordings import Recordings
from audiobend.live.rings import Count
from audiobend.live.seam import Told
from audiobend.live.setup import Setup
from audiobend.live.supervisor import Supervisor
from audiobend.networks.model import Model
from audiobend.osc.desk import Desk
from audiobend.osc.doors import Doors, Listening

_ANY_PORT = Listening(port=0)
_NOTHING = Keeping()


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
    keeping : Keeping
        What is written to disk.

    Attributes
    ----------
    desk : Desk
    osc : Doors
    session : Session or None
    watchers : list of callables
        Hear of every state that sounds, while the desk is locked: they hand it on and return at once.
    """

    def __init__(
        self,
        setup: Setup,
        model: Model,
        tell: Callable[[str], None],
        listening: Listening = _ANY_PORT,
        keeping: Keeping = _NOTHING,
    ) -> None:
        self._archive = archive = Archive(keeping, tell, lambda: self._stop_take())
        self.session = archive.session
        recordings = self.session.recordings() if self.session is not None else ()
        state = State(
            setup.wanted.patch, bypass=setup.wanted.bypass, model=model.name, scenes=archive.scenes,
            takes=archive.takes, can_record=self.session is not None, recordings=recordings,
        )
        context = Context.of_model(model, list(list_models()))
        self._number = 0
        self.watchers: list[Callable[[State], None]] = []
        self.desk = Desk(state, context, self._on_change, self._figures, _clock(), self._on_commands)
        self._recordings = Recordings(self.desk, self.session, tell)
        self._model, self._sources = model, {model.name: (setup.wanted.model, setup.wanted.clusters)}
        super().__init__(setup, tell)
        self._cueing = Cueing(self.desk, self._path_of_take, lambda: self._position() / self.streaming.rate, tell)
        self._choosing = Choosing(self.desk, self.sides, tell)
        self._last_position = self._engine_began = 0
        try:
            self.osc = Doors(self.desk, listening).open()    # a port in use is known at once
        except BaseException:
            super().close()
            archive.close()
            raise

    def start(self) -> bool:
        """See `Supervisor.start`; a take that is wanted begins here."""
        if not super().start():
            return False
        self._choosing.tell_used()
        self._recordings.ready(self.recorders, lambda: self.streaming)
        self._archive.ready(self._head(), self.origin, self._position)
        if self._archive.first_take:
            (error,) = self.desk.apply([StartTake(self._archive.first_take)])
            if error is not None:
                raise error
        return True

    def close(self) -> None:
        """End everything; what is being recorded, sound and takes, is whole."""
        self.osc.close()
        super().close()
        self._archive.close()

    @property
    def source_of_model(self) -> str | None:
        """From where the model that sounds can be loaded again."""
        return self._loaded_from(self.desk.state.model)[0]

    @property
    def clusters_of_model(self) -> str | None:
        """Which clusters it has then, where they are not its own; see `Model.clusters_from`."""
        return self._loaded_from(self.desk.state.model)[1]

    def _loaded_from(self, name: str) -> tuple[str | None, str | None]:
        """Return from where a model is loaded, and the clusters that are named for it."""
        return self._sources.get(name, (name, None))

    @property
    def number(self) -> int:
        """Of the last change that the engine was told."""
        return self._number

    @property
    def heard_seconds(self) -> float:
        """The engine's own time of what is heard now: what moves by itself moves by it."""
        return (self._position() - self.latency.delay - self._engine_began) / self.streaming.rate

    @property
    def recorded_seconds(self) -> float:
        """How long the recording is that is being made; 0 where none is."""
        return self._recordings.samples / self.streaming.rate

    def on_anew(self) -> None:
        """See `Supervisor.on_anew`; a take that is recorded from here on begins with this engine."""
        state = self.desk.state
        self._archive.anew(replace(self._head(), patch=state.heard, bypass=state.bypass))

    def on_card(self) -> None:
        """See `Supervisor.on_card`."""
        self._choosing.tell_used()

    def on_told(self, told: Told) -> None:
        """See `Supervisor.on_told`."""
        if told.kind == "began":
            self._engine_began = told.position
        self._archive.told(told)

    def _on_commands(self, commands: Sequence[Command], after: State, now: float) -> None:
        self._archive.note(self._number + 1, commands, after, now)    # the change that follows tells the engine

    def _on_change(self, before: State, after: State) -> None:
        if after.wanted_model and after.wanted_model != before.wanted_model:
            threading.Thread(target=self._load, args=(after.wanted_model,), daemon=True, name="model").start()
        if _heard(after) != _heard(before):
            self._number += 1
            model, clusters = self._loaded_from(after.model)
            wanted = replace(self.setup.wanted, model=model, clusters=clusters, patch=after.heard, bypass=after.bypass)
            self.change(replace(wanted, fade=after.fade, difference=after.difference, number=self._number))
            for watcher in self.watchers:
                watcher(after)
        self._archive.keep(before, after, self._number)
        self._recordings.follow(before, after)
        self._cueing.follow(before, after)
        self._choosing.follow(before, after)

    def _position(self) -> int:
        """Return how many samples have passed the card; once all is closed, how many they were."""
        with suppress(AttributeError):
            self._last_position = self._shared[Count.PLAYED]
        return self._last_position

    def _path_of_take(self, name: str) -> Path:
        if self.session is None:
            raise TakeError("is in no session")
        return self.session.take_path(name)

    def _stop_take(self) -> None:
        self.desk.apply([StopTake()])

    def _head(self) -> TakeHead:
        setup, card = self.setup, self.streaming
        return TakeHead(
            model=setup.wanted.model or self._model.name,
            fingerprint=self._model.fingerprint,
            patch=setup.wanted.patch,
            settings=setup.settings,
            sample_rate=card.rate,
            channels=card.in_channels,
            backend=self.ready.backend or "torch",
            profile=setup.profile,
            bypass=setup.wanted.bypass,
            track=None if setup.source is None else track_of(setup.source),
            loops=setup.loops,
            clusters=setup.wanted.clusters,
        )

    def _load(self, name: str) -> None:
        """Load a model for the desk; the engine loads it too, and plays on until it has."""
        try:
            model = load_model(name, clusters=self._loaded_from(name)[1])
            context = Context.of_model(model, list(list_models()))
        except AudiobendError as error:
            self.desk.apply([ModelFailed(name, str(error))])
            return
        if self.desk.state.wanted_model == name:    # else another one was wanted meanwhile
            self.desk.change_model(context)

    def _figures(self) -> Mapping[str, float]:
        if not self.has_started:
            return {}
        status = self.status()
        return {
            "load": status.load,
            "latency_ms": self.latency.total_ms,
            "xruns": status.xruns,
            "late": status.late_blocks,
            "dropped": round(1000 * status.lost_seconds),
        }


def _clock() -> Callable[[], float]:
    """Return a clock that begins now, in thousandths of a second."""
    begun = monotonic()
    return lambda: round(monotonic() - begun, 3)


def _heard(state: State) -> tuple[object, ...]:
    """Return all of a state that can be heard."""
    return state.heard, state.bypass, state.difference, state.model, state.fade
