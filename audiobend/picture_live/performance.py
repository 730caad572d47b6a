"""Pictures that are played by OSC: a desk as sound has it, and a process that paints."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic
from typing import Self

from audiobend.bending import Patch
from audiobend.control import Context, ModelFailed, Set, State
from audiobend.errors import AudiobendError
from audiobend.io.modelbundle import list_picture_models
from audiobend.io.picturemodel import load_picture_model
from audiobend.io.session import Session
from audiobend.live.keeper import Keeper
from audiobend.networks.stylegan2_model import PictureModel
from audiobend.osc.desk import Desk
from audiobend.osc.doors import Doors, Listening
from audiobend.picture_live.easel import side_of
from audiobend.picture_live.messages import Setup, Shown
from audiobend.picture_live.process import PictureProcess

_ANY_PORT = Listening(port=0)


def picture_context(model: PictureModel) -> Context:
    """Return what changes of a played generator are checked against."""
    side = side_of(model)
    models = {*list_picture_models(), model.name}
    return Context(side.layers, side.clusters, side.n_axes, model.name, tuple(sorted(models)))


class PicturePerformance:
    """A generator that is played: `start` it, look at ``url``, `close` it.

    Parameters
    ----------
    model : PictureModel
    patch : Patch
    setup : Setup
    tell : callable
        Takes sentences, from any thread.
    listening : Listening
        Where OSC is heard.
    session : Session or None
        Where scenes lie; None keeps them in memory.

    Attributes
    ----------
    desk : Desk
    osc : Doors
    pictures : PictureProcess
    """

    def __init__(
        self,
        model: PictureModel,
        patch: Patch,
        setup: Setup,
        tell: Callable[[str], None],
        listening: Listening = _ANY_PORT,
        session: Session | None = None,
    ) -> None:
        self._session, self._keeper = session, Keeper(tell)
        self._stopping = threading.Event()
        scenes, wrong = session.scenes() if session else ({}, [])
        for sentence in wrong:
            tell(sentence)
        self._sources = {model.name: model.source or model.name}
        self.pictures = PictureProcess(setup, Shown(self._sources[model.name], patch), tell)
        state = State(patch, model=model.name, scenes=scenes)
        self.desk = Desk(state, picture_context(model), self._on_change, self._figures, monotonic)
        self.osc = Doors(self.desk, listening).open()    # a port in use is known at once

    def start(self) -> Self:
        """Start the process that paints; `AudiobendError` where it cannot."""
        self.pictures.start()
        self.desk.apply([Set("image", self.url)])
        return self

    @property
    def url(self) -> str:
        """Where pictures are seen."""
        return self.pictures.ready.url

    def stop(self) -> None:
        """Ask for the end, from any thread or signal handler."""
        self._stopping.set()

    def watch(self, seconds: float) -> bool:
        """Wait; False when the performance is over."""
        return not self._stopping.wait(seconds)

    def close(self) -> None:
        """End everything."""
        self._stopping.set()
        self.osc.close()
        self.pictures.close()
        self._keeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_change(self, before: State, after: State) -> None:
        if after.wanted_model and after.wanted_model != before.wanted_model:
            threading.Thread(target=self._load, args=(after.wanted_model,), daemon=True, name="model").start()
        if _seen(after) != _seen(before):
            source = self._sources.get(after.model, after.model)
            self.pictures.change(Shown(source, after.heard, after.bypass, after.fade))
        if after.scenes is not before.scenes and self._session is not None:
            self._keep_scenes(self._session, before, after)

    def _keep_scenes(self, session: Session, before: State, after: State) -> None:
        for name, patch in after.scenes.items():
            if before.scenes.get(name) is not patch:
                self._keeper.do(partial(session.save_scene, name, patch), instead_of=name)
        for name in before.scenes.keys() - after.scenes.keys():
            self._keeper.do(partial(session.delete_scene, name), instead_of=name)

    def _load(self, name: str) -> None:
        """Load a model for the desk; the other process loads it too."""
        try:
            context = picture_context(load_picture_model(self._sources.get(name, name)))
        except AudiobendError as error:
            self.desk.apply([ModelFailed(name, str(error))])
            return
        if self.desk.state.wanted_model == name:    # else another one was wanted meanwhile
            self.desk.change_model(context)

    def _figures(self) -> Mapping[str, float]:
        figures = self.pictures.figures
        return {"load": figures.fps * figures.paint_ms / 1000, "latency_ms": figures.paint_ms}


def _seen(state: State) -> tuple[object, ...]:
    """Return all of a state that can be seen."""
    return state.heard, state.bypass, state.model, state.fade
