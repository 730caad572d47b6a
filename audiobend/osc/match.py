"""OSC address patterns, one part between slashes at a time: ``*`` ``?`` ``[a-c]`` ``[!x]`` ``{low,high}``.

No regular expressions: the places of the name that the pattern can have reached are carried along, so matching takes at
most length of the pattern times length of the name steps, whatever the pattern is.
"""

from collections.abc import Callable
from dataclasses import dataclass

from audiobend.errors import ControlError

SIGNS = frozenset("*?[]{}")

Places = set[int]
Step = Callable[[Places, str], Places]


def is_pattern(address: str) -> bool:
    """Return whether an address may mean several."""
    return not SIGNS.isdisjoint(address)


@dataclass(frozen=True)
class PartPattern:
    """A pattern for one part of an address.

    >>> part = PartPattern.of("{ero,dila}t?*")
    >>> part.matches("dilate"), part.matches("erode")
    (True, False)
    """

    steps: tuple[Step, ...]
    cost: int
    """Most steps that matching takes for each letter of a name."""

    @classmethod
    def of(cls, text: str) -> "PartPattern":
        """Read a pattern; `ControlError` where a bracket is not closed."""
        steps: list[Step] = []
        position = 0
        while position < len(text):
            step, position = _step(text, position)
            steps.append(step)
        return cls(tuple(steps), len(text) + 1)

    def matches(self, name: str) -> bool:
        """Return whether the pattern means the whole name."""
        places: Places = {0}
        for step in self.steps:
            places = step(places, name)
            if not places:
                return False
        return len(name) in places


def _step(text: str, position: int) -> tuple[Step, int]:
    """Return what one sign of a pattern does, and where the next sign begins."""
    sign = text[position]
    if sign == "*":
        return _many, position + 1
    if sign == "?":
        return _one_of(frozenset(), True), position + 1
    if sign == "[":
        close = _close(text, position, "]")
        return _letters(text[position + 1 : close]), close + 1
    if sign == "{":
        close = _close(text, position, "}")
        return _alternatives(text[position + 1 : close]), close + 1
    if sign in "]}":
        raise ControlError(f"the pattern '{text[:40]}' closes a bracket that was not opened")
    return _one_of(frozenset(sign), False), position + 1


def _close(text: str, position: int, bracket: str) -> int:
    close = text.find(bracket, position)
    if close < 0:
        raise ControlError(f"the pattern '{text[:40]}' opens a bracket and does not close it")
    return close


def _many(places: Places, name: str) -> Places:
    return set(range(min(places), len(name) + 1))


def _letters(inside: str) -> Step:
    wanted: set[str] = set()
    others = inside.startswith("!")
    rest = inside[others:]
    position = 0
    while position < len(rest):
        first, last = rest[position], rest[position]
        if rest[position + 1 : position + 2] == "-" and position + 2 < len(rest):
            last = rest[position + 2]
            position += 2
        wanted.update(map(chr, range(ord(first), ord(last) + 1)))
        position += 1
    return _one_of(frozenset(wanted), others)


def _one_of(letters: frozenset[str], others: bool) -> Step:
    def step(places: Places, name: str) -> Places:
        return {place + 1 for place in places if place < len(name) and (name[place] in letters) != others}

    return step


def _alternatives(inside: str) -> Step:
    options = inside.split(",")

    def step(places: Places, name: str) -> Places:
        return {place + len(option) for place in places for option in options if name.startswith(option, place)}

    return step
