"""A log that TensorBoard shows: curves, pictures and sounds. Where it is not installed, training goes on without."""

import errno
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import torch

from audiobend.io.files import reason

LEAST_FREE = 32 * 2**20
"""Bytes. TensorBoard writes in a thread of its own that dies aloud on a full disk, so the log ends before."""
ADVICE = "no TensorBoard here, so no log; to have one: pip install 'audiobend[tensorboard]'"


class Log:
    """Write to a folder for ``tensorboard --logdir``; what goes wrong is said once and never stops a training.

    Parameters
    ----------
    folder : Path
    first_step : int
        Entries of this step and later ones, from a run that was cut off, are hidden.
    report : callable
        Takes a sentence.
    """

    def __init__(self, folder: Path, first_step: int, report: Callable[[str], None]) -> None:
        self._folder, self._report = folder, report
        self._writer: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            report(ADVICE)
            return
        self._try(lambda: setattr(self, "_writer", SummaryWriter(str(folder), purge_step=first_step)))

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add a point to each of the named curves."""
        self._add(lambda writer: [writer.add_scalar(name, value, step) for name, value in values.items()])

    def picture(self, name: str, path: Path, step: int) -> None:
        """Add a PNG file."""
        from matplotlib.image import imread

        self._add(lambda writer: writer.add_image(name, np.asarray(imread(path))[..., :3], step, dataformats="HWC"))

    def sound(self, name: str, path: Path, step: int) -> None:
        """Add a sound file (its first channel: TensorBoard plays mono)."""
        samples, rate = sf.read(path, dtype="float32", always_2d=True)
        self._add(lambda writer: writer.add_audio(name, torch.from_numpy(samples[:, :1].T.copy()), step, rate))

    def flush(self) -> None:
        """Bring everything to the disk."""
        self._add(lambda writer: writer.flush())

    def close(self) -> None:
        """Bring everything to the disk and end."""
        self._add(lambda writer: writer.close())
        self._writer = None

    def _add(self, write: Callable[[Any], Any]) -> None:
        if self._writer is not None:
            self._try(lambda: self._write(write))

    def _write(self, write: Callable[[Any], Any]) -> None:
        if shutil.disk_usage(self._folder).free < LEAST_FREE:
            raise OSError(errno.ENOSPC, "")
        write(self._writer)

    def _try(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except (OSError, RuntimeError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error)
            self._report(f"the log cannot be written any more ({why}); training goes on without it")
            broken, self._writer = self._writer, None
            with suppress(Exception):    # it would try to write what is left
                broken.close()
