"""A take, or a plain sound, played by the live engine without card, clock or processes: sample for sample as it is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

from audiobend.bending import Patch
from audiobend.control import Context
from audiobend.errors import AudiobendError, TakeError
from audiobend.io.audiofile import probe
from audiobend.io.files import check_not_an_input
from audiobend.io.modelbundle import load_model
from audiobend.io.soundwriter import AudioWriter
from audiobend.io.takefile import Began, Skipped, Take, TakeHead
from audiobend.live.chain import Chain
from audiobend.live.dsp import Wanted
from audiobend.live.player import EnginePlayer, make_player
from audiobend.live.rings import Samples
from audiobend.live.source import blocks_of
from audiobend.networks.backends import BackendName
from audiobend.networks.model import Model
from audiobend.rendering import Rendered
from audiobend.spectral.live_settings import LiveSettings
from audiobend.takes import Moment, unfold

PORTION = 4096


def replay_file(
    take: Take, source: Path, target: Path, on_progress: Callable[[float], None] = lambda _: None
) -> Rendered:
    """Play a take again over a sound file, as the live engine played it.

    Over the sound that it was made with, the result is what was recorded then, bit for bit, unless the engine was late;
    it is aligned with the sound, as long, and has the sample rate of the sound card.

    Raises
    ------
    AudiobendError
        Where the sound, the take, its model or its backend is missing or does not fit; nothing is written then.
    """
    check_not_an_input(target, (source,), TakeError)
    info, head = probe(source), take.head
    length = -(-info.frames * head.sample_rate // info.sample_rate)
    with AudioWriter(target, head.sample_rate, head.settings.n_channels, frames=length, inputs=(source,)) as writer:
        n = 0
        for block in replayed(take, _Sound(source, head.sample_rate, head.channels, head.loops), length):
            writer.write(torch.from_numpy(np.ascontiguousarray(block.T)))
            n += len(block)
            on_progress(n / length)
    return Rendered(source, target, n / head.sample_rate, head.sample_rate, head.settings.n_channels)


def bend_file(
    source: Path,
    target: Path,
    model: Model,
    patch: Patch,
    settings: LiveSettings,
    backend: BackendName,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Rendered:
    """Bend a sound file by the live engine, as a performance in which nothing is done, from its first sample on.

    The result is aligned with the sound, as long, and has its sample rate. With two channels it is what a plugin puts
    out that plays the same sound from the beginning. Raises what `replay_file` does.
    """
    rate = probe(source).sample_rate
    words = (model.source, model.fingerprint, patch, settings, rate, settings.n_channels, backend)
    head = TakeHead(*words, clusters=model.clusters_from)
    return replay_file(Take(head, (Began(0),)), source, target, on_progress)


def replayed(take: Take, sound: "_Sound", length: int) -> Iterator[Samples]:
    """Yield what comes out, ``(time, channel)``, aligned with the sound, ``length`` samples of it in all."""
    stage = _Stage(take, sound)
    written = 0
    for first, block in _all_of(take, stage):
        if first > written:    # the engine skipped what would stand there
            block = np.concatenate([np.zeros((first - written, block.shape[1]), dtype=np.float32), block])
        part = block[max(0, written - first) :][: length - written]
        written += len(part)
        yield part
        if written == length:
            return


def _all_of(take: Take, stage: "_Stage") -> Iterator[tuple[int, Samples]]:
    """Yield all that comes out, with its place; without end."""
    for event in unfold(take, lambda name: Context.of_model(load_model(name, clusters=take.head.clusters_of(name)))):
        yield from stage.until(event.sample)
        stage.take(event)
    if not any(isinstance(line, Began) for line in take.lines):
        raise TakeError("no engine began in this take")
    while True:
        yield from stage.until(stage.position + PORTION)


class _Stage:
    """An engine, the sound that goes into it, and where both are."""

    def __init__(self, take: Take, sound: "_Sound") -> None:
        head = self._head = take.head
        self._sound = sound
        backend = cast(BackendName, head.backend)
        self._wanted = Wanted(head.model, head.patch, head.bypass, backend, clusters=head.clusters)
        self._player: EnginePlayer | None = None
        self._chain: Chain | None = None
        self.position = 0

    def take(self, event: Moment | Began | Skipped) -> None:
        """Do what happened."""
        if isinstance(event, Moment):
            self._turn(event)
            return
        if isinstance(event, Began):
            self._player = make_player(self._wanted, self._head.settings)
            rate = self._player.model_rate
            self._chain = Chain(self._player.engine, self._head.settings.n_channels, self._head.sample_rate, rate)
        self.position = event.sample

    def _turn(self, moment: Moment) -> None:
        state = moment.state
        wanted = replace(
            self._wanted, model=state.model, clusters=self._head.clusters_of(state.model), patch=state.heard,
            bypass=state.bypass, fade=state.fade, difference=state.difference, number=self._wanted.number + 1,
        )
        if self._player is not None:
            try:
                self._player.want(wanted)
            except AudiobendError:
                return    # it was refused then, too
        self._wanted = wanted

    def until(self, sample: int) -> Iterator[tuple[int, Samples]]:
        """Play up to a sample of the sound; yield what comes out, with its place."""
        if self._chain is None:
            return
        while self.position < sample:
            block = self._sound.at(self.position, min(PORTION, sample - self.position))
            first = self.position - self._chain.under_way - self._chain.latency
            self.position += len(block)
            yield first, self._chain.feed(block)


class _Sound:
    """A sound file as an endless input that is read from front to back, with silence before and after it."""

    def __init__(self, path: Path, rate: int, channels: int, loops: bool) -> None:
        self._blocks, self._channels = blocks_of(path, rate, channels, loops), channels
        self._pending = np.zeros((0, channels), dtype=np.float32)
        self._first = 0    # position that `_pending` begins with

    def at(self, position: int, n: int) -> Samples:
        """Return ``n`` samples ``(time, channel)`` at a position not before the last."""
        before = min(n, max(0, -position))
        end = position + n
        while self._first + len(self._pending) < end and (block := next(self._blocks, None)) is not None:
            self._pending = np.concatenate([self._pending, block])
            gone = min(max(0, position - self._first), len(self._pending))
            self._pending, self._first = self._pending[gone:], self._first + gone
        out = np.zeros((n, self._channels), dtype=np.float32)
        part = self._pending[max(0, position + before - self._first) : max(0, end - self._first)]
        out[before : before + len(part)] = part
        return out
