"""``audiobend dataset``: look at folders of sound before training, and carry them to another machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiobend.cli.screen import progress_bar, say, show_json, table

if TYPE_CHECKING:
    from audiobend.train.sounds import Scan

PASSES = (1, 10, 50)

dataset = typer.Typer(
    name="dataset",
    help="Look at folders of sound, and carry them to another machine.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.add_typer(dataset)


@dataset.command("scan")
def scan(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders (or files) of sound.")],
    files: Annotated[bool, typer.Option("--files", help="List every file that would be used.")] = False,
    width: Annotated[float, typer.Option(min=0.015625, max=2, help="Size of the network, for the time.")] = 0.25,
    estimate: Annotated[bool, typer.Option(help="Time a few training steps on this machine.")] = True,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Show what a training would use, what it would skip and why, and how long it would take.

    For example: audiobend dataset scan my_music field_recordings
    """
    from audiobend.train.overview import overview
    from audiobend.train.sounds import scan as look

    with progress_bar("looking at files", json_) as advance:
        found = look(folders, lambda done, total: advance(done / total))
    speed = _speed(width, json_) if estimate and found.sounds else None
    facts = overview(found, speed, width, PASSES)
    if json_:
        show_json(facts)
        return
    _tell(found, facts, files)


@dataset.command("pack")
def pack(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of sound.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the copy.")],
    max_mb: Annotated[float, typer.Option(min=0.01, max=1e6, help="Most that the copy may take up, in MB.")] = 48.0,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Write a compact copy of a folder: mono, compressed as little as the size allows, with licences and a list.

    For example: audiobend dataset pack my_music to_carry --max-mb 48
    """
    from audiobend.train.packing import pack as run

    with progress_bar(f"packing {folder.name}", json_) as advance:
        packed = run(folder, out, max_mb, advance)
    if json_:
        show_json(
            {
                "out": str(out),
                "sounds": len(packed.sounds),
                "hours": round(packed.hours, 3),
                "codec": packed.codec,
                "kbit_per_second": packed.kbit_per_second,
                "bytes": packed.n_bytes,
                "texts": sorted(packed.texts),
                "skipped": packed.skipped,
            }
        )
        return
    for name, reason in packed.skipped.items():
        say(f"left out {name}: {reason}")
    size = f"{packed.n_bytes / 1e6:.1f} MB of {packed.codec} at {packed.kbit_per_second:g} kbit/s"
    say(f"wrote {out}: {len(packed.sounds)} sounds, {packed.hours:.2f} hours, {size}; {len(packed.texts)} texts")


def _speed(width: float, quiet: bool) -> float:
    from audiobend.train.estimate import windows_per_second
    from audiobend.train.recipe import Recipe

    with progress_bar("timing a few training steps", quiet):
        return windows_per_second(Recipe(width=width))


def _tell(found: "Scan", facts: dict[str, Any], files: bool) -> None:
    if files:
        rows = [
            [sound.name, f"{sound.seconds:.1f} s", f"{sound.sample_rate} Hz", str(sound.channels)]
            for sound in found.sounds
        ]
        table("Used", ["name", "length", "rate", "channels"], rows)
    rows = [[one["folder"], f"{one['sounds']} sounds", f"{one['hours']:.2f} h"] for one in facts["folders"]]
    table("Folders", ["folder", "sounds", "length"], rows)
    if facts["skipped"]:
        rows = [["left out", one["path"], one["reason"]] for one in facts["skipped"]]
        table("Left out", ["", "file", "why"], rows)
    say(f"{facts['sounds']} sounds, {facts['hours']:.2f} hours; {len(facts['skipped'])} files left out")
    if not found.sounds:
        return
    say(f"columns on the disk: {facts['cache_gb']:.2f} GB; what is over the budget of the cache is read while training")
    training = facts["training"]
    if training:
        times = ", ".join(f"{one['passes']} passes {_in_words(one['minutes'])}" for one in training["passes"])
        speed = f"{training['windows_per_second']:.0f} windows a second at width {training['width']:g}"
        say(f"training on this machine: {speed}; {times}".replace("1 passes", "1 pass"))


def _in_words(minutes: float) -> str:
    """Return a time as one says it.

    >>> _in_words(0.4), _in_words(90), _in_words(6000)
    ('24 s', '90 min', '100 h')
    """
    if minutes < 2:
        return f"{minutes * 60:.0f} s"
    return f"{minutes:.0f} min" if minutes < 180 else f"{minutes / 60:.0f} h"
