"""What a live performance costs on this machine, measured: which backend is fastest, and which latency holds."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, process_time

import numpy as np
import torch
from numpy.typing import NDArray

from audiobend.bending import Patch
from audiobend.bending.features import Random
from audiobend.live_engine import LiveEngine, LiveSettings
from audiobend.networks.backends import Backend, BackendName, backend, worth_trying
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import SpectrogramVAE, for_inference
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.spectral.sliding import CrossFade
from audiobend.spectral.stft import HOP_LENGTH

COMFORTABLE = 0.45
"""Share of one core that leaves room for everything else on the machine."""
TOO_MUCH = 0.8
"""Share of one core from which the sound will break off now and then."""
_FEWEST = 8
_ROUNDS = 6


@dataclass(frozen=True)
class Cost:
    """What one setting costs, on one thread.

    Attributes
    ----------
    load : float
        Seconds of processor time for a second of sound: all of the engine's work.
    network_ms : float
        Processor time of the network alone, bent and unbent, for each stride.
    p50_ms, p95_ms, p99_ms : float
        Time on the clock for each stride. Other programs make these longer.
    stride_ms : float
        How long a stride of sound lasts: what is longer comes too late.
    """

    backend: str
    stride: int
    load: float
    network_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    stride_ms: float

    @property
    def is_comfortable(self) -> bool:
        """Whether there is room to spare."""
        return self.load <= COMFORTABLE

    def warning(self) -> str | None:
        """Return a sentence if a performance would not hold, or nothing."""
        if self.load <= TOO_MUCH:
            return None
        return (
            f"a second of sound takes {self.load:.2f} s of work here, more than {TOO_MUCH:g}, so the sound will break "
            "off; take a longer latency or a narrower model (audiobend bench measures them)"
        )


def eight_bends() -> Patch:
    """Return a patch of eight bends of every kind, on all layers of the decoder: what `bench` plays.

    >>> len(eight_bends().bends)
    8
    """
    some = Random(0.25)
    patch = Patch(name="bench", seed=1)
    patch = patch.add(1, "scalar-multiply", {"factor": 1.3}, features=some).add(1, "translate", {"x": 0.1})
    patch = patch.add(2, "rotate", {"angle": 10}, features=some).add(2, "binary-thresh", features=some, mix=0.3)
    patch = patch.add(3, "erode", {"radius": 2}, mix=0.8).add(3, "offset", {"delta": 0.1}, features=some)
    return patch.add(4, "blur", {"sigma": 1.0}, features=some).add(4, "invert", features=some, mix=0.2)


def choose_backend(
    model: Model,
    settings: LiveSettings | None = None,
    names: Sequence[BackendName] | None = None,
    patch: Patch | None = None,
) -> tuple[Backend, dict[str, float]]:
    """Return the backend that runs a model fastest here, found by a second or so of trying.

    Parameters
    ----------
    model : Model
    settings : LiveSettings, optional
        How it is going to be played.
    names : sequence of str, optional
        What to try; by default all that may be fast here (see `worth_trying`).
    patch : Patch, optional
        What is going to be played; by default `eight_bends`.

    Returns
    -------
    Backend
    dict
        Milliseconds of processor time for each stride, by backend.
    """
    settings = settings or LiveSettings()
    with one_thread():
        tried = [backend(name, model, settings.n_channels) for name in names or worth_trying()]
        costs = {one.name: 1000 * network_seconds(one, model, settings, patch) for one in tried}
    return min(tried, key=lambda one: costs[one.name]), costs


def network_seconds(one: Backend, model: Model, settings: LiveSettings, patch: Patch | None = None) -> float:
    """Return the processor time of the network alone for a stride, bent and unbent; the least of some rounds."""
    plan, n = model.resolve(patch or eight_bends()), settings.n_channels
    columns = CrossFade(settings.stride, settings.look_ahead).span
    one.prepare(plan, columns)
    x = torch.randn(n, 1, 128, len(model.codec.mean_db), generator=torch.Generator().manual_seed(0))
    times = torch.zeros(n, dtype=torch.float64)
    spent = _spent(lambda: one.reconstruct(x, plan, times, columns=columns), _ROUNDS, process_time)
    return min(spent[1:])


def cost(
    model: Model, settings: LiveSettings, one: Backend, seconds: float = 2.0, patch: Patch | None = None
) -> Cost:
    """Play some seconds of sound through an engine as fast as it goes, and say what it costs.

    A setting that is slower than real time is given up after twice as long.
    """
    with one_thread():
        network = network_seconds(one, model, settings, patch)
        engine = LiveEngine(model, patch or eight_bends(), settings, backend=one)
        n = settings.stride * HOP_LENGTH
        length = n / model.codec.sample_rate
        sound = _sound(settings.n_channels, n)
        _spent(lambda: engine.process(next(sound)), 3, perf_counter)    # compiled loops, memory
        n_rounds, given_up = max(_FEWEST, round(seconds / length)), perf_counter() + 2 * seconds
        clock: list[float] = []
        begun = process_time()
        while len(clock) < n_rounds and (len(clock) < _FEWEST or perf_counter() < given_up):
            clock += _spent(lambda: engine.process(next(sound)), 1, perf_counter)
        load = (process_time() - begun) / (len(clock) * length)
    p50, p95, p99 = (float(value) for value in np.percentile(clock, (50, 95, 99)) * 1000)
    return Cost(one.name, settings.stride, load, network * 1000, p50, p95, p99, length * 1000)


def random_model(width: float) -> Model:
    """Return a model of random weights: it costs what a trained one of its width does."""
    torch.manual_seed(0)
    network = for_inference(SpectrogramVAE(width, activation="leaky_relu").eval())
    return Model(f"random weights, width {width:g}", network, SpectrogramCodec(), "0" * 16, torch.eye(network.n_latent))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread, as a performance does."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def _spent(work: Callable[[], object], rounds: int, clock: Callable[[], float]) -> list[float]:
    spent = []
    for _ in range(rounds):
        before = clock()
        work()
        spent.append(clock() - before)
    return spent


def _sound(n_channels: int, n: int) -> Iterator[NDArray[np.float32]]:
    """Yield blocks of a sound with tones, noise and attacks, for ever; they are made beforehand."""
    t = np.arange(16 * n) / 44100
    tones = sum(np.sin(2 * np.pi * 110 * k * t) / k for k in range(1, 20))
    noise = np.random.default_rng(0).standard_normal((n_channels, len(t)))
    sound = np.exp(-6 * (t % 0.5)) * (0.1 * tones + 0.05 * noise)
    return itertools.cycle(np.split(sound.astype(np.float32), 16, axis=1))
