"""What is seen now, as a function of what is wanted and of the time: the picture's side of a performance."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from audiobend.bending import Patch
from audiobend.bending.modulation import FOLLOW, OFF
from audiobend.control import morph
from audiobend.errors import AudiobendError
from audiobend.films.walk import Walk
from audiobend.io.imagefile import to_bytes
from audiobend.networks.stylegan2_model import PictureModel
from audiobend.picture import Painter
from audiobend.picture_files import Pixels
from audiobend.picture_live.depth import Side, picture_patch
from audiobend.picture_live.messages import Shown
from audiobend.picture_settings import PictureSettings

QUIETEST_DB = -60.0
REMEMBERED = 20.0
"""Seconds of the sound's level that are kept."""


class Loudness:
    """The level of the sound beside the pictures, followed as the sound's own bends follow it."""

    def __init__(self) -> None:
        self._heard: deque[tuple[float, float]] = deque()

    def feed(self, seconds: float, level_db: float) -> None:
        """Take the level in dB of full scale at a time."""
        if self._heard and seconds < self._heard[-1][0]:
            self._heard.clear()    # a new engine
        self._heard.append((seconds, 10 ** (max(level_db, -200.0) / 10)))
        while self._heard[0][0] < seconds - REMEMBERED:
            self._heard.popleft()

    def __call__(self, times: Tensor, rate_hz: float) -> Tensor:
        """Return the level ``(n,)``: 0 at -60 dB and below, 1 at 0 dB; what is latest counts, whatever the times."""
        pace, power, last = 2 * math.pi * rate_hz, 0.0, None
        for seconds, one in self._heard:
            keep = 0.0 if last is None else math.exp(-pace * (seconds - last))
            power, last = one + keep * (power - one) if last is not None else one * min(pace, 1.0), seconds
        share = 0.0 if power <= 0 else min(max(1 - 10 * math.log10(power) / QUIETEST_DB, 0.0), 1.0)
        return torch.full((len(times),), share, dtype=torch.float64)


@dataclass
class _Fading:
    origin: Patch
    begun: float
    seconds: float


class Easel:
    """Paints what is wanted.

    Parameters
    ----------
    model : PictureModel
    settings : PictureSettings
    seeds : tuple of int
    pace : float
        Seconds from seed to seed; 0 stands still at the first.
    tell : callable
        Takes sentences about what cannot be painted.

    Attributes
    ----------
    loudness : Loudness
    """

    def __init__(
        self,
        model: PictureModel,
        settings: PictureSettings,
        seeds: tuple[int, ...] = (0,),
        pace: float = 0.0,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.model, self._pace, self._tell = model, pace, tell
        self.loudness = Loudness()
        self._walk = Walk(seeds, loop=True)
        self._painter = Painter(model, None, settings)
        self._wanted = Shown("")
        self._goal = self._now = Patch()
        self._fading: _Fading | None = None
        self._count = 0
        self.side = side_of(model)

    def want(self, shown: Shown, seconds: float) -> None:
        """Let something else be seen from now on; a fade begins now, from what is seen."""
        before, self._wanted = self._wanted, shown
        goal = shown.patch if shown.sound is None else picture_patch(shown.patch, shown.sound, self.side)
        if shown.fade is not None and shown.fade != before.fade:
            self._fading = _Fading(self._now, seconds, shown.fade.seconds)
        elif shown.fade is None:
            self._fading = None
        self._goal = goal

    def is_moving(self, seconds: float) -> bool:
        """Return whether the next picture differs from this one though nobody does anything."""
        moves = any(one.lfo != OFF for one in self._goal.modulation) and not self._wanted.bypass
        walks = self._pace > 0 and self._walk.n_ways > 0
        return moves or walks or self._fading is not None or any(_is_fresh(one.params) for one in self._goal.bends)

    @property
    def follows(self) -> bool:
        """Whether something follows the sound's level."""
        return any(one.lfo == FOLLOW for one in self._goal.modulation)

    def paint(self, seconds: float) -> Pixels:
        """Return the picture of a time, as bytes ``(height, width, 3)``."""
        self._now = self._between(seconds)
        patch = Patch() if self._wanted.bypass else self._now
        try:
            self._painter = self._painter.rebent(patch, level=self.loudness)
        except AudiobendError as error:    # the one before stays
            self._tell(f"the picture stays as it was: {error}")
        times = torch.tensor([seconds], dtype=torch.float64)
        place = (seconds / self._pace) % self._walk.n_ways if self._pace > 0 and self._walk.n_ways else 0.0
        w = self._walk.styles(self._painter, place, times)
        self._count += 1
        return to_bytes(self._painter.paint(w, [self._walk.seeds[0]], times, call=self._count)[0])

    def _between(self, seconds: float) -> Patch:
        fading = self._fading
        if fading is None:
            return self._goal
        share = (seconds - fading.begun) / fading.seconds if fading.seconds > 0 else 1.0
        if share >= 1:
            self._fading = None
            return self._goal
        return morph(fading.origin, self._goal, max(share, 0.0), self.side.layers)


def _is_fresh(params: object) -> bool:
    return isinstance(params, dict) and bool(params.get("fresh"))


def side_of(model: PictureModel) -> Side:
    """Return a generator's layers, as gestures are mapped to them."""
    return Side(model.network.layers(), model.clusters, model.network.architecture.n_style)
