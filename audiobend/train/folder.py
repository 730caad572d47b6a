"""A training's folder: who may write into it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from audiobend.errors import TrainingError
from audiobend.io.files import reason
from audiobend.train import checkpoint

LOCK = "training.lock"


def refuse_second_run(out: Path, resume: bool) -> None:
    """Raise `TrainingError` where training into ``out`` would lose something, or there is nothing to resume."""
    begun, finished = (out / checkpoint.NAME).exists(), (out / "model.yaml").exists()
    if out.exists() and not out.is_dir():
        raise TrainingError(f"{out}: is a file, not a folder; give --out a folder")
    if resume and not begun and finished:
        raise TrainingError(f"{out}: this training is finished and its checkpoint gone")
    if resume and not begun:
        raise TrainingError(f"{out / checkpoint.NAME}: there is no checkpoint to resume from; leave out --resume")
    if not resume and finished:
        raise TrainingError(
            f"{out}: holds a finished model; "
            "choose another --out, or train it further with --resume and more --minutes"
        )
    if not resume and begun:
        raise TrainingError(f"{out}: holds an unfinished training; go on with --resume or choose another --out")


@contextmanager
def locked(out: Path, resume: bool) -> Iterator[None]:
    """Make the folder and keep other trainings out of it; the lock of a process that was killed is open."""
    made = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise TrainingError(f"{out}: another training is writing here; choose another --out, or wait for it") from None
    except OSError as error:
        raise TrainingError(f"{out}: this folder cannot be made or written to: {reason(error)}") from None
    try:
        refuse_second_run(out, resume)    # again: another run may have come between
        yield
    finally:
        lock.release()
        with suppress(OSError):
            (out / LOCK).unlink(missing_ok=True)
            if made:
                out.rmdir()    # only if nothing was written
