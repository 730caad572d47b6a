"""Child processes that never outlive their parent, and the pipes to them."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any

_spawning = multiprocessing.get_context("spawn")


def prepare_copies(*modules: str) -> None:
    """Begin a process that imports these modules, for every `Child` that ``is_forked`` to be a copy of; do not wait.

    Copies share its memory, and begin at once. Linux only: elsewhere libraries do not bear being copied, and such
    processes begin as all others do.
    """
    if sys.platform == "linux":
        from multiprocessing import forkserver

        forkserver.set_forkserver_preload(list(modules))
        with _without_interrupts():
            forkserver.ensure_running()


def begin() -> None:
    """Set up a child process: Ctrl-C is the parent's business, and when the parent dies so does the child.

    The parent may be killed in a way that it cannot tell anybody of, and the child may hang inside a library of the
    sound system; so a thread waits for the parent's end and leaves without any tidying.
    """
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent.sentinel,), daemon=True, name="lifeline").start()


def _leave_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(0)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start children with Ctrl-C blocked: one that is still importing would end in a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()    # it lets signals through when it begins, so not in between
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Child:
    """A process of our own with a pipe to it.

    Parameters
    ----------
    target : function of ``(pipe, *args)``, importable by name
    args : what can be pickled
    is_forked : bool
        Begin as a copy, see `prepare_copies`; waits until that process has imported all.
    """

    def __init__(self, target: Callable[..., None], *args: Any, is_forked: bool = False) -> None:
        ours, theirs = _spawning.Pipe()
        self._pipe: Connection = ours
        self._sending = threading.Lock()
        self._process = _begun(target, (theirs, *args), is_forked and sys.platform == "linux")
        theirs.close()    # so that the pipe breaks when the child ends
        self.born = monotonic()

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return int(self._process.pid or 0)

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return bool(self._process.is_alive())

    def send(self, message: Any) -> None:
        """Send a message, from any thread; one to a child that has gone is forgotten."""
        with self._sending, suppress(OSError):
            self._pipe.send(message)

    def receive(self, timeout: float = 0.0) -> Iterator[Any]:
        """Yield the messages that have come, waiting up to ``timeout`` seconds for the first."""
        with suppress(EOFError, OSError):
            while self._pipe.poll(timeout):
                yield self._pipe.recv()
                timeout = 0.0

    def end(self, patience: float = 0.0) -> None:
        """Wait ``patience`` seconds for the child to end by itself, then kill it."""
        self._process.join(patience)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(2.0)
        self._pipe.close()


def _begun(target: Callable[..., None], args: tuple[Any, ...], is_forked: bool) -> Any:
    context: Any = multiprocessing.get_context("forkserver") if is_forked else _spawning
    process = context.Process(target=target, args=args, daemon=True, name=target.__module__)
    try:
        with _without_interrupts():
            process.start()
    except (OSError, EOFError):
        if not is_forked:
            raise
        return _begun(target, args, is_forked=False)    # what it would have copied has been killed
    return process
