"""How strong is strong: for every transform the values of a mild and of a strong bend."""

from collections.abc import Mapping, Sequence

from audiobend.bending import TRANSFORMS
from audiobend.bending.transform import Number, get_transform
from audiobend.errors import PatchError, did_you_mean

DEFAULT_TRANSFORMS = ("ablate", "scalar-multiply", "dilate", "invert", "normalise", "sin-disrupt")
"""Six of those whose results were measured to be farthest apart: gone, louder, smeared, turned over, evened, broken up.

Most affine ones change a layer's sound nearly as ablating does: what has moved elsewhere is missing where it belongs.
"""
MOST_STRENGTHS = 8

_FULL: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "translate": {"x": (0, 0.3)},
    "scale": {"k": (1, 2)},
    "rotate": {"angle": (0, 90)},
    "shear": {"x": (0, 1)},
    "roll": {"x": (0, 0.5)},
    "crop": {"width": (1, 0.3)},
    "mask": {"x": (0, 0), "y": (0, 0), "width": (0, 0.5), "height": (1, 1)},
    "mean-filter": {"size": (1, 13)},
    "sharpen": {"factor": (0, 8)},
    "blur": {"sigma": (0, 4)},
    "erode": {"radius": (0, 4)},
    "dilate": {"radius": (0, 4)},
    "scalar-multiply": {"factor": (1, 5)},
    "offset": {"delta": (0, 3)},
    "sin-disrupt": {"wave-x": (4, 4), "wave-y": (4, 4)},
    "blend": {"amount": (0, 1)},
    "noise": {"sigma": (0, 2)},
    "smooth": {"amount": (0, 0.95)},
}
"""Values that do nothing, and those of full strength. What is not named here fades in through its mix."""
_FADED = frozenset({"sin-disrupt"})
"""Fade in through their mix although they have values."""


def check_transforms(names: Sequence[str]) -> tuple[str, ...]:
    """Return transforms by name, each once, in the order given; `PatchError` with the nearest for an unknown one."""
    for name in names:
        if name not in TRANSFORMS:
            raise PatchError(f"unknown transform '{name}'{did_you_mean(name, TRANSFORMS)}")
    return tuple(dict.fromkeys(names))


def rung(transform: str, strength: float) -> tuple[dict[str, Number], float]:
    """Return the parameters that differ from their defaults, and the mix, of a transform at a strength in 0..1.

    >>> rung("dilate", 0.5), rung("ablate", 0.5)
    (({'radius': 2}, 1.0), ({}, 0.5))
    """
    entry = get_transform(transform)
    params: dict[str, Number] = {}
    for name, (nothing, full) in _FULL.get(transform, {}).items():
        value, param = nothing + strength * (full - nothing), entry.param(name)
        number = max(1, round(value)) if param.integer else round(value, 4)
        if number != param.default:
            params[name] = param.check(number, transform)
    faded = transform not in _FULL or transform in _FADED
    return params, round(strength, 4) if faded else 1.0


def strengths(n: int) -> tuple[float, ...]:
    """Return n strengths, evenly spaced up to 1.

    >>> strengths(2)
    (0.5, 1.0)
    """
    if not 1 <= n <= MOST_STRENGTHS:
        raise PatchError(f"strengths must be in 1..{MOST_STRENGTHS}, got {n}")
    return tuple(round((index + 1) / n, 4) for index in range(n))
