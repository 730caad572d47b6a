"""Processes that make entries side by side; an interrupted run leaves what is finished, and no process behind."""

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from audiobend.clustering.catalog.entries import Entry
from audiobend.clustering.catalog.store import Store
from audiobend.clustering.catalog.workshop import Workshop
from audiobend.errors import AudiobendError, AudioError

Job = tuple[Entry, str]
"""An entry and its key."""


def make(workshop: Workshop, store: Store, job: Job) -> str:
    """Make one entry and keep it; return why it could not be made, or nothing.

    Only rendering may fail by itself: where the disk fails, all that follow would.
    """
    entry, key = job
    try:
        made = workshop.make(entry)
    except AudiobendError as error:
        return str(error)
    except (RuntimeError, ValueError, ArithmeticError, IndexError) as error:
        return f"could not be rendered: {type(error).__name__}: {error}".splitlines()[0][:200]
    store.keep(entry, key, made, workshop.model.codec.sample_rate)
    return ""


def work(workshop: Workshop, store: Store, jobs: Sequence[Job], n_processes: int) -> Iterator[tuple[Entry, str]]:
    """Make entries; yield each when it is done, with why it failed or nothing.

    Raises
    ------
    AudioError
        If nothing more can be written, or a process dies.
    """
    if n_processes <= 1 or len(jobs) < 2 * n_processes:
        for job in jobs:
            yield job[0], make(workshop, store, job)
        return
    others = active_children()
    with TemporaryDirectory(prefix="audiobend-catalog-") as folder:
        luggage = Path(folder) / "luggage"    # a file: to write it through a pipe takes seconds that Ctrl-C may cut off
        luggage.write_bytes(pickle.dumps((workshop.model, workshop.subject, workshop.seed, store.folder)))
        pool = ProcessPoolExecutor(n_processes, get_context("spawn"), _begin, (luggage,))
        try:
            with _ignoring_ctrl_c():
                futures = {pool.submit(_make_here, job): job[0] for job in jobs}
            yield from _finished(futures)
        except BrokenProcessPool:
            raise AudioError(
                "a process of the catalog died (perhaps for lack of memory); run it again to go on, with --jobs 1"
            ) from None
        except BaseException:
            for child in active_children():    # files appear whole or not at all: nobody need finish
                if child not in others:
                    child.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _ignoring_ctrl_c() -> Iterator[None]:
    """Let processes be born without an ear for Ctrl-C, which is the first process's business."""
    if threading.current_thread() is not threading.main_thread():    # no other may touch signals
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _finished(futures: dict["Future[str]", Entry]) -> Iterator[tuple[Entry, str]]:
    for future in as_completed(futures):
        yield futures[future], future.result()


_bench: Callable[[Job], str] | None = None


def _begin(luggage: Path) -> None:
    """Set up a process; the first process's end is its own."""
    global _bench
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    torch.set_num_threads(1)
    model, subject, seed, folder = pickle.loads(luggage.read_bytes())
    workshop, store = Workshop(model, subject, seed), Store(folder)
    _bench = partial(make, workshop, store)


def _follow_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make_here(job: Job) -> str:
    assert _bench is not None
    return _bench(job)
