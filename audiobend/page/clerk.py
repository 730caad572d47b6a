"""Carries out what pages ask for, by the same table and the same commands as OSC, and knows what is new for them."""

from collections.abc import Iterable, Sequence
from typing import Any

from audiobend.control import State
from audiobend.errors import AudiobendError, ControlError
from audiobend.osc.addresses import Table
from audiobend.osc.decode import NO_ADDRESS, REFUSED, WRONG_ARGUMENTS, Ask, Change, Failure, Query, Request, decode
from audiobend.osc.desk import Desk
from audiobend.osc.encode import ROOT
from audiobend.osc.feedback import Feedback
from audiobend.osc.limits import Budget
from audiobend.osc.parse import Message
from audiobend.osc.services import Counters, answers, came_of
from audiobend.osc.subscribers import Peer
from audiobend.osc.values import wire_values
from audiobend.page.facts import kept_facts, model_facts, state_facts
from audiobend.page.messages import Line, News, Outcome

NEWS = 256
"""Addresses that are told at once; the rest comes the next time."""
_NOT_HERE = ("notify", "dump")
"""Services that pages have no need of: they hear everything."""


class Clerk:
    """Stands between the pages and the desk; for one thread.

    Parameters
    ----------
    desk : Desk
    ports : (int, int, int)
        Of OSC over UDP, TCP and OSCQuery, for ``/audiobend/hello``.
    """

    def __init__(self, desk: Desk, ports: tuple[int, int, int] = (0, 0, 0)) -> None:
        self.desk, self._ports = desk, ports
        self.counters = Counters()
        self._table = Table(desk.context)
        self._feedback = Feedback(self._table, desk.state)
        self._seen, self._steps = _whole_of(desk.state), _steps_of(desk.state)
        self._model_error = desk.state.model_error

    def do(self, page: int, messages: Sequence[Message]) -> Outcome:
        """Carry out the messages of one request at one seam; questions are answered from the state after them."""
        self.counters.received += 1
        outcome, asked, waiting = Outcome(), list[Query | Ask](), list[Change]()
        budget = Budget()
        for message in messages:
            requests = self._requests(message, budget)
            if waiting and any(isinstance(one, Failure) and one.code == NO_ADDRESS for one in requests):
                self._apply(page, waiting, outcome)    # its bend may be one of a scene that is loaded here
                requests = self._requests(message, budget)
            for one in requests:
                if isinstance(one, Change):
                    waiting.append(one)
                elif isinstance(one, Failure):
                    outcome.fails.append([one.address, one.code, one.text])
                else:
                    asked.append(one)
        self._apply(page, waiting, outcome)
        for one in asked:
            self._answer(one, outcome)
        self.counters.failed += len(outcome.fails)
        return outcome

    def _requests(self, message: Message, budget: Budget) -> list[Request]:
        self._follow_context()
        return decode(message, self._table, self.desk.state, budget)

    def _apply(self, page: int, waiting: list[Change], outcome: Outcome) -> None:
        if not waiting:
            return
        results = self.desk.apply([one.command for one in waiting])
        for change, error in zip(waiting, results, strict=True):
            if error is not None:
                outcome.fails.append([change.address, REFUSED, str(error)])
                continue
            target = getattr(change.command, "target", None)
            if target is not None:
                self._feedback.set_by(target, _peer(page))
            if found := came_of(change.command, self.desk.state):
                outcome.answers.append([change.address, *found])
        waiting.clear()

    def _answer(self, asked: Query | Ask, outcome: Outcome) -> None:
        address = asked.leaf.address if isinstance(asked, Query) else f"{ROOT}/{asked.name}"
        try:
            if isinstance(asked, Query):
                outcome.answers.append([address, *wire_values(asked.leaf, self.desk.state)])
            elif asked.name in _NOT_HERE:
                raise ControlError(f"{address} is for OSC; a page hears of every change")
            else:
                told = answers(asked, self.desk, [], self.counters, self._ports)
                outcome.answers.extend([to, *args] for to, args in told)
        except AudiobendError as error:
            code = WRONG_ARGUMENTS if isinstance(asked, Ask) and asked.args else REFUSED
            outcome.fails.append([address, code, str(error)])

    def snapshot(self) -> dict[str, Any]:
        """Return the state as it is now."""
        self._follow_context()
        state = self.desk.state
        return state_facts(state, Feedback(self._table, state).told)

    def model(self) -> dict[str, Any]:
        """Return what there is to tell about the model."""
        return {**model_facts(self.desk.context), "name": self.desk.state.model}

    def news(self) -> News | None:
        """Return what has changed since the last call; None where nothing has."""
        followed, state = self._follow_context(), self.desk.state
        lines = list(self._lines(state))
        before, self._seen = self._seen, _whole_of(state)
        is_new = followed or before != self._seen
        if not lines and not is_new:
            return None
        return News(lines, self.snapshot() if is_new else None, self.model() if followed else None)

    def _lines(self, state: State) -> Iterable[tuple[int, Line]]:
        for told, setter in self._feedback.changes(state, NEWS):
            yield (0 if setter is None else setter[1]), [told.address, *told.args]
        steps, self._steps = self._steps, _steps_of(state)
        for address, count in self._steps.items():
            if steps[address] != count:
                yield 0, [address, count]
        if state.model_error != self._model_error:
            self._model_error = state.model_error
            if state.model_error:
                yield 0, [f"{ROOT}/fail", f"{ROOT}/model/load", REFUSED, state.model_error]

    def _follow_context(self) -> bool:
        """Go on with another model's addresses; return whether there is one."""
        if self._table.context is self.desk.context:
            return False
        self._table = Table(self.desk.context)
        self._feedback.move_to(self._table)
        return True


def _peer(page: int) -> Peer:
    return "page", page


def _whole_of(state: State) -> object:
    """Return what is told anew as a whole when it changes: the chain, the scenes, the takes."""
    chain = [(one.id, one.layer, one.transform, one.features) for one in state.patch.bends]
    return state.model, chain, kept_facts(state)


def _steps_of(state: State) -> dict[str, int]:
    return {f"{ROOT}/undo/count": len(state.history.past), f"{ROOT}/redo/count": len(state.history.future)}
