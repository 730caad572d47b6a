"""A session: a folder with the scenes, takes and recordings of a performance, so that they are there the next time.

::

    scenes/low tide.yaml     a patch file for each scene
    takes/take-1.jsonl       see `audiobend.io.takefile`
    recordings/ebb.wav       what was played

Names come from anybody who may send OSC: they become file names here and nowhere else.
"""

import os
import secrets
from contextlib import suppress
from itertools import count
from pathlib import Path
from urllib.parse import quote, unquote

import platformdirs

from audiobend.bending import Patch
from audiobend.control.scenes import check_name
from audiobend.errors import AudiobendError, TakeError
from audiobend.io.files import reason
from audiobend.io.patchfile import load_patch, save_patch

FOLDER_VARIABLE = "AUDIOBEND_SESSION"
MAX_FILES = 4096
_PLAIN = " !'()+-_."


def default_folder() -> Path:
    """Return where a session lies when nobody says: ``$AUDIOBEND_SESSION``, or where the system keeps documents."""
    return Path(os.environ.get(FOLDER_VARIABLE) or platformdirs.user_documents_path() / "audiobend" / "session")


class Session:
    """A folder that is made when something is first written to it.

    Parameters
    ----------
    folder : Path or None
        None is the default one.

    Raises
    ------
    TakeError
        Where it is no folder, or may not be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Session(Path(folder)).save_scene("low tide", Patch(seed=3))
    ...     Session(Path(folder)).scenes()[0]["low tide"].seed
    3
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()
        try:
            if self.folder.exists() and not self.folder.is_dir():
                raise TakeError(f"{self.folder}: is a file; a session is a folder")
        except OSError as error:
            raise TakeError(f"{self.folder}: cannot be read: {reason(error)}") from None

    def scenes(self) -> tuple[dict[str, Patch], list[str]]:
        """Return the scenes by name, and a sentence for each file that is none."""
        found: dict[str, Patch] = {}
        wrong = []
        for path in self._files("scenes", ".yaml"):
            try:
                found[check_name(unquote(path.stem))] = load_patch(path)
            except AudiobendError as error:
                wrong.append(str(error))
        return found, wrong

    def takes(self) -> tuple[str, ...]:
        """Return the names of the takes."""
        return tuple(unquote(path.stem) for path in self._files("takes", ".jsonl"))

    def save_scene(self, name: str, patch: Patch) -> None:
        """Write a scene, whole or not at all."""
        save_patch(patch, self._place("scenes", name, ".yaml"))

    def delete_scene(self, name: str) -> None:
        """Remove a scene's file, if there is one."""
        path = self.folder / "scenes" / f"{_file_name(name)}.yaml"
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise TakeError(f"{path}: cannot be removed: {reason(error)}") from None

    def take_path(self, name: str) -> Path:
        """Return where a take of that name is to be written; its folder is there."""
        return self._place("takes", name, ".jsonl")

    def recordings(self) -> tuple[str, ...]:
        """Return the names of the recordings that are whole."""
        return tuple(unquote(path.stem) for path in self._files("recordings", ".wav"))

    def recording_path(self, name: str) -> Path:
        """Return where a recording lies, or would lie."""
        return self.folder / "recordings" / f"{_file_name(name)}.wav"

    def new_recording(self, name: str) -> Path:
        """Return where a recording is written until it is whole; `TakeError` where there is a file of its name."""
        if self._place("recordings", name, ".wav").exists():
            raise TakeError(f"{self.recording_path(name)}: there is such a file already; choose another name")
        return self.folder / "recordings" / f".{secrets.token_hex(6)}.wav"

    def keep_recording(self, written: Path, name: str) -> str:
        """Give a recording that is whole its name, with a number where a file has it meanwhile; return that name."""
        for kept_as in (name if n == 1 else f"{name} {n}" for n in count(1)):
            path = self.recording_path(kept_as)
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))    # now it is nobody else's
                written.replace(path)
                break
            except FileExistsError:
                continue
            except OSError as error:
                raise TakeError(f"{path}: cannot be written: {reason(error)}; it is in {written}") from None
        return kept_as

    def _files(self, kind: str, ending: str) -> list[Path]:
        with suppress(OSError):
            found = (self.folder / kind).glob(f"*{ending}")
            return sorted(path for path in found if not path.name.startswith("."))[:MAX_FILES]
        return []

    def _place(self, kind: str, name: str, ending: str) -> Path:
        folder = self.folder / kind
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TakeError(f"{folder}: cannot be made: {reason(error)}") from None
        return folder / f"{_file_name(name)}{ending}"


def _file_name(name: str) -> str:
    """Return a name that every system takes; `unquote` gives the name back.

    >>> _file_name("low tide"), _file_name("a: b."), _file_name("ebb%")
    ('low tide', 'a%3A b%2E', 'ebb%25')
    """
    text = "".join(one if one.isalnum() or one in _PLAIN else quote(one, safe="") for one in name)
    return text if text[-1] not in " ." else f"{text[:-1]}%{ord(text[-1]):02X}"
