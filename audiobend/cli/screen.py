"""What the command line shows: results on standard output, progress on standard error."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer


def say(text: str) -> None:
    """Print a line of result."""
    typer.echo(text)


def show_json(document: Any) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


@contextmanager
def progress_bar(what: str, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """Show a bar with the time left, on a terminal; yields a function that takes the share done, 0..1."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    time = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), *time)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=1.0)
        yield lambda share: progress.update(task, completed=share)


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table; plain text with tabs where the output is no terminal."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    grid = Table(title=title, title_justify="left", header_style="bold", pad_edge=False, box=None)
    for column in columns:
        grid.add_column(column)
    for row in rows:
        grid.add_row(*row)
    Console().print(grid)
