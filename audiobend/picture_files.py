"""Pictures as files that say how they were made, and sheets of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audiobend.bending import Patch
from audiobend.errors import PatchError, PictureError
from audiobend.io.files import MARK, bears_our_mark, write_atomically
from audiobend.io.imagefile import to_bytes, write_png
from audiobend.io.patchfile import dump_patch
from audiobend.picture import Painter
from audiobend.picture_recipe import VERSION, Job, facts_of

SHEET_PIXELS = 4096
"""The widest that a sheet becomes; larger pictures are made smaller on it."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Painted:
    """One picture's file."""

    path: Path
    seed: int
    height: int
    width: int


def picture_path(folder: Path, job: Job) -> Path:
    """Return a picture's name: ``seed0003.png``, or ``style0003.png`` where styles come from a file."""
    return folder / f"{'seed' if job.styles is None else 'style'}{job.seed:04d}.png"


def patch_path(folder: Path) -> Path:
    """Return where the patch is kept, with the features that were drawn."""
    return folder / "patch.yaml"


def grid_path(folder: Path) -> Path:
    """Return where the sheet of all pictures lies."""
    return folder / "grid.png"


def paint_files(
    painter: Painter,
    jobs: Sequence[Job],
    folder: Path,
    on_progress: Callable[[float], None] = lambda _: None,
    *,
    grid: bool = False,
) -> list[Painted]:
    """Paint each job into its file in a folder, and the patch as it was drawn beside them; with a sheet of all."""
    results, tiles = [], []
    step = max(1, painter.network.architecture.size[1] // max(1, SHEET_PIXELS // _columns(len(jobs))))
    for index, job in enumerate(jobs):
        pixels = paint_one(painter, job)
        path = picture_path(folder, job)
        write_png(path, pixels, facts_of(painter, job))
        results.append(Painted(path, job.seed, *pixels.shape[:2]))
        if grid:
            tiles.append(_smaller(pixels, step))
        on_progress((index + 1) / len(jobs))
    if painter.plan.patch != Patch():
        save_drawn(painter, patch_path(folder))
    if grid:
        write_png(grid_path(folder), sheet(tiles, _columns(len(tiles))), {"version": VERSION, "sheet": len(tiles)})
    return results


def paint_one(painter: Painter, job: Job) -> Pixels:
    """Return one picture as bytes ``(height, width, 3)``."""
    w = painter.styles([job.seed]) if job.styles is None else painter.bent_styles(job.styles[None])
    return to_bytes(painter.paint(w, [job.seed], noise=job.noise)[0])


def save_drawn(painter: Painter, path: Path) -> None:
    """Write a patch with the indices of the features that were drawn."""
    with write_atomically(path, error=PatchError) as temporary:
        temporary.write_text(f"# As it was painted, {MARK}.\n{dump_patch(painter.plan.drawn())}", encoding="utf-8")


def sheet(tiles: Sequence[Pixels], columns: int) -> Pixels:
    """Lay pictures of one size side by side, row by row."""
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    whole = np.zeros((rows * height, columns * width, 3), np.uint8)
    for index, tile in enumerate(tiles):
        y, x = index // columns * height, index % columns * width
        whole[y : y + height, x : x + width] = tile
    return whole


def _columns(n: int) -> int:
    return int(np.ceil(np.sqrt(n)))


def _smaller(pixels: Pixels, step: int) -> Pixels:
    """Means of squares; what is left over at the right and below is cut off."""
    if step == 1:
        return pixels
    height, width = (side // step * step for side in pixels.shape[:2])
    blocks = pixels[:height, :width].reshape(height // step, step, width // step, step, 3)
    means: Pixels = blocks.mean(axis=(1, 3)).round().astype(np.uint8)
    return means


def check_outputs(paths: Sequence[Path], overwrite: bool) -> None:
    """Look before the work begins: no file of a stranger is overwritten."""
    for path in paths:
        if path.is_dir():
            raise PictureError(f"{path}: is a folder, not a file")
        if path.exists() and not overwrite and not bears_our_mark(path):
            raise PictureError(f"{path}: exists and was not written by audiobend; add --overwrite to replace it")
