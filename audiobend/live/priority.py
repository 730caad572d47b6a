"""Real-time priority: the difference between 12 ms and 2 s at worst on a busy machine."""

import os
import sys
from contextlib import suppress
from pathlib import Path

PRIORITY = 5
"""Under that of sound servers (10 and more) and of PortAudio's own thread: the engine must never stand in their way."""
HELPING = 1
"""Of threads beside it that may hold what it waits for, as Python's lock: no ordinary program must stop them."""
PREFERRED = -10
"""Niceness of threads that are not for sound but that somebody waits for."""
ADVICE = (
    "no real-time priority: blocks may come late when other programs work; "
    "to permit it, add 'yourname - rtprio 20' to /etc/security/limits.conf (or join the group audio) and log in again"
)


def raise_priority(priority: int = PRIORITY, *, threads_too: bool = False) -> bool:
    """Give this thread real-time priority, or at least more than usual; return whether it is real time.

    Parameters
    ----------
    priority : `PRIORITY` or `HELPING`
    threads_too : bool
        Threads that it starts later get it too; otherwise they are ordinary ones.
    """
    if hasattr(os, "sched_setscheduler"):
        with suppress(OSError):
            policy = os.SCHED_FIFO if threads_too else os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
            os.sched_setscheduler(0, policy, os.sched_param(priority))
            return True
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(-10)
    return False


def come_first() -> None:
    """Let all threads of this process, and those that they start, run before ordinary programs, where permitted."""
    if sys.platform != "linux":
        return
    with suppress(OSError):
        for thread in Path("/proc/self/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(thread.name), PREFERRED)


def may_be_real_time() -> bool:
    """Return whether real-time priority is permitted, and leave everything as it is."""
    if not hasattr(os, "sched_setscheduler"):
        return False
    policy, before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError:
        return False
    os.sched_setscheduler(0, policy, before)
    return True
