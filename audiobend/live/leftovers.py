"""Shared memory that was left behind by processes that were cut off."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MEMORY = Path("/dev/shm")
"""Where Linux shows it; other systems do not."""


def leftovers(folder: Path = MEMORY) -> list[Path]:
    """Return the shared memory of performances whose process does not run any more."""
    return sorted(path for path in folder.glob("audiobend-*-*") if not _runs(path.name.split("-")[1]))


def remove_leftovers(folder: Path = MEMORY) -> Iterator[Path]:
    """Remove them; yield those that could be removed."""
    for path in leftovers(folder):
        with suppress(OSError):
            path.unlink()
            yield path


def _runs(pid: str) -> bool:
    return Path("/proc", pid).exists()
