"""``audiobend osc list | clients | send | monitor``: the addresses, and a running audiobend from the command line."""

from pathlib import Path
from typing import Annotated

import typer

from audiobend.cli.screen import say, show_json, table

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Host = Annotated[str, typer.Option(help="Where audiobend listens.")]
Port = Annotated[int, typer.Option(help="Its port.")]

HELP = {"help_option_names": ["-h", "--help"]}

verbs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, context_settings=HELP)


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.add_typer(verbs, name="osc", help="OSC: list addresses, write files for other programs, send, listen.")


@verbs.command("list")
def list_(
    model: Annotated[str | None, typer.Option(help="Name of a shipped model, or a bundle's folder.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print tables for a page.")] = False,
    json_: Json = False,
    full: Annotated[bool, typer.Option("--full", help="Every single address, not one line for each kind.")] = False,
) -> None:
    """List every address with its types, range and default."""
    from audiobend.control import Context
    from audiobend.io.modelbundle import load_model
    from audiobend.osc import schema

    context = Context.of_model(load_model(model))
    if json_:
        show_json(schema.schema(context))
        return
    if markdown:
        say(schema.markdown(context).rstrip())
        return
    if full:
        from audiobend.bending import Patch
        from audiobend.osc.addresses import Table

        entries = [(leaf.address, leaf.row) for leaf in Table(context).leaves(Patch())]
    else:
        entries = [(f"/audiobend/{row.path}", row) for row in schema.rows(context)]
    rows = [
        [address, row.types, schema.span(row), "" if row.default is None else f"{row.default:.4g}", row.description]
        for address, row in entries
    ]
    table(f"OSC addresses of {context.model}", ["address", "types", "range", "default", "what it does"], rows)


@verbs.command()
def clients(
    model: Annotated[str | None, typer.Argument(help="Name of a shipped model, or a bundle's folder.")] = None,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(),
    format_: Annotated[
        str, typer.Option("--format", metavar="A,B", help="Of pd, max, m4l, touchosc, supercollider; all by default.")
    ] = "",
    host: Host = "127.0.0.1",
    port: Port = 9001,
    overwrite: Annotated[bool, typer.Option(help="Replace files that were changed since they were written.")] = False,
) -> None:
    """Write files that play a model from Pure Data, Max, Max for Live, TouchOSC and SuperCollider.

    Each has a control for every transform, on every layer and every cluster of the model.
    """
    from audiobend.control import Context
    from audiobend.errors import ControlError
    from audiobend.io.files import write_atomically
    from audiobend.io.modelbundle import load_model
    from audiobend.osc.clients import FORMATS, client_files, surface

    wanted = [one.strip() for one in format_.split(",") if one.strip()] or list(FORMATS)
    files = client_files(surface(Context.of_model(load_model(model)), host, port), wanted)
    for name, content in files.items():
        path = out / name
        if path.is_file() and not overwrite and path.read_bytes() != content:
            raise ControlError(f"{path}: exists and is not what would be written; add --overwrite to replace it")
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        with write_atomically(out / name, error=ControlError) as temporary:
            temporary.write_bytes(content)
        say(str(out / name))


@verbs.command(context_settings={"ignore_unknown_options": True})    # so that -6 is a number, not an option
def send(
    address: Annotated[str, typer.Argument(help="Such as /audiobend/mix; without arguments it is asked.")],
    args: Annotated[list[str] | None, typer.Argument(help="Numbers or text.")] = None,
    host: Host = "127.0.0.1",
    port: Port = 9001,
    json_: Json = False,
) -> None:
    """Send one message to a running audiobend and print what it answers.

    A message that cannot be carried out is one sentence and exit status 2.
    """
    from audiobend.errors import ControlError
    from audiobend.osc.client import OscClient

    with OscClient(host, port) as client:
        answers = client.request(address, [_value(one) for one in args or []])
    failed = [str(one.args[-1]) for one in answers if one.address == "/audiobend/fail" and one.args]
    if failed:
        raise ControlError(f"{address}: {failed[0]}")
    if json_:
        show_json([{"address": one.address, "args": one.args} for one in answers])
        return
    for one in answers:
        say(" ".join([one.address, *map(str, one.args)]))


@verbs.command()
def monitor(
    host: Host = "127.0.0.1",
    port: Port = 9001,
    seconds: Annotated[float | None, typer.Option(help="How long; until Ctrl-C where this is left out.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print every change of a running audiobend, as it happens."""
    import json

    from audiobend.osc.client import OscClient

    with OscClient(host, port) as client:
        for one in client.monitor(float("inf") if seconds is None else seconds):
            line = json.dumps({"address": one.address, "args": one.args}) if json_ else None
            say(line or " ".join([one.address, *map(str, one.args)]))


def _value(text: str) -> int | float | str:
    """Read an argument as one types it: a whole number, a number, or text."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
