"""Blocks of sound in, blocks of bent sound out, for hours: the engine of a performance. No thread, clock or device.

A window of 128 columns slides over the sound. Every `stride` columns the network reconstructs it, bent and unbent;
of each reconstruction the `stride` columns that end `look_ahead` before its end are kept, cross-faded in dB with the
reconstruction before. Every frame gets its phase once and is only overlap-added, so nothing clicks, whatever changes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from audiobend.bending import Patch, Plan
from audiobend.bending.apply import warm_up
from audiobend.errors import AudioError
from audiobend.live_window import Onlooker, Prepared, SlidingWindow
from audiobend.networks.backends import Backend
from audiobend.networks.backends import backend as make_backend
from audiobend.networks.model import Model
from audiobend.spectral.follow import InputLevel
from audiobend.spectral.guard import LIMITER_DELAY, Output, Samples, Wanted, bypass_hops, clean
from audiobend.spectral.live_settings import LiveSettings
from audiobend.spectral.stft import HOP_LENGTH

__all__ = ["LiveEngine", "LiveSettings", "Prepared"]


Between = Callable[[float], Prepared]
"""What is to be played when a share, 0..1, of the way to another patch is done."""


@dataclass(frozen=True)
class _Passage:
    """The way to another patch: from one hop on, for so many hops."""

    between: Between
    first: int
    n_hops: int

    def share(self, hop: int) -> float:
        return min(1.0, (hop - self.first) / self.n_hops)


class LiveEngine:
    """Bend sound at the model's sample rate as it comes.

    Parameters
    ----------
    model : Model
    patch : Patch
    settings : LiveSettings, optional
    backend : Backend, optional
        What runs this model's network; by default torch.

    Attributes
    ----------
    latency : int
        Samples at the model's rate, exact: sample n of the output belongs to sample ``n - latency`` of the input.

    Notes
    -----
    `process` does all the work on the caller's thread and never waits. The other methods only hand something over,
    which the next `process` takes; call them from one thread. Whoever owns the thread that calls `process` should pin
    torch to one thread and flush denormal numbers to zero (``torch.set_flush_denormal(True)``): fading sounds are full
    of them, and they are slow.
    """

    def __init__(
        self, model: Model, patch: Patch, settings: LiveSettings | None = None, *, backend: Backend | None = None
    ) -> None:
        self.settings = settings = settings or LiveSettings()
        self.latency = settings.latency
        self._rate = model.codec.sample_rate
        self._window = SlidingWindow(settings, self._rate)
        self._level = InputLevel(self._rate)
        self._passage: _Passage | None = None
        self._wanted = self._prepared(patch, model, backend or self._torch(model))
        dry_hops = bypass_hops(settings.stride)
        self._output = Output(settings.n_channels, self._rate, self.latency - LIMITER_DELAY, dry_hops)
        self._input = np.zeros((settings.n_channels, settings.stride * HOP_LENGTH), np.float32)
        self.reset()
        self._warm_up()

    def _warm_up(self) -> None:
        """Have everything compiled and every first call made before sound comes."""
        warm_up()
        noise = np.random.default_rng(0).normal(size=self._input.shape).astype(np.float32)
        for _ in range(2):
            self.process(noise)
        self.reset()

    def latency_parts(self) -> dict[str, int]:
        """Return what the latency is made of, in samples: frame, buffering, window, phase, limiter."""
        return self.settings.latency_parts()

    # ---- what other threads may do

    def prepare(self, patch: Patch | Plan, model: Model | None = None, backend: Backend | None = None) -> Prepared:
        """Do all that is slow about a patch: check it, draw its random features, bend kernels, compile.

        May take long; any thread may call it while another one is in `process`. Without a model it is for the one that
        was handed in last.

        Raises
        ------
        PatchError
            If the patch does not fit the model.
        AudioError
            If the model is for another sample rate.
        """
        now = self._wanted
        if model is None or model is now.model:
            return self._prepared(patch, now.model, backend or now.backend)
        if model.codec.sample_rate != self._rate:
            raise AudioError(f"the model must be for {self._rate} Hz as the one before, got {model.codec.sample_rate}")
        return self._prepared(patch, model, backend or self._torch(model))

    def _prepared(self, patch: Patch | Plan, model: Model, backend: Backend) -> Prepared:
        plan = patch if isinstance(patch, Plan) else model.resolve(patch)
        plan = plan.hearing(self._level) if plan.follows else plan
        backend.prepare(plan, self._window.columns)
        return Prepared(model, backend, plan, plan)

    def _torch(self, model: Model) -> Backend:
        return make_backend("torch", model, self.settings.n_channels)

    def set_patch(self, patch: Prepared | Patch | Plan) -> None:
        """Play another patch from the next window on, cross-faded over a stride; its output values come at once.

        Hand in what `prepare` returned; anything else is prepared here and now, which takes time.
        """
        self._wanted = patch if isinstance(patch, Prepared) else self.prepare(patch)
        self._passage = None

    def glide_to(self, between: Between, seconds: float | None = None) -> None:
        """Go over to another patch, a step at every stride.

        Parameters
        ----------
        between : function of a share, 0..1
            Returns what `prepare` does, quickly: it is called by `process`. Its last call is with 1.
        seconds : float or None
            How long it takes; None goes on with the time that is running. `set_patch` ends it.
        """
        running = self._passage
        if seconds is None and running is not None:
            self._passage = replace(running, between=between)
        else:
            n_hops = max(1, round((seconds or 0.0) * self._rate / HOP_LENGTH))
            self._passage = _Passage(between, self._n_hops, n_hops)

    @property
    def is_gliding(self) -> bool:
        """Whether another patch is being reached."""
        return self._passage is not None

    @property
    def patch(self) -> Patch:
        """What was handed in last, or as far as it has come."""
        return self._wanted.values.patch

    def set_model(self, model: Model, patch: Patch | None = None, *, backend: Backend | None = None) -> None:
        """Play another model from the next window on, cross-faded; the patch stays unless another is given.

        To do the slow part elsewhere: ``engine.set_patch(engine.prepare(patch, model, backend))``.
        """
        self.set_patch(self.prepare(self._wanted.values.patch if patch is None else patch, model, backend))

    def set_controls(
        self,
        *,
        mix: float | None = None,
        detail: float | None = None,
        gain_db: float | None = None,
        limiter: bool | None = None,
        match_level: bool | None = None,
        bypass: bool | None = None,
        difference: bool | None = None,
    ) -> None:
        """Change what is given; it is reached by a ramp of some milliseconds (`detail`: over a stride).

        All but ``bypass`` and ``difference`` take the place of the patch's output values until the next `set_patch`:
        ``mix`` and ``detail`` 0..1, ``gain_db`` -60..24, and the two switches. Without the limiter, peaks are cut off.
        With ``difference``, only what bends add and take away is heard, and nothing dry.

        Raises
        ------
        PatchError
            If a value is out of its range.
        """
        turned = {"mix": mix, "detail": detail, "gain_db": gain_db, "limiter": limiter, "match_level": match_level}
        given = {name: value for name, value in turned.items() if value is not None}
        if given:
            values = self._wanted.values
            output = replace(values.patch.output, **given)    # type: ignore[arg-type]
            self._wanted = replace(self._wanted, values=replace(values, patch=values.patch.replace(output=output)))
        if bypass is not None:
            self._output.bypass(bypass)
        if difference is not None:
            self._window.difference = difference

    def show(self, onlooker: Onlooker | None) -> None:
        """Let somebody see every stride from the next on; None is nobody."""
        self._window.onlooker = onlooker

    def panic(self) -> None:
        """Fade to silence, forget all sound that is under way, and come back clean; settings and patch stay."""
        self._output.panic()

    def reset(self) -> None:
        """Start at sample 0 again, at once, as if nothing had been heard; patch and controls stay, a way is at its end.

        Not while another thread is in `process`.
        """
        if self._passage is not None:
            self.set_patch(self._passage.between(1))
        self._forget()
        self._output.reset()
        self._level.reset()
        self._input[:] = 0
        self._ready = np.zeros_like(self._input[:, :HOP_LENGTH])
        self._n_filled = 0    # samples of the hop that is coming in
        self._n_hops = 0

    def _forget(self) -> None:
        self._window.reset()
        self._wet = np.zeros_like(self._input)

    # ---- sound

    def process(self, block: Samples) -> Samples:
        """Take a block ``(channel, time)`` of any length, return as many samples, `latency` later.

        Samples that are not numbers count as 0. What comes out is finite and, unless bypassed, under full scale.
        """
        if block.ndim != 2 or len(block) != self.settings.n_channels:
            raise AudioError(f"a block must be ({self.settings.n_channels}, time), got shape {block.shape}")
        samples = clean(block)
        out = np.empty_like(samples)
        done, n = 0, samples.shape[1]
        while done < n:
            taken = min(HOP_LENGTH - self._n_filled, n - done)
            first = self._n_hops % self.settings.stride * HOP_LENGTH + self._n_filled
            self._input[:, first : first + taken] = samples[:, done : done + taken]
            out[:, done : done + taken] = self._ready[:, self._n_filled : self._n_filled + taken]
            self._n_filled += taken
            done += taken
            if self._n_filled == HOP_LENGTH:
                self._n_filled = 0
                self._ready = self._hop(first + taken - HOP_LENGTH)
        return out

    def _hop(self, first: int) -> Samples:
        """Work on the hop of the input that begins at ``first``; return the hop that goes out."""
        self._n_hops += 1
        new = self._input[:, first : first + HOP_LENGTH]
        position = self._n_hops % self.settings.stride
        if position == 0:
            self._level.feed(self._input)
            self._go_on()
            wet = self._window.feed(torch.from_numpy(self._input), self._wanted, self._n_hops)
            self._wet = self._output.check(wet)
        wet = self._wet[:, position * HOP_LENGTH : (position + 1) * HOP_LENGTH]
        out = self._output.feed(wet, new, self._output_values())
        if self._output.is_shut:
            self._forget()
            self._output.forget()
        return out

    def _go_on(self) -> None:
        """Take the next step to another patch."""
        if self._passage is not None:
            share = self._passage.share(self._n_hops)
            self._wanted = self._passage.between(share)
            self._passage = None if share == 1 else self._passage

    def _output_values(self) -> Wanted:
        """Return mix and gain for the hop that goes out now, by the time at which it came in."""
        plan = self._wanted.values
        output = plan.patch.output
        if not plan.patch.modulation:
            mix, gain_db = 1.0 if self._window.difference else output.mix, output.gain_db
            return Wanted((mix, mix, mix), (gain_db, gain_db, gain_db), output.limiter)
        first = HOP_LENGTH * self._n_hops - self.latency + LIMITER_DELAY
        times = torch.tensor([first, first + HOP_LENGTH], dtype=torch.float64).clamp_(min=0) / self._rate
        # Another movement is a jump as well: it must not click.
        moved = plan.patch.modulation
        return Wanted(
            ((output.mix, moved), *_two(plan.value("output/mix", times))),
            ((output.gain_db, moved), *_two(plan.value("output/gain_db", times))),
            output.limiter,
        )

def _two(value: float | bool | Tensor) -> tuple[float, float]:
    """Return a value at the start and the end of a hop."""
    return (float(value[0]), float(value[1])) if isinstance(value, Tensor) else (float(value), float(value))


