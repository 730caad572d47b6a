"""Checkpoints: everything needed to go on later, written whole or not at all."""

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from audiobend.errors import TrainingError
from audiobend.io.files import reason, write_atomically

NAME = "checkpoint.pt"
FORMAT = 2


def save_checkpoint(content: dict[str, Any], path: Path) -> None:
    """Write beside the old checkpoint, bring it to the disk, then take the old one's name.

    A kill at any moment, or a full disk, leaves the old one.
    """
    try:
        with write_atomically(path, error=TrainingError) as temporary:
            torch.save({"audiobend-checkpoint": FORMAT, **content}, temporary)
        _settle_name(path.parent)
    except RuntimeError as error:    # what torch makes of the system's refusal, without its reason
        raise TrainingError(f"{path}: cannot be written: the disk is full, or files may not be this large") from error
    except OSError as error:
        raise TrainingError(f"{path}: cannot be written: {reason(error)}") from error


def _settle_name(folder: Path) -> None:
    """Bring the new name to the disk too, where the system lets one open folders."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; nothing inside it is run.

    Raises
    ------
    TrainingError
        If it is damaged, of another version, or no checkpoint.
    """
    try:
        checkpoint = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path}: the checkpoint is damaged; leave out --resume and begin anew") from error
    if not isinstance(checkpoint, dict) or "recipe" not in checkpoint:
        raise TrainingError(f"{path}: this is no checkpoint of audiobend; leave out --resume and begin anew")
    if checkpoint.get("audiobend-checkpoint") != FORMAT:
        raise TrainingError(f"{path}: was written by another version of audiobend; leave out --resume and begin anew")
    return checkpoint
