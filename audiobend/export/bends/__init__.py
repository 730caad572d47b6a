"""The transforms once more, so that `torch.jit.script` compiles them: torch only, values given at run time.

Each says the same as its namesake in `audiobend.bending`; `tests/export/test_bends.py` holds them side by side.
"""

from audiobend.export.bends import exchanged, filtered, moved, numerical, spread, statistical, zheng
from audiobend.export.bends.base import EXPORTED, Bender, Place, bender_for, fixed_params

__all__ = [
    "EXPORTED",
    "Bender",
    "Place",
    "bender_for",
    "exchanged",
    "filtered",
    "fixed_params",
    "moved",
    "numerical",
    "spread",
    "statistical",
    "zheng",
]
