"""The pictures of a training: a folder's, or tiles of its sounds; all in memory, as bytes."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from audiobend.errors import AudiobendError, TrainingError
from audiobend.train.searching import sound_files
from audiobend.train_pictures.tiles import SIDE, tiles_of

Report = Callable[[str], None]
ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})


@dataclass(frozen=True)
class Pictures:
    """The pictures of a training.

    Attributes
    ----------
    pixels : Tensor of shape ``(picture, 3, size, size)``
        Bytes.
    sources : tuple of str
        Names of the files that they were made from.
    kind : "pictures" or "sound"
    """

    pixels: Tensor
    sources: tuple[str, ...]
    kind: str

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(self, index: Tensor) -> Tensor:
        """Return pictures ``(batch, 3, size, size)`` in -1..1."""
        return self.pixels[index].float() / 127.5 - 1

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that tell one set of pictures from another."""
        return hashlib.blake2b(self.pixels.numpy().data, digest_size=8).hexdigest()


def read_pictures(folders: Sequence[Path], size: int, report: Report, most: int | None = None) -> Pictures:
    """Read a training's pictures, cut to squares; where there are none, the tiles of its sounds.

    Parameters
    ----------
    folders : paths
        Searched through; files may be named directly.
    size : int
        Pixels.
    most : int, optional
        Stop after so many files.

    Raises
    ------
    TrainingError
        Where nothing can be used, or sound is given for another size than 64 pixels.
    """
    images = _image_files(folders)
    if images:
        return _of_images(images[:most], size, report)
    sounds = sound_files(folders)[:most]
    if size != SIDE:
        raise TrainingError(f"sound becomes tiles of {SIDE} pixels; this recipe paints {size}, so give it pictures")
    return _of_sounds(sounds, report)


def _image_files(folders: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        if not folder.exists():
            raise TrainingError(f"{folder}: there is no such folder; give one that holds sound files or pictures")
        found += [folder] if folder.is_file() else sorted(folder.rglob("*"))
    return [path for path in found if path.suffix.lower() in ENDINGS and path.is_file()]


def _of_images(paths: Sequence[Path], size: int, report: Report) -> Pictures:
    pixels, names = [], []
    for path in paths:
        try:
            with Image.open(path) as image:
                square = ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.LANCZOS)
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            report(f"left out {path}: this is no picture, or a damaged one")
            continue
        pixels.append(torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous())
        names.append(path.name)
    if not pixels:
        raise TrainingError("none of the pictures could be read")
    return Pictures(torch.stack(pixels), tuple(names), "pictures")


def _of_sounds(paths: Sequence[Path], report: Report) -> Pictures:
    tiles, names = [], []
    for path in paths:
        try:
            found = tiles_of(path)
        except AudiobendError as error:
            report(f"left out {error}")
            continue
        if len(found):
            tiles.append(found)
            names.append(path.name)
    if not tiles:
        raise TrainingError("none of the sounds could be used; each needs at least 1.5 s of sound")
    return Pictures(torch.cat(tiles), tuple(names), "sound")
