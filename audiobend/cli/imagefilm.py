"""``audiobend image animate``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiobend.cli import imageoptions as asked
from audiobend.cli.screen import progress_bar, say, show_json
from audiobend.errors import PictureError

if TYPE_CHECKING:
    from audiobend.films.film import Film
    from audiobend.picture import Painter


class Space(StrEnum):
    """Where a walk goes."""

    z = "z"
    w = "w"


class Interpolation(StrEnum):
    """How a walk goes from seed to seed."""

    slerp = "slerp"
    lerp = "lerp"


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(animate)


def animate(
    out: Annotated[Path, typer.Option(help="The film: a .mp4, a .gif, or a folder for png files.")],
    model: asked.ModelName = None,
    patch: asked.PatchFile = None,
    set_: asked.Changes = None,
    patch_seed: asked.PatchSeed = None,
    walk: Annotated[Space, typer.Option(help="What is mixed between two seeds: styles, or codes.")] = Space.w,
    seeds: Annotated[str, typer.Option(help="From seed to seed: 1,5,9. One alone stands still.")] = "0",
    interpolation: Annotated[
        Interpolation | None, typer.Option(help="Circles or straight lines [default: slerp in z, lerp in w].")
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Back to the first seed; sweeps go there and back.")] = False,
    seconds: Annotated[
        float | None, typer.Option(help="Length [default: the track's, or 2 from seed to seed].")
    ] = None,
    fps: Annotated[float, typer.Option(help="Frames in a second.")] = 25.0,
    sweep: Annotated[
        list[str] | None, typer.Option(metavar="BEND/PARAM=FROM:TO", help="A value that changes over the film.")
    ] = None,
    audio: Annotated[Path | None, typer.Option(help="A track: it drives, and is heard in the mp4.")] = None,
    drive: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FEATURE:BEND/PARAM=LOW:HIGH",
            help="A value that follows the track's level, onsets, low, mid or high.",
        ),
    ] = None,
    clusters: asked.ClustersFile = None,
    truncation: asked.Truncation = 0.7,
    cutoff: asked.Cutoff = None,
    noise: asked.NoiseMode = asked.Noise.const,
    directions: asked.DirectionsOf = asked.Directions.pca,
    label: asked.Label = 0,
    side: Annotated[
        int | None, typer.Option(min=16, max=4096, help="Width in pixels [default: the model's own].")
    ] = None,
    device: asked.Device = "cpu",
    precision: asked.PrecisionName = asked.Precision.fp32,
    overwrite: asked.Overwrite = False,
    json_: asked.AsJson = False,
    quiet: asked.Quiet = False,
) -> None:
    """Paint a film: a walk from seed to seed, with values that are swept or driven by a track.

    For example: audiobend image animate --model tiles-64 --patch eyes.yaml --seeds 1,5,9 --loop --out film.mp4
    """
    from dataclasses import replace
    from time import perf_counter

    from audiobend.films.film import Film, check_film, usual_seconds
    from audiobend.films.moves import parse_drive, parse_sweep
    from audiobend.films.walk import Walk
    from audiobend.films.writing import check_film_target
    from audiobend.io.audiofile import probe
    from audiobend.picture_recipe import parse_seeds
    from audiobend.picture_settings import PictureSettings

    begun = perf_counter()
    check_film_target(out, overwrite)
    the_walk = Walk(tuple(parse_seeds(seeds)), walk.value, interpolation.value if interpolation else "", loop)
    length = probe(audio).seconds if audio else None
    film = Film(
        the_walk,
        usual_seconds(the_walk, length) if seconds is None else seconds,
        fps,
        tuple(map(parse_sweep, sweep or [])),
        tuple(map(parse_drive, drive or [])),
        audio,
    )
    the_model = replace(asked.model_of(model, clusters), directions=directions.value)
    the_patch = asked.patch_of(patch, set_ or [], patch_seed)
    settings = PictureSettings(truncation, cutoff, noise.value, label, device, precision.value)
    painter = asked.painter_of(the_model, the_patch, patch, settings)
    check_film(film, painter)
    height, width = _painted(film, painter, out, side, json_ or quiet)
    took = perf_counter() - begun
    if json_:
        facts = {"film": str(out), "frames": film.n_frames, "fps": fps, "seconds": round(film.n_frames / fps, 3)}
        show_json({**facts, "height": height, "width": width, "took_seconds": round(took, 3)})
    elif not quiet:
        say(f"{out}: {film.n_frames} frames of {width} by {height} pixels in {took:.1f} s")


def _painted(film: "Film", painter: "Painter", out: Path, side: int | None, silent: bool) -> tuple[int, int]:
    """Paint a film into its file; return height and width."""
    from dataclasses import replace

    from audiobend.films.film import film_facts, frames
    from audiobend.films.hearing import TrackLevel, hear
    from audiobend.films.writing import film_file
    from audiobend.io.files import check_not_an_input

    if film.audio is not None:
        check_not_an_input(out, [film.audio], PictureError)
    if film.drives and film.audio:
        with progress_bar(f"listening to {film.audio.name}", silent) as advance:
            film = replace(film, curves=hear(film.audio, film.n_frames, float(film.rate), advance))
    level = TrackLevel(film.audio) if film.audio and painter.plan.follows else None
    n, shape = film.n_frames, (0, 0)
    heard = film.audio if out.suffix.lower() == ".mp4" else None
    with (
        progress_bar(f"painting {n} frames", silent) as advance,
        film_file(out, film.rate, film_facts(film, painter), heard) as add,
    ):
        for index, pixels in enumerate(frames(film, painter, level, side)):
            add(pixels)
            shape = pixels.shape[:2]
            advance((index + 1) / n)
    return shape
