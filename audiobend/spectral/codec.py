"""Between magnitudes and the normalised decibel columns that a network sees.

0 dB is the loudest bin of the file, -80 dB is silence and comes back as exact zero. The training corpus's mean
spectrum is taken off and the rest divided by one scale, so that the network meets numbers around zero.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

FLOOR_DB = -80.0
CEILING_DB = 6.0
"""A decoder may overshoot the loudest bin a little; beyond this one bad bin would drown everything."""
SILENCE_MARGIN_DB = 0.5
"""Bins this close to the floor are silence; as sound they would be a bed of noise."""


@dataclass(frozen=True)
class SpectrogramCodec:
    """Magnitudes ``(..., 513, time)`` to decibels, decibels to normalised columns, and back.

    Attributes
    ----------
    mean_db : Tensor of shape ``(513,)``
        Mean spectrum of the training corpus, dB.
    scale_db : float > 0
        Decibels per unit of the normalised columns.
    """

    mean_db: Tensor = field(default_factory=lambda: torch.full((513,), -45.0))
    scale_db: float = 11.63
    sample_rate: int = 44100

    def to_db(self, magnitude: Tensor, reference: float) -> Tensor:
        """Return dB relative to ``reference`` (the file's loudest bin), not below the floor.

        Not-a-number and infinite magnitudes count as silence.
        """
        return self.to_db_unfloored(magnitude, reference).clamp_(FLOOR_DB, 0.0)

    def to_db_unfloored(self, magnitude: Tensor, reference: float) -> Tensor:
        """Return dB relative to ``reference`` with everything under the floor kept (down to -200 dB)."""
        clean = torch.nan_to_num(magnitude, nan=0.0, posinf=0.0, neginf=0.0)
        return clean.div(max(reference, 1e-20)).clamp_(min=1e-10).log10_().mul_(20.0)

    def to_magnitude(self, db: Tensor, reference: float, floor_db: Tensor | float = FLOOR_DB) -> Tensor:
        """Return magnitudes of dB; at or under the floor is exact silence, above the ceiling is held there."""
        clean = torch.nan_to_num(db, nan=-200.0, posinf=CEILING_DB, neginf=-200.0)
        silent = clean <= floor_db + SILENCE_MARGIN_DB
        magnitude = clean.clamp_(max=CEILING_DB).mul_(0.1151292546497023).exp_().mul_(reference)
        return magnitude.masked_fill_(silent, 0.0)

    def normalise(self, db: Tensor) -> Tensor:
        """Return what the network sees, ``(..., 513, time)``."""
        return (db - self.mean_db[:, None]) / self.scale_db

    def denormalise(self, x: Tensor) -> Tensor:
        """Return dB of what the network puts out, ``(..., 513, time)``."""
        return x * self.scale_db + self.mean_db[:, None]
