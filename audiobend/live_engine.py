"""Blocks of sound in, blocks of bent sound out, for hours: the engine of a performance. No thread, clock or device.

A window of 128 columns slides over the sound. Every `stride` columns the network reconstructs it, bent and unbent;
of each reconstruction the `stride` columns that end `look_ahead` before its end are kept, cross-faded in dB with the
reconstruction before. Every frame gets its phase once and is only overlap-added, so nothing clicks, whatever changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from audiobend.bending import Patch, Plan
from audiobend.errors import AudioError
from audiobend.networks.backends import Backend
from audiobend.networks.model import Model
from audiobend.spectral.stft import HOP_LENGTH, N_FFT

Samples = NDArray[np.float32]
LivePhase = Literal["input", "rtisi"]
Profile = Literal["low", "balanced", "studio"]

LIMITER_DELAY = 220
"""Samples by which the limiter sees peaks come: 5 ms."""
PHASE_LOOK_AHEADS = (1, 3, 7)
_PROFILES: Mapping[str, tuple[int, int, int]] = {"low": (4, 4, 1), "balanced": (8, 8, 3), "studio": (16, 16, 7)}


@dataclass(frozen=True)
class LiveSettings:
    """What decides latency and load; fixed for the life of an engine.

    Attributes
    ----------
    stride : int in 1..64
        Columns between calls of the network.
    look_ahead : int in 1..64
        Columns that kept columns have after them inside the window.
    phase : "input" or "rtisi"
        The input's phase as it is (right where bends keep the layout in time and frequency, and exact where nothing
        is bent), or phases found from the bent magnitudes.
    phase_look_ahead : 1, 3 or 7, or None
        Frames that "rtisi" waits for; None takes what suits the stride. Always 0 with "input".
    n_channels : 1 or 2

    Examples
    --------
    >>> LiveSettings.profile("balanced").stride, LiveSettings(phase="rtisi").phase_look_ahead
    (8, 3)
    """

    stride: int = 8
    look_ahead: int = 8
    phase: LivePhase = "input"
    phase_look_ahead: int | None = None
    n_channels: int = 1

    def __post_init__(self) -> None:
        for name in ("stride", "look_ahead"):
            _check_whole(name, getattr(self, name), range(1, 65))
        _check_whole("n_channels", self.n_channels, range(1, 3))
        if self.phase not in get_args(LivePhase):
            raise AudioError(f"phase must be input or rtisi; got {self.phase!r}")
        if self.phase == "input":
            object.__setattr__(self, "phase_look_ahead", 0)
        elif self.phase_look_ahead is None:
            object.__setattr__(self, "phase_look_ahead", 1 if self.stride <= 4 else 3 if self.stride <= 8 else 7)
        elif self.phase_look_ahead not in PHASE_LOOK_AHEADS:
            raise AudioError(f"phase_look_ahead must be 1, 3 or 7; got {self.phase_look_ahead!r}")

    @classmethod
    def profile(cls, name: Profile, *, phase: LivePhase = "input", n_channels: int = 1) -> "LiveSettings":
        """Return one of the three profiles: "low" (4 columns and 4), "balanced" (8 and 8), "studio" (16 and 16)."""
        if name not in _PROFILES:
            raise AudioError(f"latency must be one of {', '.join(_PROFILES)}; got {name!r}")
        stride, look_ahead, phase_look_ahead = _PROFILES[name]
        return cls(stride, look_ahead, phase, phase_look_ahead if phase == "rtisi" else None, n_channels)

    def latency_parts(self) -> dict[str, int]:
        """Return what the latency is made of, in samples at the model's rate."""
        return {
            "frame": N_FFT - HOP_LENGTH,    # until the last frame that holds a sample is complete
            "buffering": self.stride * HOP_LENGTH,
            "window": self.look_ahead * HOP_LENGTH,
            "phase": (self.phase_look_ahead or 0) * HOP_LENGTH,
            "limiter": LIMITER_DELAY,
        }

    @property
    def latency(self) -> int:
        """Samples at the model's rate by which everything comes out later than it went in."""
        return sum(self.latency_parts().values())


@dataclass(frozen=True)
class Prepared:
    """A patch ready to be played: everything slow is done."""

    model: Model
    plan: Plan
    backend: Backend


class LiveEngine:
    """Bend sound at the model's sample rate as it comes.

    Parameters
    ----------
    model : Model
    patch : Patch
    settings : LiveSettings, optional
    backend : Backend, optional
        What runs the network; by default torch.

    Attributes
    ----------
    latency : int
        Samples at the model's rate, exact: sample n of the output belongs to sample ``n - latency`` of the input.

    Notes
    -----
    `process` does all the work on the caller's thread and never waits. The other methods only hand something over, which
    the next `process` takes; call them from one thread. Whoever owns the thread should pin torch to one thread and flush
    denormal numbers to zero (``torch.set_flush_denormal(True)``), which keeps fading sounds from becoming slow.
    """

    def __init__(
        self, model: Model, patch: Patch, settings: LiveSettings | None = None, *, backend: Backend | None = None
    ) -> None:
        self.model = model
        self.settings = settings or LiveSettings()
        self.latency = self.settings.latency

    def latency_parts(self) -> dict[str, int]:
        """Return what the latency is made of, in samples: frame, buffering, window, phase, limiter."""
        return self.settings.latency_parts()

    def process(self, block: Samples) -> Samples:
        """Take a block ``(channel, time)`` of any length, return as many samples, `latency` later.

        Samples that are not numbers count as 0. What comes out is finite and, unless bypassed, under full scale.
        """
        raise NotImplementedError

    def prepare(self, patch: Patch | Plan, model: Model | None = None, backend: Backend | None = None) -> Prepared:
        """Do all that is slow about a patch: check it, draw its random features, bend kernels, compile.

        May take long; any thread may call it while another one is in `process`.

        Raises
        ------
        PatchError
            If the patch does not fit the model.
        """
        raise NotImplementedError

    def set_patch(self, patch: Prepared | Patch | Plan) -> None:
        """Play another patch from the next window on, cross-faded over a stride; its output values come at once.

        Hand in what `prepare` returned; anything else is prepared here and now, which takes time.
        """
        raise NotImplementedError

    def set_model(self, model: Model, patch: Patch | None = None, *, backend: Backend | None = None) -> None:
        """Play another model from the next window on, cross-faded; the patch stays unless another is given.

        To do the slow part elsewhere: ``engine.set_patch(engine.prepare(patch, model, backend))``.
        """
        raise NotImplementedError

    def set_controls(
        self,
        *,
        mix: float | None = None,
        detail: float | None = None,
        gain_db: float | None = None,
        bypass: bool | None = None,
    ) -> None:
        """Change what is given; it is reached by a ramp of some milliseconds (`detail`: over a stride).

        ``mix``, ``detail`` and ``gain_db`` take the place of the patch's output values until the next `set_patch`.
        """
        raise NotImplementedError

    def panic(self) -> None:
        """Fade to silence, forget all sound that is under way, and come back clean; settings and patch stay."""
        raise NotImplementedError

    def reset(self) -> None:
        """Start at sample 0 again, at once, as if nothing had been heard; patch and controls stay."""
        raise NotImplementedError


def _check_whole(name: str, value: object, allowed: range) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
        raise AudioError(f"{name} must be a whole number in {allowed[0]}..{allowed[-1]}; got {value!r}")
