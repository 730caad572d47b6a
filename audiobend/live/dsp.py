"""The engine's process: bends what the card captures, and takes changes while it does."""

import os
import pickle
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Protocol

from audiobend.bending import Patch
from audiobend.control import Fade
from audiobend.errors import AudiobendError
from audiobend.live.calm import settle
from audiobend.live.chain import Chain, Engine
from audiobend.live.children import begin
from audiobend.live.priority import HELPING, raise_priority
from audiobend.live.pump import Pump
from audiobend.live.rings import Count, Shared
from audiobend.live.seam import Seam
from audiobend.live.tap import tapped
from audiobend.live.turns import Turns

if TYPE_CHECKING:
    from audiobend.networks.backends import BackendName
    from audiobend.spectral.live_settings import LiveSettings

CRASHED = 70
SWITCH = 0.0005
"""Seconds after which a thread that prepares a change gives way to the one that plays."""
REST = 2.0
"""Rest after preparing a change, in times of its own length, up to a stride: more of them would not be heard."""
EAGER = 0.0003
"""Seconds between two looks for sound while the card waits for it."""


@dataclass(frozen=True)
class Wanted:
    """What is to be heard: enough to bring a new engine to where the old one was.

    Attributes
    ----------
    model : str or None
        Name or folder of the model; None is the default.
    patch : Patch
    bypass, difference : bool
    backend : BackendName or None
        What runs the network; None tries which is fastest.
    fade : Fade or None
        How the patch is reached; an engine that begins with it is there at once.
    number : int
        Grows with every change.
    clusters : str or None
        Other clusters than the model's own: a file, or a name that `load_model` knows.
    """

    model: str | None
    patch: Patch
    bypass: bool = False
    backend: "BackendName | None" = None
    fade: Fade | None = None
    number: int = 0
    difference: bool = False
    clusters: str | None = None


class Player(Protocol):
    """An engine, and how it is changed while it plays."""

    model_rate: int
    stride_seconds: float
    parts: dict[str, int]
    backend: "BackendName | None"
    warning: str | None

    @property
    def engine(self) -> Engine:
        """What bends."""
        ...

    def prepare(self, wanted: Wanted, alone: "Alone") -> Callable[[], None]:
        """Do all that is slow about a change, on any thread; return what is quick, to be done between two blocks.

        ``alone()`` is entered for what keeps Python busy, some milliseconds at a time: no sound is worked on then.
        """
        ...


@dataclass(frozen=True)
class Ready:
    """What the supervisor learns when the engine stands.

    Attributes
    ----------
    parts : dict
        The engine's latency in samples at the model's rate, by part.
    is_real_time : bool
        Whether the process has real-time priority.
    backend : BackendName or None
        What runs the network.
    warning : str or None
        A sentence where this machine is too slow.
    """

    parts: dict[str, int]
    model_rate: int
    is_real_time: bool
    backend: "BackendName | None" = None
    warning: str | None = None


@dataclass(frozen=True)
class Go:
    """The shared memory and the card that the engine plays through."""

    memory: str
    rate: int
    in_channels: int


Alone = Callable[[], AbstractContextManager[None]]
MakePlayer = Callable[["Wanted", "LiveSettings"], Player]


def run_dsp(pipe: Connection, make: MakePlayer, wanted: Wanted, settings: "LiveSettings") -> None:
    """Be the engine's process: make the engine, tell, wait for the card, then bend until told to stop.

    What is wanted by the time the card comes is heard from the first sample on.
    """
    begin()
    try:
        player = make(wanted, settings)
        is_real_time = raise_priority()
        facts = Ready(player.parts, player.model_rate, is_real_time, player.backend, player.warning)
        post = _Post(pipe)
        post.send("ready", facts)
        seam = Seam(lambda told: post.send("told", told), wanted.number)
        turns = Turns()
        mail = _Mail(pipe, player, post, seam, turns)
        card = mail.card()
        shared = Shared(card.memory)
        mail.hurries = lambda: bool(shared[Count.WAITS])
        chain = Chain(player.engine, settings.n_channels, card.rate, player.model_rate)
        while not shared[Count.DELAY]:
            sleep(0.001)
        settle(SWITCH)
        between = tapped(seam, player.engine, shared, player.model_rate, card.rate)
        pump = Pump(shared, chain, card.in_channels, card.rate, player.stride_seconds, between)
        _play(shared, pump, seam, turns, card.rate)
    except AudiobendError as error:
        pipe.send(("error", str(error)))
        os._exit(CRASHED)
    except Exception as error:    # whatever it is: the supervisor tells it and starts a new engine
        sys.excepthook(*sys.exc_info())
        pipe.send(("error", f"the engine failed ({type(error).__name__}: {error})"))
        os._exit(CRASHED)
    os._exit(0)


def _play(shared: Shared, pump: Pump, seam: Seam, turns: Turns, rate: int) -> None:
    # An eighth of the card's block is soon enough, and polling never reaches the card's own thread.
    pause = min(max(shared[Count.BLOCK] / rate / 8, 0.0005), 0.003)
    shared[Count.READY] = 1
    while not shared[Count.STOP]:
        if pump.is_due:
            with turns.taken():
                pump.step()
        elif seam.is_waiting:    # who waits for a change hands nothing over before it is made
            with turns.taken():
                pump.turn()
        else:
            sleep(EAGER if shared[Count.WAITS] else pause)


class _Post:
    """Sends messages to the supervisor on a thread of its own: sound must not wait for one who does not read."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._waiting: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True, name="post").start()

    def send(self, kind: str, value: Any) -> None:
        self._waiting.put((kind, value))

    def _run(self) -> None:
        raise_priority(HELPING)
        with suppress(OSError):    # the supervisor has gone, and so shall we
            while True:
                self._pipe.send(self._waiting.get())


class _Mail:
    """Takes the supervisor's messages on a thread of its own; of several that wait only the newest counts."""

    def __init__(self, pipe: Connection, player: Player, post: _Post, seam: Seam, turns: Turns) -> None:
        self._pipe, self._player, self._post, self._seam, self._turns = pipe, player, post, seam, turns
        self._card: Go | None = None
        self.hurries: Callable[[], bool] = lambda: False
        """Whether the card waits for every change."""
        self._arrived = threading.Event()
        threading.Thread(target=self._read, daemon=True, name="mail").start()

    def card(self) -> Go:
        """Wait for the card."""
        self._arrived.wait()
        assert self._card is not None
        return self._card

    def _read(self) -> None:
        raise_priority(HELPING)
        while True:
            try:
                message = self._newest()
            except (EOFError, OSError):
                os._exit(0)
            if isinstance(message, Go):
                self._card = message
                self._arrived.set()
            else:
                self._play(message)

    def _newest(self) -> Any:
        """Wait for a message, and pass over those that a later one makes needless without reading them."""
        data = self._pipe.recv_bytes()
        while self._card is not None and self._pipe.poll():    # the card is told once
            data = self._pipe.recv_bytes()
        with self._turns.taken():
            return pickle.loads(data)

    def _play(self, wanted: Wanted) -> None:
        begun = monotonic()
        try:
            self._seam.put(wanted.number, self._player.prepare(wanted, self._turns.taken))
        except AudiobendError as error:
            self._post.send("refused", (wanted.number, str(error)))
        if not self.hurries():
            sleep(min(REST * (monotonic() - begun), self._player.stride_seconds))
