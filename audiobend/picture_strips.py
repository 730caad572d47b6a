"""The same transform at every layer, side by side: what each layer is good for (Broad et al., 2020, figure 2)."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from audiobend.bending import All, Bend, Features, Patch, check_values, get_transform
from audiobend.errors import PatchError, PictureError
from audiobend.io.imagefile import to_bytes
from audiobend.networks.stylegan2_model import PictureModel
from audiobend.picture import Painter
from audiobend.picture_files import Pixels, sheet
from audiobend.picture_settings import PictureSettings

MARGIN = 22
"""Pixels above each column, for its name."""


def strip_layers(model: PictureModel, wanted: Sequence[int] | None = None) -> list[int]:
    """Return the convolution layers to bend; default is all from 1 on, as in the paper."""
    known = [layer.name for layer in model.network.layers() if isinstance(layer.name, int)]
    for layer in wanted or ():
        if layer not in known:
            raise PatchError(f"layer {layer}: this model has layers {known[0]}..{known[-1]}")
    return list(wanted) if wanted else [layer for layer in known if layer > 0]


def strip_patches(
    transform: str,
    values: Sequence[float],
    layers: Sequence[int],
    features: Features | None = None,
    profile: str = "default",
    seed: int = 0,
) -> list[Patch]:
    """Return the patch of each column: none, then the transform at each layer."""
    entry = get_transform(transform, profile)
    params = check_values(entry, list(values), profile=profile)
    columns = [Patch(profile=profile, seed=seed)]
    for layer in layers:
        bend = Bend("bent", layer, entry.name, params, features or All())
        columns.append(Patch(profile=profile, seed=seed, bends=(bend,)))
    return columns


def paint_strips(
    model: PictureModel,
    rows: Sequence[tuple[int, Sequence[Patch]]],
    settings: PictureSettings,
    layers: Sequence[int],
    on_progress: Callable[[float], None] = lambda _: None,
    side: int | None = None,
) -> Pixels:
    """Return strips as bytes: one row for each (seed, patches), its columns named by their layers.

    ``side``: how wide a picture becomes on it, in pixels; default is its own width, 256 at most.
    """
    painters = [[Painter(model, patch, settings) for patch in patches] for _, patches in rows]
    n, done, tiles = sum(map(len, painters)), 0, []
    width = min(side or 256, model.network.architecture.size[1])
    for (seed, _), row in zip(rows, painters, strict=True):
        for painter in row:
            picture = painter.paint(painter.styles([seed]), [seed])[0]
            tiles.append(_scaled(to_bytes(picture), width))
            done += 1
            on_progress(done / n)
    columns = len(layers) + 1
    if len(tiles) != columns * len(rows):
        raise PictureError("each row of strips needs a picture for every layer")
    return _titled(sheet(tiles, columns), ["unbent", *(f"layer {layer}" for layer in layers)], width)


def _scaled(pixels: Pixels, width: int) -> Pixels:
    height = max(1, round(pixels.shape[0] * width / pixels.shape[1]))
    if pixels.shape[1] == width:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX))


def _titled(pixels: Pixels, names: Sequence[str], width: int) -> Pixels:
    whole = Image.new("RGB", (pixels.shape[1], pixels.shape[0] + MARGIN), (20, 22, 26))
    whole.paste(Image.fromarray(pixels), (0, MARGIN))
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(max(8, min(13, width // 5)))
    for index, name in enumerate(names):
        draw.text(((index + 0.5) * width, MARGIN / 2), name, fill=(216, 220, 226), font=font, anchor="mm")
    return np.asarray(whole)
