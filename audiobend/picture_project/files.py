"""The picture that is searched for, and the file of what was found."""

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from audiobend.errors import PictureError
from audiobend.io.files import MARK, PathLike, check_readable, write_atomically
from audiobend.picture_project.projecting import Projected

MAX_PIXELS = 1 << 28
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip can hold: the same bytes every time."""


def read_target(path: PathLike, size: tuple[int, int]) -> Tensor:
    """Read a picture of any kind, cut to the model's shape about its middle and brought to its size.

    Parameters
    ----------
    path : path
    size : (int, int)
        Height and width of the model.

    Returns
    -------
    Tensor of shape ``(3, height, width)``, -1..1

    Raises
    ------
    PictureError
        If it cannot be read as a picture.
    """
    path = check_readable(path, PictureError)
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PictureError(f"{path}: has {image.width} by {image.height} pixels, more than can be read")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise PictureError(f"{path}: this is no picture that can be read (png, jpg, webp), or a damaged one") from None
    fitted = ImageOps.fit(upright, (size[1], size[0]), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(fitted)).permute(2, 0, 1).float() / 127.5 - 1


def save_projected(path: Path, found: Projected) -> None:
    """Write what was found as an .npz: ``w`` ``(1, level, style)``, and ``noise_0``.. where noise was searched."""
    arrays = {"w": found.w[None].numpy().astype(np.float32)}
    for index, one in enumerate(found.noise or ()):
        arrays[f"noise_{index}"] = one.numpy().astype(np.float16)
    with write_atomically(path, error=PictureError) as temporary, zipfile.ZipFile(temporary, "w") as file:
        file.comment = MARK.encode()
        for name, values in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, values)
            file.writestr(zipfile.ZipInfo(f"{name}.npy", _LONG_AGO), buffer.getvalue())
