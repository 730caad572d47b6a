"""What all instances share: models, what engines cost, the room on this machine, ports; and how one begins."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock
from typing import TypeVar

from audiobend.errors import ControlError
from audiobend.io.modelbundle import load_model
from audiobend.live.archive import Keeping
from audiobend.live.audio import Host
from audiobend.live.chosen import chosen
from audiobend.live.dsp import Wanted
from audiobend.live.latency import Latency, cushion_samples
from audiobend.live.setup import Setup
from audiobend.live.warm import make_player
from audiobend.networks.backends import BackendName
from audiobend.networks.model import Model
from audiobend.osc.doors import Listening
from audiobend.osc.sockets import listening
from audiobend.page.opening import Page
from audiobend.server.capacity import Capacity
from audiobend.server.hand import Played
from audiobend.server.messages import PROTOCOL, Message
from audiobend.server.project import Project, parse_project

T = TypeVar("T")
RATES = range(8000, 192001)
MAX_BLOCK = 32768
PORTS = 256
"""Ports that are tried for an instance's OSC, and for its page."""


@dataclass(frozen=True)
class Asked:
    """What a plugin asks for: the host's rate in Hz and largest block, and the project."""

    rate: int
    block: int
    project: Project


def asked_by(hello: Message, default: Project) -> Asked:
    """Return what a plugin's first message asks for; `ControlError` with what is wrong."""
    if hello.verb != "hello":
        raise ControlError(f"the first message must be hello, got '{hello.verb[:32]}'")
    if hello.words[:1] != (str(PROTOCOL),):
        raise ControlError(f"this server speaks protocol {PROTOCOL}; install the plugin that belongs to it")
    numbers = [int(word) for word in hello.words[1:] if word.isdecimal()]
    if len(numbers) != 2 or len(hello.words) != 3:
        raise ControlError("hello must name protocol, sample rate and largest block")
    rate, block = numbers
    if rate not in RATES:
        raise ControlError(f"the sample rate must be in {RATES[0]}..{RATES[-1]} Hz, got {rate}")
    if not 1 <= block <= MAX_BLOCK:
        raise ControlError(f"the largest block must be in 1..{MAX_BLOCK} samples, got {block}")
    return Asked(rate, block, parse_project(hello.body, default))


class Studio:
    """Begins instances.

    Parameters
    ----------
    default : Project
        Of an instance that is new.
    capacity : Capacity
    listening : Listening
        Where the first instance hears OSC; the others take the next ports.
    backend : BackendName or None
        What runs the network; None is the fastest.
    page : (str, int) or None
        Address and port of the first instance's page; the others take the next ports. None: there are no pages.
    """

    def __init__(
        self,
        default: Project,
        capacity: Capacity,
        listening: Listening,
        backend: BackendName | None = None,
        page: tuple[str, int] | None = None,
    ) -> None:
        self.default = default
        self._capacity, self._listening, self._backend, self._page = capacity, listening, backend, page
        self._measuring = Lock()
        self._load = lru_cache(4)(load_model)
        self.leave, self.measured, self.holds = capacity.leave, capacity.measured, capacity.holds

    def check_addresses(self) -> None:
        """Refuse an address that is not this machine's before a plugin comes: `ControlError`."""
        listening(self._listening.address, 0).close()
        if self._page is not None:
            listening(self._page[0], 0, "page").close()

    def begin(self, number: int, asked: Asked, tell: Callable[[str], None]) -> Played:
        """Return an instance's performance, not started; `AudiobendError` where there can be none."""
        project = asked.project
        model, settings = self.model(project.model), project.settings()
        model.resolve(project.patch)
        with self._measuring:    # two at a time would each seem slower than they are
            choice = chosen(model, settings, self._backend)
        self._capacity.take(number, choice.load)
        host = Host(asked.rate, asked.block, _delay(asked, model))
        wanted = Wanted(project.model, project.patch, backend=choice.backend)
        setup = Setup(wanted, settings, host, project.profile, make=make_player, forks=True)
        keeping = Keeping(scenes=project.scenes)

        def at(port: int) -> Played:
            return Played(setup, model, tell, replace(self._listening, port=port), keeping)

        return _at_free_port(at, self._listening.port)

    def page(self, played: Played, tell: Callable[[str], None]) -> AbstractContextManager[Page | None]:
        """Open an instance's page, if there shall be one; what serves it begins with its first visitor."""
        if self._page is None:
            return nullcontext()
        address, first = self._page
        return _at_free_port(lambda port: Page(played, address, port, tell, is_patient=True).open(), first)

    def model(self, name: str) -> Model:
        """Load a model, or take it from those that are loaded."""
        return self._load(name)


def _at_free_port(open_at: Callable[[int], T], first: int) -> T:
    """Open something at the first port that nobody has, from one on; at any where that is 0."""
    ports: Sequence[int] = [0] if first == 0 else range(first, min(first + PORTS, 65536))
    for port in ports[:-1]:
        with suppress(ControlError):    # it is taken
            return open_at(port)
    return open_at(ports[-1])


def _delay(asked: Asked, model: Model) -> int:
    """Return the latency in samples at the host's rate: known before the engine stands."""
    settings, rate = asked.project.settings(), model.codec.sample_rate
    cushion = cushion_samples(asked.project.profile, settings.stride, None, asked.rate, rate)
    return Latency(asked.rate, settings.latency_parts(), rate, cushion, asked.block).delay
