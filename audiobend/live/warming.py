"""Begins to load what engines have in common while the caller still imports: nothing slow is imported here."""

import os
from multiprocessing.connection import Connection

from audiobend.live.children import Child, prepare_copies

MODEL_VARIABLE = "AUDIOBEND_WARM_MODEL"


def warm_up(model: str | None) -> None:
    """Begin to load libraries and a model, by name or folder, in a process that engines will be copied from.

    To be called before all that is slow; see `audiobend.live.warm`.
    """
    os.environ[MODEL_VARIABLE] = model or ""
    prepare_copies("audiobend.live.preload")


def await_warmth() -> None:
    """Wait until engines can begin at once."""
    Child(_stand, is_forked=True).end(1.0)


def _stand(pipe: Connection) -> None:
    """Be a copy: there are some to be had."""
