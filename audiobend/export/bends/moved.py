"""Affine transforms: maps are moved, turned, stretched, mirrored or cut."""

import math

import torch
from torch import Tensor

from audiobend.export.bends.base import Bender, Place, exported
from audiobend.export.bends.warping import gather_bilinear, warp_table


class Warp(Bender):
    """Maps read at moved places; the table is worked out anew when a value changes."""

    table_of: list[float]
    index: Tensor
    weights: Tensor

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.height, self.width, self.fixed_point = place.height, place.width, False
        self.table_of = [0.0] * 6    # the inverse that nothing has
        self.register_buffer("index", torch.zeros(0, dtype=torch.int64), persistent=True)
        self.register_buffer("weights", torch.zeros(4, 0))

    def inverse(self, values: list[float]) -> list[float]:
        """Return the inverse map for parameter values; empty where nothing is left of the maps."""
        return [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]

    def about_centre(self, xx: float, xy: float, yx: float, yy: float) -> list[float]:
        """Return the inverse map that leaves the centre where it is."""
        cx, cy = (self.width - 1) / 2, (self.height - 1) / 2
        return [xx, xy, cx - xx * cx - xy * cy, yx, yy, cy - yx * cx - yy * cy]

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        inverse = self.inverse(values)
        if len(inverse) == 0:
            return torch.zeros_like(part)
        if inverse != self.table_of or self.index.numel() == 0:
            index, weights = warp_table(self.height, self.width, inverse, self.fixed_point)
            self.index, self.weights = index.to(part.device), weights.to(part.device)
            self.table_of = inverse
        return gather_bilinear(part, self.index, self.weights)


@exported("translate")
class Translate(Warp):
    """By fractions of width and height."""

    def inverse(self, values: list[float]) -> list[float]:
        return [1.0, 0.0, -values[0] * self.width, 0.0, 1.0, -values[1] * self.height]


@exported("scale")
class Scale(Warp):
    """By k kx along x and k ky along y."""

    def inverse(self, values: list[float]) -> list[float]:
        kx, ky = values[0] * values[1], values[0] * values[2]
        if kx < 1e-6 or ky < 1e-6:
            nothing: list[float] = []
            return nothing
        return self.about_centre(1 / kx, 0.0, 0.0, 1 / ky)


def cos_sin(degrees: float) -> tuple[float, float]:
    """Return cosine and sine, exact for quarter turns."""
    quarters = math.floor(degrees / 90)
    if degrees - 90.0 * quarters == 0:
        quarter = int(quarters) % 4
        cos = 1.0 if quarter == 0 else (-1.0 if quarter == 2 else 0.0)
        sin = 1.0 if quarter == 1 else (-1.0 if quarter == 3 else 0.0)
        return cos, sin
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


@exported("rotate")
class Rotate(Warp):
    """Counter-clockwise, about the centre."""

    def inverse(self, values: list[float]) -> list[float]:
        cos, sin = cos_sin(values[0])
        return self.about_centre(cos, -sin, sin, cos)


@exported("shear")
class Shear(Warp):
    """Rows along x, then columns along y."""

    def inverse(self, values: list[float]) -> list[float]:
        return self.about_centre(1 + values[0] * values[1], -values[0], -values[1], 1.0)


def _inverted(forward: list[float]) -> list[float]:
    """Return the inverse of an affine map; all zeros for a flat one."""
    xx, xy, x0, yx, yy, y0 = forward[0], forward[1], forward[2], forward[3], forward[4], forward[5]
    determinant = xx * yy - xy * yx
    factor = 0.0 if determinant == 0 else 1 / determinant
    ixx, ixy, iyx, iyy = yy * factor, -xy * factor, -yx * factor, xx * factor
    return [ixx, ixy, -ixx * x0 - ixy * y0, iyx, iyy, -iyx * x0 - iyy * y0]


class BroadWarp(Warp):
    """With the swapped axes and rounded places of the original."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.fixed_point = True

    def turned(self, degrees: float, k: float) -> list[float]:
        """Return the inverse of a turn and a magnification."""
        cx, cy = self.height / 2, self.width / 2
        alpha, beta = k * math.cos(degrees * math.pi / 180), k * math.sin(degrees * math.pi / 180)
        return _inverted([alpha, beta, (1 - alpha) * cx - beta * cy, -beta, alpha, beta * cx + (1 - alpha) * cy])


@exported("translate", "broad2020")
class BroadTranslate(BroadWarp):
    """Distances in float32, as there."""

    def inverse(self, values: list[float]) -> list[float]:
        dx = float((torch.tensor([values[0]], dtype=torch.float32) * self.height).item())
        dy = float((torch.tensor([values[1]], dtype=torch.float32) * self.width).item())
        return _inverted([1.0, 0.0, dx, 0.0, 1.0, dy])


@exported("scale", "broad2020")
class BroadScale(BroadWarp):
    """About the swapped centre."""

    def inverse(self, values: list[float]) -> list[float]:
        return self.turned(0.0, values[0])


@exported("rotate", "broad2020")
class BroadRotate(BroadWarp):
    """About the swapped centre."""

    def inverse(self, values: list[float]) -> list[float]:
        return self.turned(values[0], 1.0)


def _rolled(x: Tensor, cells: float, dim: int) -> Tensor:
    whole = math.floor(cells)
    near = torch.roll(x, [whole], [dim])
    return near if cells == whole else torch.lerp(near, torch.roll(x, [whole + 1], [dim]), cells - whole)


@exported("roll")
class Roll(Bender):
    """In a circle."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        across = _rolled(part, values[0] * part.shape[3], 3)
        return _rolled(across, values[1] * part.shape[2], 2)


@exported("flip-h")
class FlipAcross(Bender):
    """The width reversed."""

    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Look at no other row."""
        return 0

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return part.flip([3])


@exported("flip-v")
class FlipDown(Bender):
    """The height reversed."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return part.flip([2])


def _mirrored(x: Tensor, dim: int) -> Tensor:
    n = x.shape[dim]
    half = n // 2
    return torch.cat([x.narrow(dim, 0, n - half), x.narrow(dim, 0, half).flip([dim])], dim)


@exported("mirror-h")
class MirrorAcross(Bender):
    """The left half onto the right."""

    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Look at no other row."""
        return 0

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return _mirrored(part, 3)


@exported("mirror-v")
class MirrorDown(Bender):
    """The upper half onto the lower."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return _mirrored(part, 2)


def _box(part: Tensor, values: list[float]) -> Tensor:
    """Return 1 inside the box and 0 outside, ``(height, width)``."""
    left, top, width, height = values[0], values[1], values[2], values[3]
    n_rows, n_columns = part.shape[2], part.shape[3]
    inside = torch.zeros(n_rows, n_columns, dtype=torch.bool, device=part.device)
    rows = math.ceil(top * n_rows - 0.5), max(0, math.ceil((top + height) * n_rows - 0.5))
    columns = math.ceil(left * n_columns - 0.5), max(0, math.ceil((left + width) * n_columns - 0.5))
    inside[rows[0] : rows[1], columns[0] : columns[1]] = True
    return inside


@exported("crop")
class Crop(Bender):
    """A box is kept."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return part.masked_fill(_box(part, values).logical_not(), 0.0)


@exported("mask")
class Mask(Bender):
    """A box is silenced."""

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        return part.masked_fill(_box(part, values), 0.0)
