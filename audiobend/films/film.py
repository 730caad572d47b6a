"""A film as data, and its frames one after the other: nothing of a frame is kept for the next."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from audiobend.bending.modulation import Level
from audiobend.errors import PictureError
from audiobend.films.hearing import Curve
from audiobend.films.moves import TRUNCATION, WALK, Drive, Sweep, check_moves, moved
from audiobend.films.walk import Walk, places
from audiobend.io.imagefile import to_bytes
from audiobend.io.patchfile import dump_patch
from audiobend.picture import Painter
from audiobend.picture_files import Pixels
from audiobend.picture_recipe import Job, facts_of

MAX_FRAMES = 1_000_000
SECONDS_A_WAY = 2.0
SECONDS = 4.0


@dataclass(frozen=True)
class Film:
    """What is to be seen.

    Attributes
    ----------
    walk : Walk
    seconds : float > 0
    fps : float in 1..240
        Frames in a second.
    sweeps, drives : tuples of Sweep and Drive
        A sweep of a looped film goes there and back.
    audio : Path or None
        The track that drives, and that is heard.
    """

    walk: Walk
    seconds: float = SECONDS
    fps: float = 25.0
    sweeps: tuple[Sweep, ...] = ()
    drives: tuple[Drive, ...] = ()
    audio: Path | None = None
    curves: Mapping[str, Curve] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 240:
            raise PictureError(f"--fps must be in 1..240, got {self.fps:g}")
        if not 0 < self.seconds <= MAX_FRAMES / self.fps:
            raise PictureError(f"--seconds must be in 0..{MAX_FRAMES / self.fps:g} here, got {self.seconds:g}")
        if self.drives and self.audio is None:
            raise PictureError("--drive needs a track that drives: add --audio track.wav")

    @property
    def rate(self) -> Fraction:
        """Frames in a second, exactly: 29.97 is 30000/1001."""
        return Fraction(self.fps).limit_denominator(1001)

    @property
    def moves(self) -> tuple[Sweep | Drive, ...]:
        """All that changes."""
        return (*self.sweeps, *self.drives)

    @property
    def n_frames(self) -> int:
        """How many frames it has; one at least."""
        return max(1, round(self.seconds * self.rate))


def usual_seconds(walk: Walk, audio_seconds: float | None) -> float:
    """Return how long a film is when nobody says: as its track, or two seconds from seed to seed."""
    return audio_seconds if audio_seconds is not None else SECONDS_A_WAY * walk.n_ways or SECONDS


def check_film(film: Film, painter: Painter) -> None:
    """Raise `AudiobendError` where a move does not fit patch or model, before anything is painted."""
    patch = painter.plan.patch
    check_moves(patch, film.moves)
    for one in film.moves:
        for value in one.values:
            if one.target == TRUNCATION:
                painter.rebent(patch, truncation=value)
            elif one.target != WALK:
                painter.rebent(moved(patch, one.target, value))


def frames(film: Film, painter: Painter, level: Level | None = None, side: int | None = None) -> Iterator[Pixels]:
    """Paint a film, frame by frame, as bytes ``(height, width, 3)``.

    Parameters
    ----------
    film : Film
        With ``curves`` where something is driven; see `audiobend.films.hearing.hear`.
    painter : Painter
    level : callable, optional
        What bends that follow the input hear.
    side : int, optional
        Width of the frames; default is the model's.
    """
    n, seed = film.n_frames, film.walk.seeds[0]
    paces = next((one for one in film.drives if one.target == WALK), None)
    speeds = None if paces is None else [paces.at(float(heard)) for heard in film.curves[paces.feature]]
    for index, place in enumerate(places(n, film.walk, speeds)):
        times = torch.tensor([index / float(film.rate)], dtype=torch.float64)
        now = _painter_at(film, painter, index, level)
        w = film.walk.styles(now, place, times)
        yield enlarged(to_bytes(now.paint(w, [seed], times, call=index)[0]), side)


def _painter_at(film: Film, painter: Painter, index: int, level: Level | None) -> Painter:
    """Return the painter of one frame; the very same where nothing is moved from outside."""
    values = _values(film, index)
    truncation = values.pop(TRUNCATION, None)
    if not values and truncation is None and level is None:
        return painter
    patch = painter.plan.patch
    for target, value in values.items():
        patch = moved(patch, target, value)
    return painter.rebent(patch, truncation=truncation, level=level)


def _values(film: Film, index: int) -> dict[str, float]:
    n = film.n_frames
    share = index / n if film.walk.loop else index / max(n - 1, 1)
    if film.walk.loop:
        share = 1 - abs(2 * share - 1)    # there and back, so that the film has no seam
    swept = {one.target: one.at(share) for one in film.sweeps}
    driven = {one.target: one.at(float(film.curves[one.feature][index])) for one in film.drives if one.target != WALK}
    return swept | driven


def enlarged(pixels: Pixels, side: int | None) -> Pixels:
    """Return a picture at another width; it keeps its shape, and even sides."""
    height, width = pixels.shape[:2]
    if side is None or side == width:
        return pixels
    size = (side, max(2, round(height * side / width / 2) * 2))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def film_facts(film: Film, painter: Painter) -> dict[str, Any]:
    """Return what a film's file says of how it was made."""
    facts = facts_of(painter, Job(film.walk.seeds[0]))
    del facts["seed"]
    walk = {"seeds": list(film.walk.seeds), "space": film.walk.space, "interpolation": film.walk.interpolation}
    moves = {
        "sweeps": [f"{one.target}={':'.join(map(_short, one.values))}" for one in film.sweeps],
        "drives": [f"{one.feature}:{one.target}={':'.join(map(_short, one.values))}" for one in film.drives],
    }
    more = {"walk": {**walk, "loop": film.walk.loop}, "seconds": film.seconds, "fps": film.fps, **moves}
    audio = {} if film.audio is None else {"audio": film.audio.name}
    return {**facts, **more, **audio, "patch": dump_patch(painter.plan.drawn())}


def _short(value: float) -> str:
    return f"{value:g}"

