"""Pictures as PNG files that say how they were made, and files of styles to make pictures from."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError
from torch import Tensor

from audiobend.errors import AudiobendError, PictureError
from audiobend.io.files import MARK, PathLike, check_readable, write_atomically

KEY = "audiobend"
MAX_FACTS = 2**24
MAX_STYLES = 2**28
_LARGEST_SIDE = 65500


def to_bytes(picture: Tensor) -> NDArray[np.uint8]:
    """Return a picture ``(3, height, width)`` of about -1..1 as bytes ``(height, width, 3)``; NaN becomes grey."""
    level = torch.nan_to_num(picture.float(), nan=0.0, posinf=1.0, neginf=-1.0)
    whole = ((level + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(whole.permute(1, 2, 0).cpu().numpy())


def write_png(path: PathLike, pixels: NDArray[np.uint8], facts: Mapping[str, Any]) -> None:
    """Write a PNG, whole or not at all, with our mark and ``facts`` (plain data) in it; the same bytes every time."""
    if max(pixels.shape[:2]) > _LARGEST_SIDE:
        raise PictureError(f"{path}: a picture can be {_LARGEST_SIDE} pixels wide or high, got {pixels.shape[:2]}")
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", MARK)
    info.add_itxt(KEY, json.dumps(facts, ensure_ascii=False, sort_keys=True))
    with write_atomically(path, error=PictureError) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG", pnginfo=info, compress_level=6)


def read_facts(path: PathLike) -> dict[str, Any]:
    """Return what a picture of ours says of how it was made; `PictureError` for any other file."""
    check_readable(path, PictureError)
    try:
        with Image.open(path, formats=("PNG",)) as image:
            text = image.info.get(KEY)
        if not isinstance(text, str) or len(text) > MAX_FACTS:
            raise PictureError(f"{path}: this picture does not say how it was made; give one that audiobend wrote")
        facts = json.loads(text)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, RecursionError, Image.DecompressionBombError):
        raise PictureError(f"{path}: this is no PNG picture, or a damaged one") from None
    if not isinstance(facts, dict):
        raise PictureError(f"{path}: this picture does not say how it was made; give one that audiobend wrote")
    return facts


def read_styles(path: PathLike, n_levels: int, n_style: int) -> Tensor:
    """Read styles from an ``.npz`` with an array ``w``, or an ``.npy``.

    Parameters
    ----------
    path : path
    n_levels, n_style : int
        What the model needs.

    Returns
    -------
    Tensor of shape ``(picture, level, style)``
        From ``(picture, style)`` or ``(style,)`` too, the same at all levels.

    Raises
    ------
    PictureError
        If there are none, of another size, or not of numbers.
    """
    path = check_readable(path, PictureError)
    values = _styles_in(path)
    expected = f"({n_levels}, {n_style}) for each picture"
    if values.dtype.kind != "f" or values.size == 0 or values.size > MAX_STYLES or not np.isfinite(values).all():
        raise PictureError(f"{path}: 'w' must be finite floating-point numbers, {expected}, got {values.dtype}")
    w = torch.from_numpy(np.array(values, dtype=np.float32))
    w = w[None] if w.dim() == 1 else w
    if w.dim() == 2 and w.shape[1] == n_style:
        return w[:, None].repeat(1, n_levels, 1)
    if w.dim() == 3 and w.shape[1:] == (n_levels, n_style):
        return w
    raise PictureError(f"{path}: 'w' must be {expected} of this model, got the shape {tuple(values.shape)}")


def read_noise(path: PathLike, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, ...] | None:
    """Read the noise that a search found, ``noise_0``.. in an ``.npz``; None where there is none.

    Parameters
    ----------
    path : path
    sizes : sequence of (int, int)
        Height and width of the model's noise, for each layer.

    Raises
    ------
    PictureError
        If it is of another size, or not of numbers.
    """
    path = check_readable(path, PictureError)
    arrays = [_array(path, f"noise_{layer}") for layer in range(len(sizes))]
    if all(one is None for one in arrays):
        return None
    maps = []
    for layer, (one, size) in enumerate(zip(arrays, sizes, strict=True)):
        if one is None or one.dtype.kind != "f" or one.shape[-2:] != size or one.size != size[0] * size[1]:
            shape = "nothing" if one is None else f"{one.dtype} {one.shape}"
            raise PictureError(f"{path}: 'noise_{layer}' must be numbers of the size {size} here, got {shape}")
        if not np.isfinite(one).all():
            raise PictureError(f"{path}: 'noise_{layer}' must be finite numbers")
        maps.append(torch.from_numpy(one.astype(np.float16).astype(np.float32)).reshape(1, 1, *size))
    return tuple(maps)


def _styles_in(path: Path) -> NDArray[Any]:
    found = _array(path, "w")
    if found is None:
        raise PictureError(f"{path}: has no array 'w'; give a file that holds styles under that name")
    return found


def _array(path: Path, name: str) -> NDArray[Any] | None:
    """Return an array of a file; that of an ``.npy`` is called w."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded if name == "w" else None
        with loaded:
            return np.asarray(loaded[name]) if name in loaded.files else None
    except AudiobendError:
        raise
    except (OSError, ValueError, KeyError, EOFError, TypeError, SyntaxError, NotImplementedError, MemoryError,
            RuntimeError, zipfile.BadZipFile):    # fmt: skip
        raise PictureError(f"{path}: this is no .npz or .npy file of numbers, or a damaged one") from None
