"""A take as what is to be heard from which sample on: its messages are carried out again, one after the other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from audiobend.bending import Patch
from audiobend.control import (
    Command,
    Context,
    DeleteScene,
    LoadPatch,
    ModelLoaded,
    RenameScene,
    RequestModel,
    SaveScene,
    Set,
    State,
    update,
)
from audiobend.errors import AudiobendError, TakeError
from audiobend.io.takefile import Began, Gesture, Mark, SceneIs, Skipped, Take
from audiobend.osc.addresses import Table
from audiobend.osc.decode import Change, Failure, decode
from audiobend.osc.encode import ROOT
from audiobend.osc.gestures import scenes_of
from audiobend.osc.limits import Budget
from audiobend.osc.parse import Message


@dataclass(frozen=True)
class Moment:
    """From a sample on, another state counts."""

    sample: int
    state: State


def unfold(take: Take, context_of: Callable[[str], Context]) -> Iterator[Moment | Began | Skipped]:
    """Yield what happened in a take, in order; what reached the engine together is one moment.

    Parameters
    ----------
    take : Take
    context_of : function from the name of a model to its context

    Raises
    ------
    TakeError
        With the sample, where a message means nothing for this model.
    """
    stage = _Stage(take.head.patch, take.head.bypass, take.head.model, context_of)
    group: tuple[int, int] | None = None
    for line in take.lines:
        if isinstance(line, SceneIs):
            stage.learn(line)
            continue
        if isinstance(line, Mark):
            continue
        together = (line.sample, line.number) if isinstance(line, Gesture) else None
        if group is not None and together != group:
            yield Moment(group[0], stage.state)
        group = together
        if isinstance(line, Gesture):
            stage.carry_out(line)
        else:
            yield line
    if group is not None:
        yield Moment(group[0], stage.state)


@dataclass(frozen=True)
class Cue:
    """What is to be done at a time, in seconds since the recording started."""

    seconds: float
    commands: tuple[Command, ...]


def cues(take: Take, context: Context, scenes: Mapping[str, Patch]) -> Iterator[Cue]:
    """Yield what makes a performance that goes on sound as a take did, in order of time.

    First what sounded when the recording started, then every gesture. A scene is loaded where ``scenes`` has it as it
    was then; else what it led to sounds at once. Nothing is saved, renamed or deleted again.

    Parameters
    ----------
    take : Take
    context : Context
        Of the model that sounds, which must be the take's.
    scenes : mapping from name to Patch

    Raises
    ------
    TakeError
        With the sample, where a message means nothing for this model.
    """
    stage = _Stage(take.head.patch, take.head.bypass, take.head.model, lambda name: context)
    marks = {one.kind: one.sample for one in take.lines if isinstance(one, Mark)}
    started, rate = marks.get("started", 0), take.head.sample_rate
    begun = False
    for line in take.lines:
        if isinstance(line, SceneIs):
            stage.learn(line)
        if not isinstance(line, Gesture):
            continue
        if line.sample >= started and not begun:
            begun = True
            yield Cue(0.0, _beginning(stage.state))
        done = stage.carry_out(line)
        if begun and (commands := _again(line, done, stage.state, scenes)):
            yield Cue((line.sample - started) / rate, commands)
    if not begun:
        yield Cue(0.0, _beginning(stage.state))
    if "stopped" in marks:
        yield Cue(max(0.0, (marks["stopped"] - started) / rate), ())


def _beginning(state: State) -> tuple[Command, ...]:
    return LoadPatch(state.patch), Set("bypass", state.bypass), Set("difference", False), Set("solo", state.solo)


def _again(
    line: Gesture, done: Sequence[Command], after: State, scenes: Mapping[str, Patch]
) -> tuple[Command, ...]:
    """Return what does the same while others play too."""
    if any(isinstance(one, SaveScene | RenameScene | DeleteScene) for one in done):
        return ()
    played = [name for one in done for name in scenes_of(one)]
    if any(scenes.get(name) != after.scenes.get(name) for name in played):
        return (LoadPatch(after.patch),)
    return tuple(RequestModel(one.name) if isinstance(one, ModelLoaded) else one for one in done)


class _Stage:
    """The state of a performance that is played again."""

    def __init__(self, patch: Patch, bypass: bool, model: str, context_of: Callable[[str], Context]) -> None:
        self._context_of = context_of
        self._follow(model)
        self.state = State(patch, bypass=bypass, model=model)

    def _follow(self, model: str) -> None:
        self._context = self._context_of(model)
        self._table = Table(self._context)

    def learn(self, line: SceneIs) -> None:
        self.state = self.state.replace(scenes={**self.state.scenes, line.name: line.patch})

    def carry_out(self, line: Gesture) -> list[Command]:
        """Do it, and return the commands that did."""
        done = list[Command]()
        try:
            for command in self._commands(line):
                self.state = update(self.state, command, self._context)
                done.append(command)
            return done
        except AudiobendError as error:
            raise TakeError(f"sample {line.sample}: {line.address}: {error}") from None

    def _commands(self, line: Gesture) -> Iterator[Command]:
        if line.patch is not None:
            yield LoadPatch(line.patch)
            return
        if line.address == f"{ROOT}/model/load":
            name = str(line.args[0]) if line.args else ""
            self._follow(name)
            yield ModelLoaded(name)
            return
        for request in decode(Message(line.address, line.args), self._table, self.state, Budget()):
            if isinstance(request, Failure):
                raise TakeError(request.text)
            if isinstance(request, Change):
                yield request.command
