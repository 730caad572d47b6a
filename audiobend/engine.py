"""One block of sound and one plan in, one block of bent sound out. No thread, no clock, no file.

Sound becomes spectrum columns, columns become overlapping windows, windows run through the network twice, bent and
unbent; the unbent pass tells what the network itself loses, so that its level, and as much of its detail as one
likes, can be given back. Magnitudes become sound again with the phase that fits them best.
"""

from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

from audiobend.bending import Plan
from audiobend.errors import AudioError
from audiobend.networks.backends import Backend, backend
from audiobend.networks.model import Model
from audiobend.spectral.codec import FLOOR_DB
from audiobend.spectral.detail import give_back
from audiobend.spectral.follow import InputLevel
from audiobend.spectral.level import LevelMatch, on_loud_bins
from audiobend.spectral.rephase import PhaseSource, Quality
from audiobend.spectral.resynthesis import Resynthesizer
from audiobend.spectral.stft import HOP_LENGTH
from audiobend.spectral.streaming import ContextWindow, Framer, OverlapAdd
from audiobend.timeline import Timeline

STRIDES = (1, 2, 4, 8, 16, 32, 64, 128)
BATCH = 8
"""Windows in one pass; more do not run faster on a processor and take memory."""


@dataclass(frozen=True)
class Settings:
    """How sound is made, apart from the patch.

    Attributes
    ----------
    quality : "fast", "default" or "best"
        Of the phase reconstruction.
    phase : "auto", "input", "pghi" or "griffinlim"
        Where phases come from.
    iterations : int >= 0 or None
        Sweeps of the phase reconstruction; None leaves it to the quality.
    stride : int
        Columns between windows: a divisor of 128.
    seed : int
        Of everything random in the resynthesis.
    """

    quality: Quality = "default"
    phase: PhaseSource = "auto"
    iterations: int | None = None
    stride: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("quality", get_args(Quality)), ("phase", get_args(PhaseSource)), ("stride", STRIDES)):
            if getattr(self, name) not in known:
                raise AudioError(f"{name} must be one of {', '.join(map(str, known))}; got {getattr(self, name)!r}")
        for name in ("iterations", "seed"):
            value = getattr(self, name)
            if not (isinstance(value, int) and value >= 0) and not (name == "iterations" and value is None):
                raise AudioError(f"{name} must be a whole number of 0 or more, got {value!r}")


