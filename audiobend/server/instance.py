"""An instance: one plugin's connection, and the performance that it plays."""

import socket
import threading
from collections.abc import Callable, Sequence
from time import monotonic, sleep
from typing import TypeVar

from audiobend.control import Command, DeleteScene, LoadPatch, SaveScene
from audiobend.errors import AudiobendError, ControlError
from audiobend.live.rings import Count
from audiobend.page.opening import Page
from audiobend.server.hand import Played
from audiobend.server.kept import Kept
from audiobend.server.messages import Line, Message
from audiobend.server.project import Project, parse_project
from audiobend.server.studio import Studio, asked_by

T = TypeVar("T")
PLAYING, OWED, RESTING = 0.002, 0.0004, 0.02
"""Seconds between two looks at the host: while it plays, while it waits for a change, and while it is silent."""
GOING = 2.0
"""Seconds that one who comes waits for those who go: a plugin that begins anew is here before what it was is over."""
LOOK = 0.05
"""Seconds between two looks at the engine."""
KEPT = 0.2
"""Seconds between two texts for the project."""
SILENT = 1.0
"""Seconds without a block after which the host counts as silent."""
EXPECTED = 5.0
"""Seconds of bent sound after which what is measured counts more than what was expected."""


class Instance:
    """A plugin that has connected; `run` serves it until it goes.

    Parameters
    ----------
    number : int
    connection : socket
    studio : Studio
    tell : callable
        Takes sentences, from any thread.
    others : callable
        Returns those that are there now; itself may be among them.

    Attributes
    ----------
    page : Page or None
        Where what it plays can be seen and turned, once it plays.
    """

    def __init__(
        self,
        number: int,
        connection: socket.socket,
        studio: Studio,
        tell: Callable[[str], None],
        others: Callable[[], Sequence["Instance"]] = tuple,
    ) -> None:
        self.number, self._studio, self._others = number, studio, others
        self._connection, self._line = connection, Line(connection)
        self._tell_all = tell
        self._played: Played | None = None
        self._looking = threading.Lock()    # who looks at what is played keeps it from ending
        self._has_left = threading.Event()
        self.page: Page | None = None

    def _tell(self, sentence: str) -> None:
        self._tell_all(f"instance {self.number}: {sentence}")

    def run(self) -> None:
        """Serve it; whatever it does ends here, and harms nobody else."""
        try:
            hello = self._line.first()
            if hello is not None:
                self._serve(hello)
        except AudiobendError as error:
            self.refuse(str(error))
        except Exception as error:    # a mistake of ours: the others play on
            self.refuse(f"the server has made a mistake ({type(error).__name__}: {error})")
        finally:
            self._leave()
            self._line.cut()
            self._connection.close()

    def refuse(self, sentence: str) -> None:
        """Say why not."""
        self._tell(sentence)
        self._line.send(Message("refuse", (), sentence))

    def stop(self) -> None:
        """Ask for the end, from any thread."""
        self._line.cut()

    def seen(self, look: Callable[[Played], T]) -> T | None:
        """Look at what is played, from any thread; None where nothing is, not yet or not any more."""
        with self._looking:
            return None if self._played is None else look(self._played)

    def _serve(self, hello: Message) -> None:
        studio = self._studio
        asked = asked_by(hello, studio.default)
        self._await_leaving()
        if self._line.is_over:    # nobody is there any more
            return
        with studio.begin(self.number, asked, self._tell) as played, studio.page(played, self._tell) as page:
            self._played, self.page = played, page
            delay = played.shared[Count.DELAY]
            kept = Kept(self._line, self._tell, asked.project, delay)
            facts = map(str, (delay, self.number, played.osc.port))
            self._line.send(Message("welcome", (f"/{played.memory}", *facts)))
            player = threading.Thread(target=self._play, args=(played, kept), daemon=True, name=f"play {self.number}")
            player.start()
            try:
                self._listen(played, kept)
            except AudiobendError as error:
                self.refuse(str(error))
            finally:
                if page is not None:
                    page.close()
                played.osc.close()
                self._leave()
                played.stop()
                player.join()
                with self._looking:
                    self._played = None

    def _await_leaving(self) -> None:
        """Wait for the room and the ports of those that have hung up: it may be one of them that comes again."""
        end = monotonic() + GOING
        for one in self._others():
            if one is not self and one._line.is_over:
                one._has_left.wait(max(0.0, end - monotonic()))

    def _leave(self) -> None:
        """Let others have the room; the ports are free by now."""
        self._studio.leave(self.number)
        self._has_left.set()

    # ---- what the plugin says

    def _listen(self, played: Played, kept: Kept) -> None:
        for message in self._line.others():
            if message.verb != "state":
                continue
            project = parse_project(message.body, self._studio.default)
            if project.engine != kept.project.engine:
                return    # it comes again, and gets another engine
            _load(played, project)

    # ---- what is played

    def _play(self, played: Played, kept: Kept) -> None:
        try:
            if played.start():
                self._follow(played, kept)
        except AudiobendError as error:
            self.refuse(str(error))
        except Exception as error:
            self.refuse(f"the server has made a mistake ({type(error).__name__}: {error})")
        finally:
            self._line.cut()

    def _follow(self, played: Played, kept: Kept) -> None:
        shared = played.shared
        looked = told = heard = 0.0
        callbacks = -1
        while True:
            owes, now = played.follow(), monotonic()
            if owes or now - looked >= LOOK:
                looked = now
                if not played.look():
                    return
            if now - told >= KEPT:
                told = now
                kept.look(played)
                self._measure(played)
            if shared[Count.CALLBACKS] != callbacks:
                callbacks, heard = shared[Count.CALLBACKS], now
            waits = owes or shared[Count.WAITS]
            sleep(RESTING if now - heard > SILENT else OWED if waits else PLAYING)

    def _measure(self, played: Played) -> None:
        status = played.status()
        if status.load and status.is_bent and status.seconds > EXPECTED:
            self._studio.measured(self.number, status.load)


def _load(played: Played, project: Project) -> None:
    """Play another project; `ControlError` where it does not fit."""
    commands: list[Command] = [DeleteScene(name) for name in played.desk.state.scenes]
    for name, patch in project.scenes.items():
        commands += [LoadPatch(patch), SaveScene(name)]
    for error in played.desk.apply([*commands, LoadPatch(project.patch)]):
        if error is not None:
            raise ControlError(f"the project's state does not fit: {error}")
