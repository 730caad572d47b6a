"""What of a performance is written to disk: scenes and takes, of a session or of one file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from audiobend.bending import Patch
from audiobend.control import Command, State
from audiobend.control.scenes import check_name
from audiobend.errors import ControlError
from audiobend.io.session import Session
from audiobend.io.takefile import TakeHead
from audiobend.live.keeper import Keeper
from audiobend.live.seam import Told
from audiobend.live.takes import Takes


@dataclass(frozen=True)
class Keeping:
    """What outlives a performance.

    Attributes
    ----------
    session : Session or None
        Where scenes and takes lie; None keeps scenes in memory, and no takes.
    take : Path or None
        A take that is recorded from the beginning; an existing file is replaced.
    scenes : mapping from name to Patch
        Those of a performance without a session.
    """

    session: Session | None = None
    take: Path | None = None
    scenes: Mapping[str, Patch] = field(default_factory=dict)


class Archive:
    """Reads what was kept, and keeps what changes; nothing here waits for a disk.

    Parameters
    ----------
    keeping : Keeping
    tell : callable
        Takes sentences about what cannot be read or written, from any thread.
    on_failure : callable
        Is called when a take could not be written.

    Attributes
    ----------
    session : Session or None
    scenes : mapping from name to Patch
    takes : tuple of str
        Names of those there are; both as it was at the beginning.
    """

    def __init__(self, keeping: Keeping, tell: Callable[[str], None], on_failure: Callable[[], None]) -> None:
        self.session, self._path = keeping.session, keeping.take
        self.scenes = dict(keeping.scenes)
        self.takes: tuple[str, ...] = ()
        if self.session is not None:
            self.scenes, wrong = self.session.scenes()
            self.takes = tuple(one for one in self.session.takes() if one != self.first_take)
            for sentence in wrong:
                tell(sentence)
        self._keeper = Keeper(tell)
        self._takes = Takes(self._keeper, on_failure)

    @property
    def first_take(self) -> str:
        """Name of the take that is to be recorded from the beginning; empty where there is none, or it has begun."""
        return "" if self._path is None else _name_of(self._path)

    def ready(self, head: TakeHead, origin: int, now: Callable[[], int] | None = None) -> None:
        """See `Takes.ready`."""
        self._takes.ready(head, origin, now)

    def anew(self, head: TakeHead) -> None:
        """See `Takes.anew`."""
        self._takes.anew(head)

    def note(self, number: int, commands: Sequence[Command], after: State, seconds: float) -> None:
        """See `Takes.note`."""
        self._takes.note(number, commands, after, seconds)

    def told(self, told: Told) -> None:
        """See `Takes.told`."""
        self._takes.told(told)

    def keep(self, before: State, after: State, number: int) -> None:
        """Keep what has changed; ``number`` is that of the last change that the engine was told."""
        if after.scenes is not before.scenes and self.session is not None:
            self._keep_scenes(self.session, before, after)
        if after.take != before.take:
            self._record(after.take, number)

    def close(self) -> None:
        """Do what is left; a take that is being recorded is whole."""
        self._takes.close()
        self._keeper.close()

    def _keep_scenes(self, session: Session, before: State, after: State) -> None:
        for name, patch in after.scenes.items():
            if before.scenes.get(name) is not patch:
                self._keeper.do(partial(session.save_scene, name, patch), instead_of=name)
        for name in before.scenes.keys() - after.scenes.keys():
            self._keeper.do(partial(session.delete_scene, name), instead_of=name)

    def _record(self, name: str, number: int) -> None:
        """Begin or end a take."""
        self._takes.stop(number)
        path, self._path = self._path, None
        if name and path is not None and name == _name_of(path):
            self._takes.start(lambda: path)
        elif name and self.session is not None:
            self._takes.start(partial(self.session.take_path, name))


def _name_of(path: Path) -> str:
    """Return what a take in a file of any name is called."""
    try:
        return check_name(path.stem, "take")
    except ControlError:
        return "take"
