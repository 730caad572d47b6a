"""Every number of a patch that an exported file works with, in one list: the file's `values`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audiobend.bending import Param


@dataclass
class Slots:
    """Where in the list a target's number stands; added while a file is built.

    Examples
    --------
    >>> slots = Slots()
    >>> slots.add("fog/radius", 2), slots.add("fog/mix", 0.8), slots.values
    (0, 1, [2.0, 0.8])
    """

    values: list[float] = field(default_factory=list)
    _where: dict[str, int] = field(default_factory=dict)

    def add(self, target: str, value: float) -> int:
        """Give a target its place."""
        self._where[target] = len(self.values)
        self.values.append(float(value))
        return self._where[target]

    def __getitem__(self, target: str) -> int:
        return self._where[target]

    @property
    def where(self) -> Mapping[str, int]:
        """Places by target."""
        return self._where


SWITCH = Param("on", 0, 1, default=1, integer=True)
"""The range of what is on or off."""