class Engine:
    """Bend sound at the model's sample rate, fed in any portions.

    Parameters
    ----------
    model : Model
    plan : Plan or Timeline
        A patch resolved for that model, or several that take turns.
    n_channels : 1 or 2
    reference : float >= 0
        Magnitude of the loudest spectrogram bin of the whole sound: it becomes 0 dB (see `LoudestBin`).
    network : Backend, optional
        What runs the network; torch where none is given.

    Notes
    -----
    The output has exactly as many samples as the input, aligned with it. Memory does not grow with the length. It may
    go beyond full scale: the limiter comes last of all, after any resampling.
    """

    def __init__(
        self,
        model: Model,
        plan: Plan | Timeline,
        n_channels: int,
        reference: float,
        settings: Settings | None = None,
        network: Backend | None = None,
    ) -> None:
        self._input_level = InputLevel(model.codec.sample_rate)
        self._follows = isinstance(plan, Timeline) or plan.follows
        self.plan: Plan | Timeline = plan.hearing(self._input_level) if self._follows else plan
        self.model, self.reference = model, reference
        settings = settings or Settings()
        self._backend = network or backend("torch", model)
        floor = torch.full((len(model.codec.mean_db),), FLOOR_DB)
        silence = model.codec.normalise(floor[:, None])[:, 0]
        self._framer = Framer(n_channels)
        self._context = ContextWindow(n_channels, silence, settings.stride)
        self._bent, self._unbent = (OverlapAdd(n_channels, stride=settings.stride) for _ in range(2))
        self._level = LevelMatch()
        self._resynthesis = Resynthesizer(
            quality=settings.quality, phase=settings.phase, seed=settings.seed, n_iter=settings.iterations
        )
        self._spectra = torch.zeros(n_channels, len(silence), 0, dtype=torch.complex64)
        self._windows = torch.zeros(0, n_channels, len(silence), self._context.window)
        self._dry = torch.zeros(n_channels, 0)
        self._unheard = torch.zeros(n_channels, 0)
        self._n_windows = self._n_columns = self._n_fed = self._n_out = 0

    def feed(self, waveform: Tensor) -> Tensor:
        """Take samples ``(channel, time)``, return the bent samples that are ready (maybe none)."""
        # A second at a time: a long portion at a small stride would make a great many windows at once.
        return torch.cat([self._feed(part) for part in waveform.split(self.model.codec.sample_rate, dim=-1)], dim=-1)

    def _feed(self, waveform: Tensor) -> Tensor:
        self._n_fed += waveform.shape[-1]
        self._dry = torch.cat([self._dry, waveform], dim=-1)
        if self._follows:
            self._listen(waveform)
        self._take(self._framer.feed(waveform))
        return self._finish(self._resynthesise(self._run_windows(whole_batches=True)))

    def flush(self) -> Tensor:
        """Return the rest; all the output together is as long as the input."""
        self._take(self._framer.flush())
        self._windows = torch.cat([self._windows, self._context.flush()])
        parts = [self._resynthesise(self._run_windows(whole_batches=False))]
        parts.append(self._resynthesis.flush(self._n_fed))
        return self._finish(torch.cat(parts, dim=-1))

    def _listen(self, waveform: Tensor) -> None:
        """Follow the level of the input, a hop at a time."""
        waiting = torch.cat([self._unheard, waveform], dim=-1)
        n = waiting.shape[-1] // HOP_LENGTH * HOP_LENGTH
        self._input_level.feed(waiting[:, :n].numpy())
        self._unheard = waiting[:, n:]

    def _take(self, spectrum: Tensor) -> None:
        """Line up new columns for the network."""
        codec = self.model.codec
        self._spectra = torch.cat([self._spectra, spectrum], dim=-1)
        columns = codec.normalise(codec.to_db(spectrum.abs(), self.reference))
        self._windows = torch.cat([self._windows, self._context.feed(columns)])

    def _run_windows(self, whole_batches: bool) -> tuple[Tensor, Tensor]:
        """Run waiting windows through the network; return the finished columns, bent and unbent, in dB."""
        columns = []
        while len(self._windows) >= BATCH or (len(self._windows) and not whole_batches):
            batch, self._windows = self._windows[:BATCH], self._windows[BATCH:]
            bent_db, unbent_db = self._network(batch)
            columns.append((self._bent.feed(bent_db), self._unbent.feed(unbent_db)))
        if not columns:
            return self._bent.feed(self._windows[:0]), self._unbent.feed(self._windows[:0])
        return torch.cat([b for b, _ in columns], dim=-1), torch.cat([u for _, u in columns], dim=-1)

    def _network(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Return bent and unbent reconstructions of windows ``(window, channel, 513, 128)`` in dB."""
        n = len(windows)
        first = self._n_windows
        times = self._times(n)
        if isinstance(self.plan, Timeline):
            return self._in_turn(self.plan, windows, times + self.plan.began, first)
        return self._by(self.plan, windows, times)

    def _by(self, plan: Plan, windows: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """Return what one plan makes of windows, bent and unbent."""
        n_channels = windows.shape[1]
        x = windows.flatten(0, 1)[:, None].transpose(-1, -2)    # the network's maps are (time, frequency)
        each = times.repeat_interleave(n_channels)
        bent, unbent = self._backend.reconstruct(x, plan, each, call=self._n_windows)
        unbent_db = self._to_db(unbent, n_channels)
        return unbent_db if bent is unbent else self._to_db(bent, n_channels), unbent_db

    def _in_turn(self, timeline: Timeline, windows: Tensor, times: Tensor, first: int) -> tuple[Tensor, Tensor]:
        """Return what the plans make of windows, each in its own columns, with ramps in dB between them."""
        stride, lead, width = self._context.stride, self._context.lead, self._context.window
        shares = [timeline.over((first + n) * stride - lead, width) for n in range(len(windows))]
        bent = torch.zeros_like(windows)
        unbent = torch.zeros_like(windows)
        for index in sorted({index for one in shares for index in one}):
            rows = [n for n, one in enumerate(shares) if index in one]
            bent_db, unbent_db = self._by(timeline.plans[index], windows[rows], times[rows])
            weight = torch.stack([shares[n][index] for n in rows])[:, None, None]
            bent[rows] += weight * bent_db
            unbent[rows] = unbent_db
        return bent, unbent

    def _to_db(self, output: Tensor, n_channels: int) -> Tensor:
        """Turn what the network put out into windows ``(window, channel, 513, 128)`` of dB; all numbers finite."""
        db = self.model.codec.denormalise(output[:, 0].transpose(-1, -2).float())
        finite = torch.nan_to_num(db, nan=-200.0, posinf=20.0, neginf=-200.0).clamp_(-200.0, 20.0)
        return finite.reshape(-1, n_channels, *finite.shape[1:])

    def _times(self, n: int) -> Tensor:
        """Return the centres of the next windows in seconds, and count them."""
        first = self._n_windows * self._context.stride - self._context.lead + self._context.window / 2
        self._n_windows += n
        columns = first + torch.arange(n, dtype=torch.float64) * self._context.stride
        return columns.clamp(min=0) * HOP_LENGTH / self.model.codec.sample_rate

    def _resynthesise(self, decibels: tuple[Tensor, Tensor]) -> Tensor:
        """Turn finished columns into samples, with the input's level and as much of its detail as the patch says."""
        bent_db, unbent_db = decibels
        n = min(bent_db.shape[-1], self._spectra.shape[-1])    # the last windows reach beyond the sound
        spectrum, self._spectra = self._spectra[..., :n], self._spectra[..., n:]
        if n == 0:
            return self._dry[:, :0]
        codec = self.model.codec
        input_db = codec.to_db_unfloored(spectrum.abs(), self.reference)
        detail = self._detail(n)
        self._n_columns += n
        out_db, unbent_db, floor = give_back(bent_db[..., :n], unbent_db[..., :n], input_db, detail)
        if self._values().patch.output.match_level:
            out_db = out_db + on_loud_bins(self._level.feed(input_db, unbent_db), out_db)
        magnitude = codec.to_magnitude(out_db, self.reference, floor)
        return self._resynthesis.feed(magnitude, spectrum)

    def _values(self) -> Plan:
        """Return the plan whose output values count for the next columns."""
        plan = self.plan
        return plan.at(self._n_columns * HOP_LENGTH) if isinstance(plan, Timeline) else plan

    def _detail(self, n: int) -> Tensor:
        """Return how much detail each of the next n columns gets back."""
        if isinstance(self.plan, Timeline):
            return self.plan.detail(self._n_columns, n)
        times = (self._n_columns + torch.arange(n, dtype=torch.float64)) * HOP_LENGTH / self.model.codec.sample_rate
        return torch.as_tensor(self.plan.value("output/detail", times), dtype=torch.float32).expand(n)

    def _finish(self, wet: Tensor) -> Tensor:
        """Dry/wet and gain; no sample is other than a number."""
        n = wet.shape[-1]
        dry, self._dry = self._dry[:, :n], self._dry[:, n:]
        rate = self.model.codec.sample_rate
        mix, gain_db = (output_curve(self.plan, name, self._n_out, n, rate) for name in ("mix", "gain_db"))
        bypass = bypass_curve(self.plan, self._n_out, n, rate)
        self._n_out += n
        out = dry + mix * (wet - dry) if bool((mix < 1).any()) else wet
        if bool((gain_db != 0).any()):
            out = out * 10 ** (gain_db / 20)
        if bool((bypass > 0).any()):
            out = out + bypass * (dry - out)
        return torch.nan_to_num(out, nan=0.0, posinf=0.0, neginf=0.0)


def bypass_curve(plan: Plan | Timeline, first: int, n: int, sample_rate: int) -> Tensor:
    """Return how much of n samples is the dry sound as it is: 0 to 1."""
    return plan.curve("bypass", first, n, sample_rate) if isinstance(plan, Timeline) else torch.zeros(1)


def output_curve(plan: Plan | Timeline, name: str, first: int, n: int, sample_rate: int) -> Tensor:
    """Return an output value (``mix``, ``detail``, ``gain_db``) for n samples: one number, or where it moves a curve.

    A moving value is worked out every 256 samples and drawn straight between.
    """
    if isinstance(plan, Timeline):
        return plan.curve(name, first, n, sample_rate)
    position = first + torch.arange(n)
    knot = position // HOP_LENGTH
    knots = torch.arange(first // HOP_LENGTH, (first + max(n, 1) - 1) // HOP_LENGTH + 2)
    values = torch.as_tensor(plan.value(f"output/{name}", knots.double() * HOP_LENGTH / sample_rate)).float()
    if values.dim() == 0:
        return values[None]
    return torch.lerp(values[knot - knots[0]], values[knot - knots[0] + 1], position % HOP_LENGTH / HOP_LENGTH)
