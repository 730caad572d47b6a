"""A take as what is to be heard from which sample on: its messages are carried out again, one after the other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from audiobend.bending import Patch
from audiobend.control import Command, Context, LoadPatch, ModelLoaded, State, update
from audiobend.errors import AudiobendError, TakeError
from audiobend.io.takefile import Began, Gesture, SceneIs, Skipped, Take
from audiobend.osc.addresses import Table
from audiobend.osc.decode import Change, Failure, decode
from audiobend.osc.encode import ROOT
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

    def carry_out(self, line: Gesture) -> None:
        try:
            for command in self._commands(line):
                self.state = update(self.state, command, self._context)
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
