"""The command line: one file per group of verbs, no logic. Heavy imports happen inside the verbs, so help is quick."""

import sys
import warnings
from typing import Any

import typer
from typer.exceptions import Abort, TyperException

from audiobend.cli import (
    bench,
    catalog,
    cluster,
    dataset,
    devices,
    evaluate,
    export,
    image,
    live,
    osc,
    patches,
    plugin,
    render,
    server,
    studio,
    train,
)
from audiobend.errors import AudiobendError

STOPPED = 130
"""Exit status after Ctrl-C, as shells have it."""

app = typer.Typer(
    name="audiobend",
    help="Bend the inside of a neural network while sound runs through it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,    # rich help takes longer to import than all the rest
    context_settings={"help_option_names": ["-h", "--help"]},
)
render.add_to(app)
live.add_to(app)
server.add_to(app)
studio.add_to(app)
devices.add_to(app)
bench.add_to(app)
patches.add_to(app)
train.add_to(app)
cluster.add_to(app)
catalog.add_to(app)
dataset.add_to(app)
evaluate.add_to(app)
export.add_to(app)
osc.add_to(app)
image.add_to(app)
plugin.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"audiobend {version('audiobend')}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    pass


def main() -> None:
    """Run the command line; a mistake is one sentence on standard error and exit status 2."""
    warnings.showwarning = _show_warning
    try:
        status = app(standalone_mode=False) or 0
        if status != STOPPED:    # typer has already met the KeyboardInterrupt
            sys.exit(status)
        _fail("stopped", STOPPED)
    except AudiobendError as error:
        _fail(str(error))
    except (Abort, KeyboardInterrupt):
        _fail("stopped", STOPPED)
    except TyperException as error:
        _fail(_one_sentence(error))
    except BrokenPipeError:
        sys.exit(141)
    except MemoryError:
        _fail("there is not enough memory for this; close other programs or render a shorter sound")
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}")


def _one_sentence(error: TyperException) -> str:
    """Return what is wrong with the words of a command, and where to read on."""
    text = str(getattr(error, "format_message", error.__str__)()).strip().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{' '.join(text.split())}; see {context.command_path if context else 'audiobend'} --help"


def _fail(sentence: str, status: int = 2) -> None:
    sys.stderr.write(f"audiobend: {sentence}\n")
    sys.exit(status)


_shown: set[str] = set()


def _show_warning(message: Warning | str, category: type[Warning], *_where: Any, **_more: Any) -> None:
    text = str(message)
    if issubclass(category, UserWarning) and text not in _shown:
        _shown.add(text)
        sys.stderr.write(f"audiobend: warning: {text}\n")
