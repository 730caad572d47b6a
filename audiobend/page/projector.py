"""Sends pictures to the pages that look, as often as a screen shows them."""

import asyncio
import itertools
import logging
from time import monotonic
from typing import Any

from audiobend.live.rings import Count, Gauge, Shared
from audiobend.osc.sockets import SparingLog
from audiobend.page.frames import maps_frame, modulators_frame
from audiobend.page.hub import Hub
from audiobend.page.maps import Maps
from audiobend.page.spectra import Spectra

FRAME_SECONDS = 1 / 60
MAP_SECONDS = 1 / 12
IDLE_SECONDS = 0.1

log = logging.getLogger("audiobend.page")


class Projector:
    """Looks into the shared memory while any page does, and tells the engine that somebody looks.

    Parameters
    ----------
    hub : Hub
    shared : Shared
    """

    def __init__(self, hub: Hub, shared: Shared) -> None:
        self._hub, self._shared = hub, shared
        self._spectra, self._maps = Spectra(shared), Maps(shared)
        self._maps_at = float("-inf")
        self._numbers = itertools.count(1)
        self._log = SparingLog(log)
        shared[Count.LOOKS] = 0

    async def run(self) -> None:
        """Go on until cancelled; nothing that goes wrong with one picture ends this."""
        due = monotonic()
        while True:
            looks = self._hub.viewers.sees
            if looks != bool(self._shared[Count.LOOKS]):
                self._shared[Count.LOOKS] = int(looks)
            try:
                if looks:
                    self._show(monotonic())
            except Exception:
                self._log.error("a picture could not be made; the page goes on")
            due = max(due + (FRAME_SECONDS if looks else IDLE_SECONDS), monotonic())
            await asyncio.sleep(due - monotonic())

    def _show(self, now: float) -> None:
        columns = self._spectra.frame(self._hub.is_bypassed)
        maps, moved = self._map_frame(now), self._moved_frame()
        for viewer in self._hub.viewers.values():
            pictures = [columns] if columns is not None and viewer.sight.spectra else []
            if maps is not None and viewer.sight.maps:
                pictures.append(maps)
            if moved is not None and viewer.sight.spectra:
                pictures.append(moved)
            if pictures:
                viewer.show(pictures)

    def _moved_frame(self) -> bytes | None:
        values, self._hub.moved = self._hub.moved, None
        return modulators_frame(next(self._numbers), self._seconds, values) if values else None

    @property
    def _seconds(self) -> float:
        return self._shared[Count.PLAYED] / (self._shared.gauges[Gauge.RATE] or 1)

    def _map_frame(self, now: float) -> bytes | None:
        if now - self._maps_at < MAP_SECONDS:
            return None
        places = places_of(self._hub.model)
        wanted = [places[name] for name in self._hub.viewers.maps if name in places]
        tiles = self._maps.tiles(wanted) if wanted else []
        if not tiles:
            return None
        self._maps_at = now
        return maps_frame(next(self._numbers), self._seconds, tiles)


def places_of(model: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Return for each cluster, ``"LAYER/CLUSTER"``, its place among the maps, its layer and its number.

    >>> places_of({"layers": [{"name": "z", "clusters": []}, {"name": "1", "clusters": [{"id": 0}, {"id": 1}]}]})
    {'1/0': (0, 1, 0), '1/1': (1, 1, 1)}
    """
    clusters = [(layer["name"], one["id"]) for layer in model.get("layers", ()) for one in layer["clusters"]]
    return {
        f"{layer}/{cluster}": (place, int(layer), cluster)
        for place, (layer, cluster) in enumerate(clusters)
        if layer.isdecimal()
    }
