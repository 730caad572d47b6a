"""The process that paints: takes what is wanted, paints the newest of it, and lets it be seen."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from time import monotonic
from typing import Any

from audiobend.errors import AudiobendError
from audiobend.films.film import enlarged
from audiobend.live.children import begin
from audiobend.picture_live.easel import Easel
from audiobend.picture_live.messages import Figures, Heard, Ready, Setup, Shown
from audiobend.picture_live.page import PicturePage

SMALLEST_SHOWN = 512
"""Pixels: narrower pictures are shown this wide where nobody says."""
TOLD = 0.5
"""Seconds between two reports."""
PATIENCE = 0.2
POLITE = 5
"""How much this process gives way to others where sound runs beside it."""


def run_pictures(pipe: Connection, setup: Setup, shown: Shown) -> None:
    """Paint until the parent says no more; the target of the child process."""
    begin()
    try:
        _run(pipe, setup, shown)
    except (EOFError, OSError):    # the parent has gone
        return
    except AudiobendError as error:
        with suppress(OSError):
            pipe.send(("failed", str(error)))


def _run(pipe: Connection, setup: Setup, shown: Shown) -> None:
    import torch

    from audiobend.io.picturemodel import load_picture_model

    if setup.is_aside and hasattr(os, "nice"):
        os.nice(POLITE)
    torch.set_num_threads(setup.threads)
    model = replace(load_picture_model(shown.model, setup.clusters), directions=setup.directions)
    with PicturePage(setup.where) as page:
        studio = _Studio(pipe, setup, page, _easel(pipe, setup, model))
        height, width = model.network.architecture.size
        pipe.send(("ready", Ready(page.url, page.port, model.name, height, width)))
        studio.run(shown)


def _easel(pipe: Connection, setup: Setup, model: Any) -> Easel:
    told: set[str] = set()

    def tell(sentence: str) -> None:
        if sentence not in told:
            told.add(sentence)
            pipe.send(("told", sentence))

    return Easel(model, setup.settings, setup.seeds, setup.pace, tell)


class _Studio:
    def __init__(self, pipe: Connection, setup: Setup, page: PicturePage, easel: Easel) -> None:
        self._pipe, self._setup, self._page, self._easel = pipe, setup, page, easel
        self._begun = monotonic()    # the time 0 of what moves; of the sound, where there is one
        self._took = 0.0
        self._painted = self._counted = 0
        self._reported = monotonic()

    def run(self, shown: Shown) -> None:
        self._easel.want(shown, 0.0)
        model, is_new, due = shown.model, True, monotonic()
        while True:
            for message in self._messages(max(due - monotonic(), 0.0) if is_new else PATIENCE):
                if message is None:
                    return
                if isinstance(message, Heard):
                    self._begun = monotonic() - message.seconds
                    self._easel.loudness.feed(message.seconds, message.level_db)
                    is_new = is_new or self._easel.follows
                    continue
                if message.model != model:
                    self._change_model(message)
                    model = message.model
                self._easel.want(message, monotonic() - self._begun)
                is_new = True
            self._report()
            now = monotonic()
            if now < due or not (is_new or self._easel.is_moving(now - self._begun)):
                continue
            due, is_new = max(due + 1 / self._setup.fps, now), False
            self._page.show(self._picture(now))
            self._took = monotonic() - now
            is_new = self._easel.is_moving(now - self._begun)

    def _picture(self, now: float) -> Any:
        pixels = self._easel.paint(now - self._begun)
        self._painted += 1
        return enlarged(pixels, self._setup.side or max(SMALLEST_SHOWN, pixels.shape[1]))

    def _messages(self, timeout: float) -> Iterator[Any]:
        """Yield what has come, and of what is wanted only the newest."""
        newest: Shown | None = None
        while self._pipe.poll(timeout):
            timeout, message = 0.0, self._pipe.recv()
            if isinstance(message, Shown):
                newest = message
            else:
                yield message
        if newest is not None:
            yield newest

    def _change_model(self, shown: Shown) -> None:
        from audiobend.io.picturemodel import load_picture_model

        try:
            model = replace(load_picture_model(shown.model), directions=self._setup.directions)
        except AudiobendError as error:
            self._pipe.send(("told", str(error)))
            return
        loudness = self._easel.loudness
        self._easel = _easel(self._pipe, self._setup, model)
        self._easel.loudness = loudness

    def _report(self) -> None:
        now = monotonic()
        if now - self._reported < TOLD:
            return
        fps = (self._painted - self._counted) / (now - self._reported)
        self._pipe.send(("figures", Figures(fps, 1000 * self._took, self._page.viewers, self._painted)))
        self._counted, self._reported = self._painted, now
