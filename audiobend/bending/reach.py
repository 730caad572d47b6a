"""How far along the height (time, in sound) a bend looks: where few rows are wanted, few others are needed."""

import math
from collections.abc import Callable, Mapping, Sequence

from audiobend.bending.step import Step
from audiobend.bending.transform import TRANSFORMS, Value

_REACH: dict[str, Callable[[Mapping[str, Value]], float]] = {
    **dict.fromkeys(("ablate", "invert", "negate", "scalar-multiply", "offset", "binary-thresh"), lambda values: 0),
    **dict.fromkeys(("shuffle", "vanish", "swap", "blend", "flip-h", "mirror-h"), lambda values: 0),
    **dict.fromkeys(("erode", "dilate"), lambda values: _number(values["radius"])),
    "mean-filter": lambda values: _number(values["size"]) // 2,
    "sharpen": lambda values: 1,
    "blur": lambda values: math.ceil(3 * _number(values["sigma"])),
}


def reach(steps: Sequence[Step]) -> int | None:
    """Return how many rows above and below a row a layer's bends look at; None where they need the whole map.

    It is rounded up to a power of two, so that turning a knob seldom changes how much has to be worked out.
    """
    total = 0.0
    for step in steps:
        looks = _REACH.get(step.entry.name)
        moves = bool(step.moving.keys() - {"mix"})
        if looks is None or TRANSFORMS.get(step.entry.name) is not step.entry or step.bend.with_norm or moves:
            return None
        total += looks(step.values)
    return 0 if total == 0 else 1 << (math.ceil(total) - 1).bit_length()


def _number(value: Value) -> float:
    return max(value) if isinstance(value, tuple) else value
