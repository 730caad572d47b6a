"""Rendering for the page, in a process of its own that everything else goes before."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from audiobend.errors import AudiobendError
from audiobend.live.children import begin

if TYPE_CHECKING:
    from audiobend.bending import Patch

NICE = 15


@dataclass(frozen=True)
class Work:
    """A sound to be rendered: by a patch, or by a take.

    Attributes
    ----------
    source, target : Path
    model : str or None
        Name or folder.
    patch : Patch or None
    clusters : str or None
        Others than the model's own.
    take : Path or None
    quality : "fast", "default", "best"; "live" with a take
    """

    source: Path
    target: Path
    model: str | None
    patch: "Patch | None" = None
    take: Path | None = None
    quality: str = "default"
    clusters: str | None = None


def run_work(pipe: Connection, work: Work) -> None:
    """Be the process that renders; tells ``("share", 0..1)``, then ``("done", "")`` or ``("failed", sentence)``."""
    begin()
    if hasattr(os, "nice"):
        os.nice(NICE)
    import torch

    torch.set_num_threads(1)
    try:
        _render(work, lambda share: pipe.send(("share", share)))
        pipe.send(("done", ""))
    except AudiobendError as error:
        pipe.send(("failed", str(error)))
    except Exception as error:    # it is told on the page; nobody would see it here
        with suppress(OSError):
            pipe.send(("failed", f"it could not be rendered ({type(error).__name__}: {error})"))


def _render(work: Work, advance: Callable[[float], None]) -> None:
    from audiobend.bending import Patch
    from audiobend.course import timeline
    from audiobend.engine import Settings
    from audiobend.io.modelbundle import load_model
    from audiobend.io.takereading import load_take
    from audiobend.live.replay import replay_file
    from audiobend.rendering import render_file

    if work.take is None:
        patch = work.patch or Patch()
        model = load_model(work.model, clusters=work.clusters)
        settings = Settings(quality=work.quality, seed=patch.seed)    # type: ignore[arg-type]
        render_file(work.source, work.target, model, model.resolve(patch), settings, advance)
        return
    take = load_take(work.take)
    if work.quality == "live":
        replay_file(take, work.source, work.target, advance)
        return
    model = load_model(take.head.model, clusters=take.head.clusters)
    settings = Settings(quality=work.quality, seed=take.head.patch.seed)    # type: ignore[arg-type]
    render_file(work.source, work.target, model, timeline(take, model), settings, advance)
