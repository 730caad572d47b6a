"""How pictures are painted: truncation, noise, class, device and precision."""

from dataclasses import dataclass

import torch

from audiobend.bending.values import shown
from audiobend.errors import PictureError, did_you_mean
from audiobend.networks.stylegan2 import NOISE_MODES, NoiseMode

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class PictureSettings:
    """How pictures are painted.

    Attributes
    ----------
    truncation : float in -2..2
        1 leaves styles as they are, 0 is the mean picture; less is more usual and less varied.
    cutoff : int or None
        Only levels below this are truncated.
    noise : "const", "random" or "none"
        The noise the model was saved with; noise by the seed; none.
    label : int
        Which class to draw, for models that have classes.
    device : str
        ``"cpu"``, ``"cuda"``, ``"mps"``.
    precision : "fp32" or "bf16"
        Of the synthesis.
    """

    truncation: float = 0.7
    cutoff: int | None = None
    noise: NoiseMode = "const"
    label: int = 0
    device: str = "cpu"
    precision: str = "fp32"

    def __post_init__(self) -> None:
        number = isinstance(self.truncation, int | float) and not isinstance(self.truncation, bool)
        if not number or not -2 <= self.truncation <= 2:
            raise PictureError(f"truncation must be in -2..2 (1 changes nothing), got {shown(self.truncation)}")
        if self.cutoff is not None and (type(self.cutoff) is not int or self.cutoff < 0):
            raise PictureError(f"cutoff must be a level, 0 or more, got {shown(self.cutoff)}")
        if self.noise not in NOISE_MODES:
            raise PictureError(f"noise must be const, random or none, got {shown(self.noise)}")
        if self.precision not in PRECISIONS:
            raise PictureError(f"unknown precision {shown(self.precision)}{did_you_mean(self.precision, PRECISIONS)}")


def device_named(name: str) -> torch.device:
    """Return a device; `PictureError` where there is none of that name here."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    kind = str(name).partition(":")[0]
    if not there.get(kind):
        usable = [one for one, found in there.items() if found]
        raise PictureError(f"there is no device {shown(name)} here; there are: {', '.join(usable)}")
    try:
        return torch.device(name)
    except RuntimeError:
        raise PictureError(f"{shown(name)} is no name of a device; try {kind}") from None
