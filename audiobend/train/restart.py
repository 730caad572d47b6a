"""Start the same command again in a new process, from the last checkpoint; not for ever."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

from audiobend.train.distributed import Team
from audiobend.train.loop import DivergedError
from audiobend.train.schedule import Progress

MOST = 3
"""Restarts in a row that may bring training no further."""
VARIABLE = "AUDIOBEND_RESTARTS"
_SET_BY_FABRIC = ("LOCAL_RANK", "WORLD_SIZE", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT")


def restarts(environment: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """Return how often in a row this training was started again without learning, and the windows learnt until then."""
    count, _, windows = environment.get(VARIABLE, "").partition(":")
    return (int(count), int(windows)) if count.isdecimal() and windows.isdecimal() else (0, -1)


def next_restart(windows: int, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the variable's value for another start from a checkpoint of so many windows; None: it is time to give up.

    >>> next_restart(40, {}), next_restart(40, {VARIABLE: "1:40"}), next_restart(40, {VARIABLE: "3:40"})
    ('1:40', '2:40', None)
    >>> next_restart(60, {VARIABLE: "3:40"})    # it got further
    '1:60'
    """
    count, before = restarts(environment)
    count = count + 1 if windows == before else 1
    return None if count > MOST else f"{count}:{windows}"


def restart(problem: DivergedError, progress: Progress, team: Team, report: Callable[[str], None]) -> NoReturn:
    """Replace this process by a new one that resumes from the checkpoint of ``progress``.

    Raises
    ------
    DivergedError
        If the last restarts brought training no further; or ``problem`` itself, where torchrun and the like start
        processes again (`torchrun --max-restarts`).
    """
    if team.started_from_outside:
        raise problem
    value = next_restart(progress.windows)
    if value is None:
        raise DivergedError(
            f"{MOST} restarts from the checkpoint of step {progress.step} came to gradients that are not numbers; try"
            " a lower lr_muon or lr_adam, or --precision 32, in another --out"
        ) from problem
    dropped = _SET_BY_FABRIC if team.size > 1 and team.n_nodes == 1 else _SET_BY_FABRIC[:2] if team.size > 1 else ()
    environment = {name: word for name, word in os.environ.items() if name not in dropped} | {VARIABLE: value}
    words = [sys.executable, *sys.orig_argv[1:]]
    words += [] if "--resume" in words else ["--resume"]
    report(f"{str(problem).partition(';')[0]}; starting anew from the checkpoint of step {progress.step}")
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(sys.executable, words, environment)
    sys.exit(subprocess.call(words, env=environment))
