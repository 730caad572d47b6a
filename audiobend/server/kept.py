"""What the host keeps of an instance: its project as text and its latency, told to the plugin when they change."""

from collections.abc import Callable
from typing import cast

from audiobend.server.hand import Played
from audiobend.server.messages import MAX_BODY, Line, Message
from audiobend.server.project import Project, project_text
from audiobend.spectral.live_settings import Profile


class Kept:
    """What was told last.

    Parameters
    ----------
    line : Line
        To the plugin.
    tell : callable
        Takes sentences.
    project : Project
        That the instance began with.
    delay : int
        That the plugin was welcomed with, in samples.

    Attributes
    ----------
    project : Project
    """

    def __init__(self, line: Line, tell: Callable[[str], None], project: Project, delay: int) -> None:
        self.project = project
        self._line, self._tell, self._delay = line, tell, delay
        self._was_told = False

    def look(self, played: Played) -> None:
        """Tell the plugin what has changed."""
        project = self._project_of(played)
        if not self._was_told or project != self.project:
            self._was_told, self.project = True, project
            self._tell_project(project_text(project))
        if played.latency.delay != self._delay:
            self._delay = played.latency.delay
            self._line.send(Message("latency", (str(self._delay),)))

    def _tell_project(self, text: str) -> None:
        if len(text.encode()) <= MAX_BODY:
            self._line.send(Message("state", (), text))
        else:
            self._tell(f"the project keeps what it had: scenes and patch together may have {MAX_BODY >> 10} KiB")

    def _project_of(self, played: Played) -> Project:
        state, before = played.desk.state, self.project
        model, profile = played.source_of_model or before.model, played.setup.profile
        stride = before.stride if profile == before.profile else None
        return Project(model, cast(Profile, profile), stride, state.patch, state.scenes)
