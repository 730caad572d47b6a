"""Whole files or no files: write beside the target, rename at the end, never touch an input."""

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from audiobend.errors import AudiobendError

PathLike = str | os.PathLike[str]

_WHILE_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
_REASONS = {
    errno.ENOENT: "there is no such file or folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the disk is read-only",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EISDIR: "it is a folder, not a file",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "the links of the path run in a circle",
    errno.EMFILE: "too many files are open",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than the system allows",
    errno.EIO: "the disk reports an error",
}


def reason(error: OSError) -> str:
    """Say why the system refused, in words; never an error number alone."""
    return _REASONS.get(error.errno or 0, error.strerror or str(error))


def check_readable(path: PathLike, error: type[AudiobendError] = AudiobendError) -> Path:
    """Return ``path`` if it is a file that opens and is not empty, else raise ``error`` with one sentence."""
    path = Path(path)
    if "\0" in str(path):
        raise error(f"{str(path)!r}: a file name cannot hold a zero byte")
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise error(f"{path}: is a folder, not a file")
        if not stat.S_ISREG(mode):    # before it is opened: a pipe would wait for ever
            raise error(f"{path}: is not a plain file")
        with path.open("rb") as file:
            if not file.read(1):
                raise error(f"{path}: the file is empty")
    except OSError as problem:
        raise error(f"{path}: cannot be read: {reason(problem)}") from None
    return path


MARK = "written by audiobend"
"""Stands near the beginning or the end of every file other than sound that a render writes."""


def bears_our_mark(path: PathLike) -> bool:
    """Return whether a patch, manifest or picture was written by a render, so that it may be replaced unasked."""
    try:
        content = Path(path).read_bytes()
    except OSError:
        return False
    return MARK.encode() in content[:65536] + content[-65536:]


def check_not_an_input(
    path: PathLike, inputs: Iterable[PathLike], error: type[AudiobendError] = AudiobendError
) -> None:
    """Refuse to write over a file that is being read; links of both kinds count as the same file."""
    path = Path(path)
    for source in map(Path, inputs):
        same = path.resolve() == source.resolve()
        with suppress(OSError):
            same = same or path.samefile(source)
        if same:
            raise error(f"{path}: is also the input; choose another name for the output")


@contextmanager
def write_atomically(
    path: PathLike, *, inputs: Iterable[PathLike] = (), error: type[AudiobendError] = AudiobendError
) -> Iterator[Path]:
    """Give an empty temporary file beside ``path``; rename it on success, remove it on any failure.

    Parameters
    ----------
    path : path
        Where the result shall lie. A link is followed: the file that it points to is replaced.
    inputs : paths
        Files that must not be overwritten; hard and symbolic links to them count as the same file.
    error : type
        What to raise, with one sentence: `AudiobendError` or one of its children.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with write_atomically(Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("low tide")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    given = Path(path)
    check_not_an_input(given, inputs, error)
    target = _target(given, error)
    temporary = target.with_name(f".audiobend-{secrets.token_hex(6)}{_short_suffix(target)}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as problem:
        raise error(f"{given}: cannot be written: {reason(problem)}") from None
    try:
        yield temporary
        _settle(temporary, target)
    except OSError as problem:
        nameless = problem.filename is None and problem.errno in _WHILE_WRITING
        if nameless or str(problem.filename) == str(temporary):
            raise error(f"{given}: cannot be written: {reason(problem)}") from None
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _target(path: Path, error: type[AudiobendError]) -> Path:
    """The place that ``path`` means, after links; a sentence where a file cannot lie there."""
    if "\0" in str(path) or not path.name:
        raise error(f"{str(path)!r}: is not a file name")
    try:
        target = path.resolve()
        if target.is_dir():
            raise error(f"{path}: is a folder, not a file")
        if target.exists() and not target.is_file():
            raise error(f"{path}: is not a plain file")
        if not target.parent.exists():
            raise error(f"{path}: the folder {path.parent} does not exist")
        if not target.parent.is_dir():
            raise error(f"{path}: {path.parent} is a file, not a folder")
        _check_name(target)
    except (OSError, RuntimeError) as problem:
        words = reason(problem) if isinstance(problem, OSError) else _REASONS[errno.ELOOP]
        raise error(f"{path}: cannot be written: {words}") from None
    return target


def _check_name(target: Path) -> None:
    """Raise now, not after an hour of rendering, where the system would not take this name."""
    with suppress(FileNotFoundError):
        target.lstat()


def _short_suffix(path: Path) -> str:
    return path.suffix if len(path.suffix) <= 8 else ""


def _settle(temporary: Path, target: Path) -> None:
    """Bring the bytes to the disk, keep the mode of a file that is replaced, and rename."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    if target.exists():
        temporary.chmod(stat.S_IMODE(target.stat().st_mode))
    temporary.replace(target)
