"""What a network loses is known from its unbent reconstruction, so it can be given back to the bent one."""

import torch
from torch import Tensor

from audiobend.spectral.codec import FLOOR_DB

NOTHING_DB = -170.0
"""Under this, even a sound that is to come back unchanged is silent."""


def give_back(bent_db: Tensor, unbent_db: Tensor, input_db: Tensor, detail: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Add to the bent sound as much of the input's lost detail as wanted.

    Parameters
    ----------
    bent_db, unbent_db, input_db : Tensors of shape ``(channel, 513, column)``
        dB relative to the loudest bin; the input's with everything under the floor kept.
    detail : Tensor of shape ``(column,)``
        0 (none) to 1 (all: without bends, the input itself).

    Returns
    -------
    bent, unbent : Tensors of the same shape
        With what was lost.
    floor : Tensor of the same shape
        dB at or under which a bin is silent: with detail, what lies under the codec's floor in the input may stay.
    """
    # A silent column knows exactly what the network added to it: take it off, silence stays silence.
    silent = input_db.amax(dim=1, keepdim=True) <= FLOOR_DB
    lost = torch.where(silent, 1.0, detail) * (input_db - unbent_db)
    floor = FLOOR_DB + detail * (input_db - FLOOR_DB).clamp(max=0.0) - 1.0 * (detail > 0)
    return bent_db + lost, unbent_db + lost, floor.clamp(min=NOTHING_DB)
