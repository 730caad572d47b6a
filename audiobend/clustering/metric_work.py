"""Train the networks of several layers at once, each in a process with one thread: the same bits on any machine."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

import torch
from torch import Tensor

from audiobend.clustering.listening import one_thread
from audiobend.clustering.maps import Pictures
from audiobend.clustering.metric import BATCH, accuracy, embeddings, train
from audiobend.clustering.metric_network import MetricNetwork, depth_for, laid_out
from audiobend.errors import ClusteringError

LOOK_SECONDS = 0.2
LOOKING = 0.25
"""To embed a batch takes as long as this part of a training step."""


@dataclass(frozen=True)
class Job:
    """One layer: maps to learn from, maps to be measured on, and for how many steps."""

    maps: Pictures
    test: Pictures
    steps: int
    seed: int

    def work(self, step: int | None = None) -> float:
        """Return about how long it takes up to a step, or all of it, in an arbitrary unit."""
        n_samples, n_features, height, width = self.maps.shape
        looking = LOOKING * n_samples * n_features / BATCH if step is None else 0.0
        return ((self.steps if step is None else step) + looking) * height * width


@dataclass(frozen=True)
class Learnt:
    """A layer's network, its accuracy on maps it never saw, and the mean embedding of each feature."""

    network: MetricNetwork
    accuracy: float
    embeddings: Tensor


class _StoppedError(Exception):
    pass


def learn_all(jobs: Sequence[Job], n_processes: int, on_progress: Callable[[float], None]) -> list[Learnt]:
    """Train, measure and embed each layer; in this process if one is enough.

    Parameters
    ----------
    jobs : sequence of Job
    n_processes : int > 0
    on_progress : callable
        Takes the share done, 0..1.
    """
    if min(n_processes, len(jobs)) == 1:
        return [_learn(job, on_step) for job, on_step in _one_after_the_other(jobs, on_progress)]
    context = get_context("spawn")
    stop, done = context.Event(), context.Array("d", len(jobs))
    with ProcessPoolExecutor(min(n_processes, len(jobs)), context, _begin, (stop, done)) as pool:
        order = sorted(range(len(jobs)), key=lambda index: -jobs[index].work())
        futures = {index: pool.submit(_learn_apart, jobs[index], index) for index in order}
        try:
            _watch(list(futures.values()), done, sum(job.work() for job in jobs), on_progress)
            return [_unpacked(jobs[index], futures[index].result()) for index in range(len(jobs))]
        except BrokenExecutor:
            raise ClusteringError(
                "a process that trained a layer was ended from outside, perhaps for want of memory; use fewer --jobs"
            ) from None
        finally:
            stop.set()    # a training that is not wanted any more ends with its step


def _learn(job: Job, on_step: Callable[[int], None]) -> Learnt:
    with one_thread():
        network = train(job.maps, job.steps, job.seed, on_step=on_step)
        return Learnt(network, accuracy(network, job.test), embeddings(network, job.maps))


def _one_after_the_other(
    jobs: Sequence[Job], on_progress: Callable[[float], None]
) -> Iterator[tuple[Job, Callable[[int], None]]]:
    total, before = sum(job.work() for job in jobs), 0.0
    for job in jobs:

        def on_step(step: int, job: Job = job, before: float = before) -> None:
            on_progress((before + job.work(step)) / total)

        yield job, on_step
        before += job.work()
        on_progress(before / total)


def _watch(futures: list["Future[Any]"], done: Any, total: float, on_progress: Callable[[float], None]) -> None:
    waiting = set(futures)
    while waiting:
        finished, waiting = wait(waiting, LOOK_SECONDS)
        for future in finished:
            future.result()
        on_progress(min(1.0, sum(done) / total))


_stop: Any = None
_done: Any = None


def _begin(stop: Any, done: Any) -> None:
    global _stop, _done
    signal.signal(signal.SIGINT, signal.SIG_IGN)    # Ctrl-C goes to every process; the first one tells the others
    _stop, _done = stop, done
    Thread(target=_end_with_the_first, daemon=True).start()


def _end_with_the_first() -> None:
    """End this process when the first one is gone: it may have been killed, and could not say so."""
    first = parent_process()
    if first:
        first.join()
        os._exit(1)


def _learn_apart(job: Job, index: int) -> tuple[dict[str, Any], float, Any]:
    def on_step(step: int) -> None:
        if _stop.is_set():
            raise _StoppedError
        _done[index] = job.work(step)

    learnt = _learn(job, on_step)
    _done[index] = job.work()
    # Arrays, not tensors: those would come through shared memory, which small machines are short of.
    state = {name: value.numpy() for name, value in learnt.network.state_dict().items()}
    return state, learnt.accuracy, learnt.embeddings.numpy()


def _unpacked(job: Job, parts: tuple[dict[str, Any], float, Any]) -> Learnt:
    state, right, points = parts
    _, n_features, height, width = job.maps.shape
    network = MetricNetwork(n_features, height, width, depth_for(height))
    network.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    return Learnt(laid_out(network).eval().requires_grad_(False), right, torch.from_numpy(points))
