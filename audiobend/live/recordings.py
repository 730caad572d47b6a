"""Recordings of what is played, into the session's folder, as the state at the desk asks for them."""

from collections.abc import Callable
from functools import partial
from threading import Lock

from audiobend.control import EndedRecording, State
from audiobend.errors import AudiobendError, TakeError
from audiobend.io.session import Session
from audiobend.io.soundwriter import AudioWriter
from audiobend.live.audio import Streaming
from audiobend.live.recorder import Recorder, Recorders
from audiobend.osc.desk import Desk


class Recordings:
    """Begins and ends them; nothing here waits for a disk.

    Parameters
    ----------
    desk : Desk
        Is told of those that have ended.
    session : Session or None
        None where nothing is recorded.
    tell : callable
        Takes a sentence about one that could not be written, from any thread.
    """

    def __init__(self, desk: Desk, session: Session | None, tell: Callable[[str], None]) -> None:
        self._desk, self._session, self._tell = desk, session, tell
        self._lock = Lock()
        self._wanted = ""
        self._recorders: Recorders | None = None
        self._card: Callable[[], Streaming]
        self._running: Recorder | None = None

    @property
    def samples(self) -> int:
        """How much has been recorded; 0 where nothing is being recorded."""
        with self._lock:
            return self._running.samples if self._running is not None else 0

    def ready(self, recorders: Recorders, card: Callable[[], Streaming]) -> None:
        """Begin with what is wanted already: sound runs from now on, through what ``card`` returns."""
        with self._lock:
            self._recorders, self._card = recorders, card
            self._begin()

    def follow(self, before: State, after: State) -> None:
        """Begin or end one as the state asks; called by the desk, and returns at once."""
        if after.recording == before.recording:
            return
        with self._lock:
            if self._running is not None:
                self._running.end()
            self._running, self._wanted = None, after.recording
            self._begin()

    def _begin(self) -> None:
        if self._wanted and self._session is not None and self._recorders is not None:
            card, name = self._card(), self._wanted
            open = partial(_opened, self._session, name, card.rate, card.out_channels)
            self._running = self._recorders.begin(open, partial(self._ended, self._session, name))

    def _ended(self, session: Session, name: str, writer: AudioWriter | None, error: AudiobendError | None) -> None:
        """Give the file its name, and tell the desk; on the recorder's thread."""
        kept_as = ""
        if error is not None:
            self._tell(f"recording '{name}': {error}" + ("; it ends here" if writer is not None else ""))
        try:
            kept_as = _kept(session, name, writer) if writer is not None else ""
        except AudiobendError as wrong:
            self._tell(f"recording '{name}': {wrong}")
        if kept_as not in ("", name):
            self._tell(f"there is a recording '{name}' that was not there before; this one is '{kept_as}'")
        self._desk.apply([EndedRecording(name, kept_as)])


def _opened(session: Session, name: str, rate: int, channels: int) -> AudioWriter:
    """Open a file that nobody sees before it is whole; `TakeError` where there is one of that name."""
    return AudioWriter(session.new_recording(name), rate, channels)


def _kept(session: Session, name: str, written: AudioWriter) -> str:
    """Give a file its name, and return it; `TakeError` where it holds nothing."""
    if written.frames == 0:
        written.path.unlink(missing_ok=True)
        raise TakeError("nothing was played while it was recorded")
    return session.keep_recording(written.path, name)
