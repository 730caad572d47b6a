"""What changes in a film: values that are swept over its length, and values that a track drives."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from audiobend.bending import Patch
from audiobend.bending.transform import Number, Param
from audiobend.errors import AudiobendError, PictureError, did_you_mean

FEATURES = ("level", "onsets", "low", "mid", "high")
"""What is heard in a track; each is 0..1."""
WALK, TRUNCATION = "walk", "truncation"
OWN = {
    WALK: Param("walk", 0, 1000, default=1, help="how quickly the walk goes on"),
    TRUNCATION: Param("truncation", -2, 2, default=0.7),
}
"""What can be moved and stands in no patch."""
_MOST_POINTS = 1000


@dataclass(frozen=True)
class Sweep:
    """A target that goes from value to value, in straight lines, all of them equally long."""

    target: str
    values: tuple[float, ...]

    def at(self, share: float) -> float:
        """Return the value at a share 0..1 of the film."""
        place = share * (len(self.values) - 1)
        index = min(int(place), len(self.values) - 2)
        low, high = self.values[index : index + 2]
        return low + (high - low) * (place - index)


@dataclass(frozen=True)
class Drive:
    """A target that follows what is heard: ``low`` where that is 0, ``high`` where it is 1."""

    feature: str
    target: str
    values: tuple[float, float]

    def at(self, heard: float) -> float:
        """Return the value for what is heard, 0..1."""
        low, high = self.values
        return low + (high - low) * heard


def parse_sweep(text: str) -> Sweep:
    """Read a sweep as one types it.

    >>> parse_sweep("fog/mix=0:1:0").at(0.75)
    0.5
    """
    target, equals, values = text.partition("=")
    found = _numbers(values)
    if not target or not equals or len(found) < 2:
        raise PictureError(f"--sweep must be TARGET=FROM:TO, such as fog/mix=0:1, got {text!r}")
    return Sweep(target.strip(), tuple(found))


def parse_drive(text: str) -> Drive:
    """Read a drive as one types it.

    >>> parse_drive("level:fog/mix=0:1")
    Drive(feature='level', target='fog/mix', values=(0.0, 1.0))
    """
    feature, colon, rest = text.partition(":")
    target, equals, values = rest.partition("=")
    found = _numbers(values)
    if not colon or not target or not equals or len(found) != 2:
        raise PictureError(f"--drive must be FEATURE:TARGET=LOW:HIGH, such as level:fog/mix=0:1, got {text!r}")
    if feature not in FEATURES:
        raise PictureError(f"--drive: unknown feature {feature!r}{did_you_mean(feature, FEATURES)}")
    return Drive(feature, target.strip(), (found[0], found[1]))


def _numbers(text: str) -> list[float]:
    try:
        found = [float(word) for word in text.split(":")]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) and len(found) <= _MOST_POINTS else []


def check_moves(patch: Patch, moves: Sequence[Sweep | Drive]) -> None:
    """Raise `PictureError` where a target does not exist, is moved twice, or a value is outside of its range."""
    seen: set[str] = set()
    for one in moves:
        word = "--sweep" if isinstance(one, Sweep) else "--drive"
        if one.target in seen:
            raise PictureError(f"{word} {one.target}: this is moved already; each target can be moved once")
        seen.add(one.target)
        try:
            param = OWN.get(one.target) or patch.param(one.target)
            for value in one.values:
                param.check(_fitted(param, value), one.target)
        except AudiobendError as error:
            raise PictureError(f"{word} {one.target}: {error}") from None
        if isinstance(one, Sweep) and one.target == WALK:
            raise PictureError("--sweep walk: the walk takes as long as the film; let a track drive its pace (--drive)")


def moved(patch: Patch, target: str, value: float) -> Patch:
    """Return the patch with a target at a value; at the nearest whole number where only those are allowed."""
    return patch.set(target, _fitted(patch.param(target), value))


def _fitted(param: Param, value: float) -> Number:
    return math.floor(value + 0.5) if param.integer else value
