"""What is known of the running sound: its figures, what it is played through, and what moves by itself."""

from typing import Any

from audiobend.live.audio import Clock
from audiobend.live.performance import Performance
from audiobend.page.facts import PICTURE_PATH
from audiobend.page.moving import moving
from audiobend.page.spectra import COLUMNS_PER_SECOND


class Figures:
    """What is known of the running sound.

    All methods raise `AttributeError` while it is only starting.
    """

    def __init__(self, performance: Performance) -> None:
        self._performance = performance

    def about(self) -> dict[str, Any]:
        """Return what does not change from moment to moment."""
        one = self._performance
        card, latency, setup = one.streaming, one.latency, one.setup
        return {
            "input": input_facts(one),
            "output": {"kind": "browser" if isinstance(setup.card, Clock) else "card", "name": card.output},
            "browser_audio": isinstance(setup.card, Clock) and setup.card.is_paced,
            "host": card.host,
            "sample_rate": card.rate,
            "columns_per_second": COLUMNS_PER_SECOND,
            "random_seed": True,
            "channels": setup.settings.n_channels,
            "profile": setup.profile,
            "backend": one.ready.backend,
            "latency": {
                "parts": [{"name": name, "ms": round(ms, 2)} for name, ms in latency.parts().items()],
                "total_ms": round(latency.total_ms, 2),
                "samples": latency.delay,
            },
            "osc": {"port": one.osc.port, "address": one.osc.address},
            "picture": PICTURE_PATH if one.desk.state.image else "",
            "session": {"name": one.session.folder.name if one.session else ""},
            "table": "/api/table",
        }

    def status(self) -> dict[str, Any]:
        """Return the figures of this moment."""
        one = self._performance
        facts = {"latency_ms": round(one.latency.total_ms, 1), "bypass": one.desk.state.bypass}
        return {**one.status().as_dict(), **facts, "recording_seconds": round(one.recorded_seconds, 2)}

    def moving(self) -> list[tuple[str, float]]:
        """Return the addresses and values of what moves by itself, as it is heard now."""
        one = self._performance
        patch = one.desk.state.patch
        return moving(patch, one.heard_seconds, one.status().in_db) if patch.modulation else []


def input_facts(one: Performance) -> dict[str, Any]:
    """Return what is the input: a card, a file or the browser, and its name."""
    if one.input.path is not None:
        return {"kind": "file", "name": one.input.name}
    is_clock = isinstance(one.setup.card, Clock)
    return {"kind": "browser" if is_clock else "card", "name": "" if is_clock else one.streaming.input}
