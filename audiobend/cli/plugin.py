"""``audiobend plugin build | install | doctor``: the plugin for hosts (VST3, CLAP, LV2)."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from audiobend.cli.screen import progress_bar, say, show_json

Formats = Annotated[str, typer.Option("--format", metavar="A,B", help="Of vst3, clap, lv2.")]
Dpf = Annotated[
    Path | None, typer.Option(metavar="PATH", help="DPF's folder; or $AUDIOBEND_DPF, or where Debian has it.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

ALL = "vst3,clap,lv2"
HELP = {"help_option_names": ["-h", "--help"]}

verbs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, context_settings=HELP)


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.add_typer(verbs, name="plugin", help="The plugin for Live, Bitwig, Reaper, Ardour: build, install, doctor.")


@verbs.command("build")
def build(
    format_: Formats = ALL,
    dpf: Dpf = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the bundles go.")] = Path(),
    json_: Json = False,
) -> None:
    """Build the plugin from its sources, with the system's compiler and DPF."""
    built = _built(format_, dpf, out, json_)
    if json_:
        show_json({name: str(path) for name, path in built.items()})
        return
    for path in built.values():
        say(str(path))


@verbs.command("install")
def install(
    format_: Formats = ALL,
    dpf: Dpf = None,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Another folder than those in which hosts look.")
    ] = None,
    json_: Json = False,
) -> None:
    """Build the plugin, put it where hosts look, and write down how to start a server.

    For example: audiobend plugin install --format vst3,clap
    """
    from tempfile import TemporaryDirectory

    from audiobend.plugin import places

    with TemporaryDirectory(prefix="audiobend-plugin-") as folder:
        placed = places.install(_built(format_, dpf, Path(folder), json_).items(), to)
    command = places.command_file()
    if json_:
        show_json({"bundles": {name: str(path) for name, path in placed.items()}, "server_command": str(command)})
        return
    for path in placed.values():
        say(str(path))
    say(f"the plugin starts a server as {command} says; let your host look for new plugins")


def _built(format_: str, dpf: Path | None, out: Path, quiet: bool) -> dict[str, Path]:
    from audiobend.plugin import building

    formats = building.formats_of(format_)
    steps, done = 4 + 2 * len(formats), 0    # the sources, and for each format one more and the linking
    with progress_bar("building", quiet) as show:

        def on_line(line: str) -> None:
            nonlocal done
            if line.startswith(("Compiling", "Creating")):
                done += 1
                show(min(1.0, done / steps))

        return building.build(formats, out, dpf, on_line)


@verbs.command("doctor")
def doctor(
    dpf: Dpf = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where bundles were built.")] = None,
    json_: Json = False,
) -> None:
    """Look for what stands in the way of building and playing the plugin, and say what to do about it.

    Exit status 1 where nothing could be played.
    """
    from audiobend.plugin.doctor import examine

    findings = examine(dpf, out)
    if json_:
        show_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{'ok ' if finding.is_well else 'FIX'}  {finding.what}: {finding.found}")
            if finding.fix:
                say(f"     -> {finding.fix}")
    if any(finding.is_needed and not finding.is_well for finding in findings):
        raise typer.Exit(1)
