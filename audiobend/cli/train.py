"""``audiobend train``."""

from pathlib import Path
from typing import Annotated

import typer

from audiobend.cli.screen import say, show_json
from audiobend.errors import TrainingError


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(train)


def train(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders (or files) of sound.")],
    out: Annotated[Path, typer.Option(help="Folder of the new model.")],
    width: Annotated[float, typer.Option(min=0.015625, max=2, help="Size of the network; 1.0 is the paper's.")] = 0.25,
    minutes: Annotated[float, typer.Option(min=0.05, max=100000, help="How long to train.")] = 90.0,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of weights, windows and noise (the schedule follows the clock).")
    ] = 0,
    validation: Annotated[
        list[str] | None, typer.Option(help="Part of a track's name: keep it out of training and measure it.")
    ] = None,
    reels: Annotated[
        list[str] | None,
        typer.Option(help="Beginning of names of files that are collections of short sounds; they get a quarter."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document at the end and nothing else.")] = False,
) -> None:
    """Train a model on your own sound.

    For example: audiobend train my_music --out models/mine --minutes 90
    """
    import torch

    from audiobend.clustering.activation import add_clusters
    from audiobend.train.loop import Recipe
    from audiobend.train.session import train as run

    if out.exists() and not out.is_dir():
        raise TrainingError(f"{out}: is a file, not a folder; give --out a folder")
    if threads:
        torch.set_num_threads(threads)
    report = (lambda _: None) if json_ else say
    recipe = Recipe(width=width, minutes=minutes, seed=seed)
    figures = run(folders, out, recipe, tuple(validation or ()), tuple(reels or ()), resume, report)
    add_clusters(out, folders, report=report)
    if json_:
        show_json(figures)
