"""What decides the latency and the load of a performance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from audiobend.errors import AudioError
from audiobend.spectral.guard import LIMITER_DELAY
from audiobend.spectral.stft import HOP_LENGTH, N_FFT

LivePhase = Literal["input", "rtisi"]
Profile = Literal["low", "balanced", "studio"]

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


def _check_whole(name: str, value: object, allowed: range) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
        raise AudioError(f"{name} must be a whole number in {allowed[0]}..{allowed[-1]}; got {value!r}")
