"""What all instances share: models, what engines cost, the room on this machine, ports; and how one begins."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock

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
from audiobend.server.capacity import Capacity
from audiobend.server.hand import Played
from audiobend.server.project import Project

RATES = range(8000, 192001)
MAX_BLOCK = 32768
PORTS = 256
"""Ports that are tried for an instance's OSC."""


@dataclass(frozen=True)
class Asked:
    """What a plugin asks for: the host's rate in Hz and largest block, and the project."""

    rate: int
    block: int
    project: Project


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
    """

    def __init__(
        self, default: Project, capacity: Capacity, listening: Listening, backend: BackendName | None = None
    ) -> None:
        self.default = default
        self._capacity, self._listening, self._backend = capacity, listening, backend
        self._measuring = Lock()
        self._load = lru_cache(4)(load_model)
        self.leave, self.measured, self.holds = capacity.leave, capacity.measured, capacity.holds

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
        return self._opened(setup, model, tell, Keeping(scenes=project.scenes))

    def model(self, name: str) -> Model:
        """Load a model, or take it from those that are loaded."""
        return self._load(name)

    def _opened(self, setup: Setup, model: Model, tell: Callable[[str], None], keeping: Keeping) -> Played:
        first = self._listening.port
        ports: Sequence[int] = [0] if first == 0 else range(first, min(first + PORTS, 65536))
        for port in ports[:-1]:
            with suppress(ControlError):    # it is taken
                return Played(setup, model, tell, replace(self._listening, port=port), keeping)
        return Played(setup, model, tell, replace(self._listening, port=ports[-1]), keeping)


def _delay(asked: Asked, model: Model) -> int:
    """Return the latency in samples at the host's rate: known before the engine stands."""
    settings, rate = asked.project.settings(), model.codec.sample_rate
    cushion = cushion_samples(asked.project.profile, settings.stride, None, asked.rate, rate)
    return Latency(asked.rate, settings.latency_parts(), rate, cushion, asked.block).delay
