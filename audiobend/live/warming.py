"""Begins to load what engines have in common while the caller still imports: nothing slow is imported here."""

import os

from audiobend.live.children import prepare_copies

MODEL_VARIABLE = "AUDIOBEND_WARM_MODEL"


def warm_up(model: str | None) -> None:
    """Begin to load libraries and a model, by name or folder, in a process that engines will be copied from.

    To be called before all that is slow; see `audiobend.live.warm`.
    """
    os.environ[MODEL_VARIABLE] = model or ""
    prepare_copies("audiobend.live.preload")

