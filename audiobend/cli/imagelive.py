"""``audiobend image live``."""

import os
from pathlib import Path
from typing import Annotated

import typer

from audiobend.cli import imageoptions as asked


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(live)


def live(
    model: asked.ModelName = None,
    patch: asked.PatchFile = None,
    set_: asked.Changes = None,
    patch_seed: asked.PatchSeed = None,
    seeds: Annotated[str, typer.Option(help="Pictures of these seeds: 1,5,9; the first, or with --pace a walk.")] = "0",
    pace: Annotated[float, typer.Option(min=0, max=3600, help="Seconds from seed to seed; 0 stands still.")] = 0.0,
    fps: Annotated[float, typer.Option(min=0.1, max=120, help="The most pictures in a second.")] = 25.0,
    side: Annotated[
        int | None, typer.Option(min=16, max=4096, help="Width in pixels [default: the model's own, 512 at least].")
    ] = None,
    page_port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port of the page; 0 takes a free one.")] = 9081,
    osc_port: Annotated[int, typer.Option(min=0, max=65535, help="UDP port for OSC; 0 takes a free one.")] = 9001,
    listen: Annotated[str, typer.Option(help="Address for all; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    allow: Annotated[
        list[str] | None, typer.Option(metavar="IP", help="Machine or network that may send OSC, and look.")
    ] = None,
    osc_tcp: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="PORT", help="OSC over TCP too; 0 takes a free port.")
    ] = None,
    oscquery_port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="PORT", help="OSCQuery too; 0 takes a free port.")
    ] = None,
    advertise: Annotated[bool, typer.Option("--advertise", help="Tell the network by mDNS where OSC is.")] = False,
    session: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder in which scenes are kept.")] = None,
    clusters: asked.ClustersFile = None,
    truncation: asked.Truncation = 0.7,
    cutoff: asked.Cutoff = None,
    noise: asked.NoiseMode = asked.Noise.const,
    directions: asked.DirectionsOf = asked.Directions.pca,
    label: asked.Label = 0,
    device: asked.Device = "cpu",
    precision: asked.PrecisionName = asked.Precision.fp32,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads that paint [default: by size].")] = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="End after this long.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Play pictures: a page shows them, OSC bends them, by the addresses that bend sound.

    For example: audiobend image live --model tiles-64 --patch eyes.yaml --seeds 1,5,9 --pace 8
    """
    from audiobend.cli.imageshow import PictureShow
    from audiobend.io.session import Session
    from audiobend.osc.doors import Listening
    from audiobend.osc.server import listen_warning
    from audiobend.picture_live.messages import Setup, Where
    from audiobend.picture_live.performance import PicturePerformance
    from audiobend.picture_recipe import parse_seeds
    from audiobend.picture_settings import PictureSettings

    where = Listening(listen, osc_port, allow or (), osc_tcp, oscquery_port, advertise=advertise)
    settings = PictureSettings(truncation, cutoff, noise.value, label, device, precision.value)
    the_seeds = tuple(parse_seeds(seeds))
    the_model = asked.model_of(model, clusters)
    the_patch = asked.patch_of(patch, set_ or [], patch_seed)
    asked.painter_of(the_model, the_patch, patch, settings)    # what does not fit is told before a process is started
    setup = Setup(
        settings,
        Where(listen, page_port, tuple(allow or ())),
        the_seeds,
        pace,
        fps,
        side,
        threads or _usual_threads(the_model.network.architecture.size),
        clusters=str(clusters) if clusters else None,
        directions=directions.value,
    )
    show = PictureShow(json_)
    with show, PicturePerformance(the_model, the_patch, setup, show.tell, where, Session(session)) as performance:
        if warning := listen_warning(listen, allow or ()):
            show.tell(warning)
        show.run(performance, seconds)


def _usual_threads(size: tuple[int, int]) -> int:
    """Return how many threads paint: several wait more for one another than they help where pictures are small."""
    return 1 if max(size) < 256 else os.cpu_count() or 1
