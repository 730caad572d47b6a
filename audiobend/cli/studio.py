"""``audiobend studio``: `live`, with its page opened in the browser."""

import inspect
from typing import Any

import typer

from audiobend.cli.live import live


def add_to(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command()(studio)


def studio(**options: Any) -> None:
    """Play in the browser: the same as live, and opens the page.

    For example: audiobend studio --browser
    """
    live(**options)


def _signature() -> inspect.Signature:
    """Return the options of `live`; the page opens unless told not to."""
    known = inspect.signature(live)
    options = [one.replace(default=True) if name == "open_" else one for name, one in known.parameters.items()]
    return known.replace(parameters=options)


# The command line reads what a function takes from here.
vars(studio).update(__signature__=_signature())
studio.__annotations__ = live.__annotations__
