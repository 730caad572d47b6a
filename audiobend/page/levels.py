"""How loud a take was while it was recorded: what the page draws above its lanes."""

from typing import Any

from audiobend.osc.encode import ROOT
from audiobend.page.messages import News

MAX_TAKES = 64
MAX_LEVELS = 4 * 3600
SILENT_DB = -120.0


class TakeLevels:
    """Levels of the output, about four a second, by the name of the take; those of this process alone."""

    def __init__(self) -> None:
        self._name = ""
        self._levels: dict[str, list[float]] = {}

    def follow(self, news: News) -> None:
        """Know which take is being recorded."""
        for _, (address, *values) in news.lines:
            if address == f"{ROOT}/take/name":
                self._name = str(values[0]) if values else ""
                if self._name:
                    self._levels[self._name] = []
        for old in list(self._levels)[:-MAX_TAKES]:
            del self._levels[old]

    def hear(self, figures: dict[str, Any]) -> None:
        """Take what is told of the sound."""
        levels = self._levels.get(self._name)
        if levels is not None and self._name and len(levels) < MAX_LEVELS:
            levels.append(round(min(1.0, 10 ** (float(figures.get("out_db", SILENT_DB)) / 20)), 3))

    def of(self, name: str) -> list[float]:
        """Return the levels of a take, as amplitudes, 1 is a full sine; none where they are not known."""
        return self._levels.get(name, [])
