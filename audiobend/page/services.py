"""What a page may know and ask for beside commands: the sound's figures, the table, the patch."""

import json
from typing import Any

from audiobend.io.patchfile import dump_patch
from audiobend.live.audio import Clock
from audiobend.live.performance import Performance
from audiobend.osc.schema import schema
from audiobend.page.link import Services


class Figures:
    """What is known of the running sound.

    Both methods raise `AttributeError` while it is only starting.
    """

    def __init__(self, performance: Performance) -> None:
        self._performance = performance

    def about(self) -> dict[str, Any]:
        """Return what does not change from moment to moment."""
        one = self._performance
        card, latency, setup = one.streaming, one.latency, one.setup
        is_clock = isinstance(setup.card, Clock)
        kind = "file" if one.playing is not None else "browser" if is_clock else "card"
        return {
            "input": {"kind": kind, "name": one.playing.name if one.playing else card.input},
            "output": {"kind": "browser" if is_clock else "card", "name": card.output},
            "browser_audio": isinstance(setup.card, Clock) and setup.card.is_paced,
            "host": card.host,
            "sample_rate": card.rate,
            "channels": setup.settings.n_channels,
            "profile": setup.profile,
            "backend": one.ready.backend,
            "latency": {
                "parts": [{"name": name, "ms": round(ms, 2)} for name, ms in latency.parts().items()],
                "total_ms": round(latency.total_ms, 2),
                "samples": latency.delay,
            },
            "osc": {"port": one.osc.port, "address": one.osc.address},
            "session": {"name": one.session.folder.name if one.session else ""},
            "table": "/api/table",
        }

    def status(self) -> dict[str, Any]:
        """Return the figures of this moment."""
        one = self._performance
        return {**one.status().as_dict(), "latency_ms": round(one.latency.total_ms, 1), "bypass": one.desk.state.bypass}


def services_of(performance: Performance) -> Services:
    """Return what a page may ask for, by name."""
    desk = performance.desk

    def patch() -> tuple[str, str]:
        state = desk.state
        return file_name(state.patch.name or state.scene or "patch"), dump_patch(state.patch)

    return {"table": lambda: json.dumps(schema(desk.context)), "patch": patch}


def file_name(name: str) -> str:
    """Return a name that can stand in a header and on any disk.

    >>> file_name('low "tide"/x')
    'low tide x'
    """
    kept = "".join(one if one.isalnum() or one in " ._-+" else " " for one in name)
    return " ".join(kept.encode("ascii", "ignore").decode().split()) or "patch"
