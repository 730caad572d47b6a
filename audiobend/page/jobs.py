"""What is rendered for the page: one after the other, so that the sound that plays is not disturbed."""

import itertools
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from typing import Any

from audiobend.errors import ControlError
from audiobend.live.children import Child
from audiobend.page.work import Work, run_work

MAX_JOBS = 32
"""That are remembered; the result of an older one is removed."""


class Job:
    """One rendering, from waiting to done."""

    def __init__(self, number: int, work: Work, name: str) -> None:
        self.number, self.work, self.name = number, work, name
        self.state, self.share, self.sentence = "waiting", 0.0, ""
        self._begun = monotonic()

    def begin(self) -> None:
        """It is this one's turn."""
        self.state, self._begun = "running", monotonic()

    def hear(self, kind: str, value: Any) -> None:
        """Take what its process tells."""
        if kind == "share":
            self.share = float(value)
        else:
            self.state, self.sentence = kind, str(value)
            self.share = 1.0 if kind == "done" else self.share

    def facts(self) -> dict[str, Any]:
        """Return how it stands, for the page."""
        spent = monotonic() - self._begun
        left = spent * (1 - self.share) / self.share if self.state == "running" and self.share > 0.01 else None
        facts = {"job": self.number, "name": self.name, "state": self.state, "fraction": round(self.share, 4)}
        facts |= {"eta_s": None if left is None else round(left, 1), "sentence": self.sentence}
        return facts | ({"result": f"/api/results/{self.number}"} if self.state == "done" else {})


class Jobs:
    """Renders on a thread of its own, in a process for each job.

    Parameters
    ----------
    tell : callable
        Takes the facts of a job that has changed.

    Attributes
    ----------
    folder : Path
        For what is dropped and what is rendered; removed by `close`.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="audiobend-page-"))
        self._tell = tell
        self._numbers = itertools.count(1)
        self._jobs: dict[int, Job] = {}
        self._waiting: SimpleQueue[Job | None] = SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="page-jobs")
        self._thread.start()

    def add(self, make: Callable[[Path], Work], name: str) -> int:
        """Take a rendering, given a function from its target to what is to be done; return its number."""
        if sum(job.state in ("waiting", "running") for job in self._jobs.values()) >= MAX_JOBS:
            raise ControlError(f"{MAX_JOBS} sounds wait to be rendered; wait for one of them")
        number = next(self._numbers)
        job = self._jobs[number] = Job(number, make(self.folder / f"result-{number}.wav"), name)
        for old in list(self._jobs)[:-MAX_JOBS]:
            self._jobs.pop(old).work.target.unlink(missing_ok=True)
        self._waiting.put(job)
        return number

    def job(self, number: int) -> Job:
        """Return a job; `ControlError` where there is none of that number."""
        if number not in self._jobs:
            raise ControlError(f"there is no job {number}")
        return self._jobs[number]

    def all(self) -> list[dict[str, Any]]:
        """Return how every job stands, in the order in which they came."""
        return [job.facts() for job in list(self._jobs.values())]

    def close(self) -> None:
        """Stop, and remove all that was dropped and rendered."""
        self._stop.set()
        self._waiting.put(None)
        self._thread.join(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None and not self._stop.is_set():
            job.begin()
            self._tell(job.facts())
            child = Child(run_work, job.work)
            while job.state == "running" and not self._stop.is_set():
                alive = child.is_alive
                for kind, value in child.receive(0.2):
                    job.hear(kind, value)
                self._tell(job.facts())
                if not alive and job.state == "running":
                    job.hear("failed", "the process that rendered was ended; is there enough memory?")
            child.end(1.0)
            self._tell(job.facts())
