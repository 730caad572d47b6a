"""Does what was done in a take again while sound runs: its commands at their times, by the clock of the sound."""

import threading
from collections.abc import Callable
from pathlib import Path
from time import sleep

from audiobend.control import HaltTake, State
from audiobend.errors import AudiobendError
from audiobend.io.takereading import load_take
from audiobend.osc.desk import Desk
from audiobend.takes import cues

PACE = 0.005
"""Seconds between two looks at the clock: shorter than the shortest stride."""


class Cueing:
    """Plays takes for a desk, one at a time; the newest ends the one before.

    Parameters
    ----------
    desk : Desk
    path_of : callable
        Returns where a take lies, by its name.
    seconds : callable
        Returns how much sound has passed.
    tell : callable
        Takes a sentence about a take that cannot be played, from any thread.
    """

    def __init__(
        self, desk: Desk, path_of: Callable[[str], Path], seconds: Callable[[], float], tell: Callable[[str], None]
    ) -> None:
        self._desk, self._path_of, self._seconds, self._tell = desk, path_of, seconds, tell

    def follow(self, before: State, after: State) -> None:
        """Begin a take where one is asked for; called by the desk, and returns at once."""
        if after.plays != before.plays:
            given = (after.playing, after.plays, self._seconds())
            threading.Thread(target=self._play, args=given, daemon=True, name="cueing").start()

    def _play(self, name: str, number: int, begun: float) -> None:
        try:
            self._cue(name, number, begun)
        except AudiobendError as error:
            self._tell(f"take '{name}': {error}")
        if self._is_on(number):
            self._desk.apply([HaltTake()])

    def _cue(self, name: str, number: int, begun: float) -> None:
        take = load_take(self._path_of(name))
        for cue in cues(take, self._desk.context, self._desk.state.scenes):
            while self._seconds() - begun < cue.seconds:
                if not self._is_on(number):
                    return
                sleep(PACE)
            if not self._is_on(number):
                return
            for error in self._desk.apply(cue.commands):
                if error is not None:
                    raise error

    def _is_on(self, number: int) -> bool:
        state = self._desk.state
        return state.plays == number and bool(state.playing)
