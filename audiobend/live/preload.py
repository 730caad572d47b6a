"""Imported by the process that engines are copied from, and nowhere else: see `audiobend.live.warm`."""

import gc
import os

from audiobend.live.calm import hurry
from audiobend.live.warming import MODEL_VARIABLE


def _load() -> None:
    hurry()
    from audiobend.live.warm import prepare

    prepare(os.environ.get(MODEL_VARIABLE) or None)
    gc.enable()


_load()
