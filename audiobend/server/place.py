"""Where the server is met: a socket in a folder that belongs to the user alone, and one server at a time."""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from audiobend.errors import DeviceError
from audiobend.io.files import reason

VARIABLE = "AUDIOBEND_SERVER"
WAITING = 16
"""Connections that wait to be accepted."""
LONGEST = 100
"""Bytes of a socket's path that every system takes."""


def socket_path() -> Path:
    """Return where the socket is: ``$AUDIOBEND_SERVER``, or the user's folder for such things."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / "audiobend" if runtime else Path("/tmp") / f"audiobend-{os.getuid()}"
    return folder / "server.sock"


def lock_path(path: Path) -> Path:
    """Return the file that whoever serves at a socket holds."""
    return path.with_suffix(".lock")


class Door:
    """The socket, open; `close` removes it.

    Raises
    ------
    DeviceError
        Where the folder is not the user's alone, another server answers, or the system refuses: one sentence.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if len(os.fsencode(path)) > LONGEST:
            raise DeviceError(f"{path}: a socket's path may have {LONGEST} bytes; name a shorter one with ${VARIABLE}")
        _check_folder(path.parent)
        self._lock = FileLock(lock_path(path), mode=0o600)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DeviceError(f"{path}: another audiobend server runs here; end it first") from None
        except OSError as error:
            raise DeviceError(f"{lock_path(path)}: cannot be locked: {reason(error)}") from None
        try:
            self.socket = self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> socket.socket:
        check_free(self.path)
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if self.path.exists() and not stat.S_ISSOCK(self.path.lstat().st_mode):
                raise DeviceError(f"{self.path}: is no socket; remove it, or name another place with ${VARIABLE}")
            self.path.unlink(missing_ok=True)    # nobody answers
            opened.bind(str(self.path))    # nobody else can pass through the folder
            self.path.chmod(0o600)
            opened.listen(WAITING)
        except OSError as error:
            opened.close()
            raise DeviceError(f"{self.path}: cannot be opened: {reason(error)}") from None
        except DeviceError:
            opened.close()
            raise
        return opened

    def close(self) -> None:
        """Close it, and let another server take the place."""
        self.socket.close()
        self.path.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_free(path: Path) -> None:
    """Refuse a place where somebody serves already."""
    if answers(path):
        raise DeviceError(f"{path}: another server answers here; end it first")


def answers(path: Path) -> bool:
    """Return whether somebody serves at a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, suppress(OSError):
        probe.settimeout(1.0)
        probe.connect(str(path))
        return True
    return False


def remove_stale(path: Path | None = None) -> Iterator[Path]:
    """Remove the socket of a server that was cut off; yield it, if there was one."""
    path = path or socket_path()
    if not path.is_socket() or answers(path):
        return
    with suppress(OSError, Timeout), FileLock(lock_path(path), timeout=0, mode=0o600):    # none is just beginning
        path.unlink()
        yield path


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise DeviceError(f"{folder}: cannot be made: {reason(error)}") from None
    if not stat.S_ISDIR(found.st_mode):
        raise DeviceError(f"{folder}: must be a folder and no link; name another one with ${VARIABLE}")
    if found.st_uid != os.getuid():
        raise DeviceError(f"{folder}: belongs to another user; name another one with ${VARIABLE}")
    if found.st_mode & 0o077:
        raise DeviceError(f"{folder}: others may enter it; close it with: chmod 700 {folder}")
