"""``audiobend server``."""

import os
from pathlib import Path
from typing import Annotated, cast

import typer

from audiobend.cli.choices import Profile
from audiobend.errors import DeviceError, PatchError


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(server)


def server(
    model: Annotated[str | None, typer.Option(help="Model of new instances: a name, or a bundle's folder.")] = None,
    patch: Annotated[Path | None, typer.Option(help="Patch file of new instances.")] = None,
    latency: Annotated[Profile, typer.Option(help="Profile of new instances.")] = Profile.balanced,
    backend: Annotated[str, typer.Option(help="What runs the network; auto takes the fastest.")] = "auto",
    osc_port: Annotated[
        int, typer.Option(min=0, max=65535, help="UDP port for OSC of the first instance; 0 takes free ones.")
    ] = 9001,
    listen: Annotated[str, typer.Option(help="Address for OSC; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    allow: Annotated[
        list[str] | None, typer.Option(metavar="IP", help="Machine or network that may send OSC.")
    ] = None,
    max_instances: Annotated[
        int | None, typer.Option(min=1, max=64, help="Take so many, whatever this machine can hold by measurement.")
    ] = None,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Serve a page for each instance.")] = True,
    page_port: Annotated[
        int, typer.Option(min=0, max=65535, help="TCP port of the first instance's page; others take the next ones.")
    ] = 9080,
    page_listen: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address for pages; 0.0.0.0 lets in who has the token.")
    ] = "127.0.0.1",
    seconds: Annotated[float | None, typer.Option(min=0, help="End after this long.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Bend what the plugin sends, an engine for each instance in the host.

    For example: audiobend server --latency studio
    """
    if not hasattr(os, "getuid"):
        raise DeviceError("audiobend server needs Linux or macOS")

    from audiobend.server.place import check_free, socket_path

    path = socket_path()
    check_free(path)    # before anything slow

    from audiobend.live.calm import hurry
    from audiobend.live.warming import warm_up

    hurry()
    warm_up(model)

    from audiobend.bending import Patch
    from audiobend.cli.servershow import ServerShow
    from audiobend.io.modelbundle import find_model, list_models
    from audiobend.io.patchfile import load_patch
    from audiobend.io.yamlfile import named
    from audiobend.live.chosen import chosen
    from audiobend.networks.backends import BackendName
    from audiobend.networks.backends import backend as make_backend
    from audiobend.osc.doors import Listening
    from audiobend.osc.server import listen_warning
    from audiobend.server.capacity import Capacity, cores
    from audiobend.server.project import Project
    from audiobend.server.server import Server
    from audiobend.server.studio import Studio

    folder = find_model(model)
    name = folder.name if list_models().get(folder.name) == folder else str(folder.resolve())
    show = ServerShow(json_)
    show.say_starting()
    project = Project(name, latency.value, patch=load_patch(patch) if patch else Patch())
    capacity = Capacity(cores(), max_instances)
    wanted = None if backend == "auto" else cast(BackendName, backend)
    listening = Listening(listen, osc_port, tuple(allow or ()))
    studio = Studio(project, capacity, listening, wanted, (page_listen, page_port) if page else None)
    studio.check_addresses()
    the_model = studio.model(name)
    named(patch or "--patch", lambda: the_model.resolve(project.patch), error=PatchError)
    if wanted:
        make_backend(wanted, the_model)    # refuses what is unknown or not installed
    choice = chosen(the_model, project.settings(), wanted)
    with show, Server(studio, path, show.tell) as the_server:
        if warning := listen_warning(listen, allow or ()):
            show.tell(warning)
        show.run(the_server, the_model, choice, seconds)
