"""Brings sound to the card and the profile that the state at the desk asks for, or takes the wish back."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import sleep

from audiobend.control import Set, State
from audiobend.errors import AudiobendError, TakeError
from audiobend.live.sides import Sides
from audiobend.osc.desk import Desk

HEARD = 0.3
"""Seconds until a wish that cannot be is taken back: sooner nobody would hear of either."""


class Choosing:
    """Follows the state; what takes long is done on a thread of its own, one wish after the other.

    Parameters
    ----------
    desk : Desk
    sides : Sides
    tell : callable
        Takes a sentence about a wish that cannot be, from any thread.
    """

    def __init__(self, desk: Desk, sides: Sides, tell: Callable[[str], None]) -> None:
        self._desk, self._sides, self._tell = desk, sides, tell
        self._one_by_one = ThreadPoolExecutor(1, "devices")
        self._telling = threading.local()    # what is told about cards is no wish for other ones

    def follow(self, before: State, after: State) -> None:
        """Play through what is asked for, if it is something else; called by the desk, and returns at once."""
        if _wished(after) != _wished(before) and not hasattr(self._telling, "used"):
            self._one_by_one.submit(self._choose, before, after)

    def tell_used(self) -> None:
        """Have the state say what is played through."""
        card = self._sides.streaming
        self._telling.used = {"profile": self._sides.setup.profile, "input": card.input, "output": card.output}
        try:
            self._desk.apply([Set(name, value) for name, value in self._telling.used.items()])
        finally:
            del self._telling.used

    def _choose(self, before: State, after: State) -> None:
        try:
            if after.profile != before.profile and after.take:
                raise TakeError(f"the take '{after.take}' is of one profile; stop it before another is chosen")
            if after.profile != before.profile:
                self._sides.use_profile(after.profile)
            if (after.input, after.output) != (before.input, before.output):
                self._sides.use_card(after.input, after.output)
        except AudiobendError as error:
            self._tell(str(error))
            sleep(HEARD)
            self.tell_used()


def _wished(state: State) -> tuple[str, str, str]:
    return state.profile, state.input, state.output
