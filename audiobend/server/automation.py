"""What a host automates, as commands at the desk. Pure but for the reading of shared memory."""

import math
from collections.abc import Mapping, Sequence

from audiobend.control import Command, LoadScene, Morph, Set
from audiobend.live.rings import N_MACROS, UNTOUCHED, Count, Parameter, Shared

RANGES = {
    Parameter.MIX: (0.0, 1.0), Parameter.DETAIL: (0.0, 1.0), Parameter.GAIN: (-60.0, 24.0),
    Parameter.SCENE: (0.0, 16.0), Parameter.MORPH: (0.0, 1.0),
} | {Parameter.MACRO + n: (0.0, 1.0) for n in range(N_MACROS)}    # fmt: skip
OUTPUT = {Parameter.MIX: "output/mix", Parameter.DETAIL: "output/detail", Parameter.GAIN: "output/gain_db"}

Values = Mapping[int, float]
"""Parameters that the host has touched, within their ranges."""


class Automation:
    """Reads the parameter block of an instance."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._seen = 0

    def read(self) -> tuple[int, Values] | None:
        """Return the newest change and the values with it; None where there is none, or it is being written."""
        changed = self._shared[Count.CHANGED]
        if changed == self._seen:
            return None
        values = self._shared.parameters.tolist()
        if self._shared[Count.CHANGED] != changed:
            return None
        self._seen = changed
        return changed, touched(values)


def touched(values: Sequence[float]) -> Values:
    """Return the parameters that the host has touched; what is out of range is at its end.

    >>> touched([0, -1, 0.5, math.nan, 3.2, 7] + [-1] * 16)
    {2: 0.5, 4: 3.2, 5: 1.0}
    """
    found = {}
    for number, (low, high) in RANGES.items():
        value = values[number]
        if math.isfinite(value) and (value != UNTOUCHED or number == Parameter.GAIN):
            found[int(number)] = min(max(value, low), high)
    return found


def commands_of(before: Values, now: Values, scenes: Sequence[str]) -> list[Command]:
    """Return what brings a performance from some values to others.

    A scene brings its own output and what its bends are set to; what the host holds is put on top of it.

    >>> commands_of({}, {Parameter.MIX: 0.5}, [])
    [Set(target='output/mix', value=0.5, place=None)]
    """
    place = (Parameter.SCENE, Parameter.MORPH)
    moved = [number for number in now if now[number] != before.get(number)]
    commands: list[Command] = []
    if any(now.get(number) != before.get(number) for number in place) and (scene := _scene(now, scenes)):
        commands.append(scene)
        moved = list(now)
    for number in moved:
        if number in OUTPUT:
            commands.append(Set(OUTPUT[Parameter(number)], now[number]))
        elif number >= Parameter.MACRO:
            commands.append(Set(f"macro/{number - Parameter.MACRO + 1}", now[number]))
    return sorted(commands, key=_turn)


def _turn(command: Command) -> int:
    """First the scene, then macros, then what a parameter says by itself: a macro may turn the same."""
    if not isinstance(command, Set):
        return 0
    return 1 if command.target.startswith("macro/") else 2


def _scene(now: Values, scenes: Sequence[str]) -> Command | None:
    """Return what plays the chosen scene, or what lies between it and the next one."""
    number, share = round(now.get(Parameter.SCENE, 0.0)), now.get(Parameter.MORPH, 0.0)
    if not 1 <= number <= len(scenes):
        return None
    if share > 0 and number < len(scenes):
        return Morph(scenes[number - 1], scenes[number], share)
    return LoadScene(scenes[number - 1])

