"""``audiobend train``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiobend.cli.processes import quieten, speaking_once, training_screen, was_restarted
from audiobend.cli.screen import say, show_json
from audiobend.errors import TrainingError

if TYPE_CHECKING:
    from audiobend.train.distributed import Team
    from audiobend.train.recipe import Recipe


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(train)


def train(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders (or files) of sound.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the new model.")] = None,
    config: Annotated[
        str | None, typer.Option(help="Recipe: small, further, half, paper, or a file; options come before it.")
    ] = None,
    width: Annotated[
        float | None, typer.Option(min=0.015625, max=4, help="Size of the network; 1.0 is the paper's [default: 0.25].")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, max=1e6, help="How long to train [default: 90; 10 with --start-from].")
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(min=0.001, help="Or: how often to go through as many windows as the sound holds.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Or: how many steps.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Windows in a step, of all devices together.")] = None,
    start_from: Annotated[
        str | None, typer.Option(help="Begin from this model (with recipe further, if none is named).")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of weights, windows and noise (with --minutes the clock too).")
    ] = None,
    validation: Annotated[
        list[str] | None, typer.Option(help="Part of a track's name: keep it out of training and measure it.")
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="WORDS=SHARE", help="Share of the windows for tracks whose names hold the words."),
    ] = None,
    reels: Annotated[
        list[str] | None,
        typer.Option(help="Words in names of files that are collections of short sounds; they get a quarter."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    smoke_test: Annotated[
        bool, typer.Option("--smoke-test", help="Run every part once, in seconds, to see that all is well.")
    ] = False,
    devices: Annotated[
        str, typer.Option(help="auto, cpu, a number, cuda:0,1, or cpu:2 for two processes on the processor.")
    ] = "auto",
    nodes: Annotated[int, typer.Option(min=1, help="Machines; start the command on each, or use torchrun.")] = 1,
    precision: Annotated[str, typer.Option(help="auto, 32 or bf16.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads of each process.")] = None,
    cache_gb: Annotated[
        float, typer.Option(min=0, help="Disk for spectrogram columns; what is beyond is read from the sounds.")
    ] = 20.0,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document at the end and nothing else.")] = False,
) -> None:
    """Train a model on your own sound.

    For example: audiobend train my_music --out models/mine --minutes 90
    """
    import torch

    quieten()
    from audiobend.train.devices import choose_precision
    from audiobend.train.distributed import make_team
    from audiobend.train.folder import refuse_second_run
    from audiobend.train.searching import sound_files
    from audiobend.train.windows import read_weights

    given = {"width": width, "minutes": minutes, "epochs": epochs, "steps": steps, "batch_size": batch_size,
             "start_from": start_from, "seed": seed}
    recipe = _recipe(config, {name: value for name, value in given.items() if value is not None})
    shares = read_weights(weight or [])
    if out is None and not smoke_test:
        raise TrainingError("give the new model's folder with --out, such as --out models/mine")
    resume = resume or was_restarted(out)
    if out is not None and not smoke_test:    # before other processes are started
        refuse_second_run(out, resume)
    sound_files(folders)
    precision = choose_precision(precision, devices, recipe.width)
    if threads:
        torch.set_num_threads(threads)
    team = make_team(devices, nodes, precision)
    if not smoke_test:
        team.check_batch(recipe.batch_size)
    team.fabric.launch()
    with speaking_once(team):
        if smoke_test:
            _smoke_test(folders, out, recipe, team, json_)
        else:
            assert out is not None
            _train(folders, out, recipe, team, (validation or [], reels or [], shares), cache_gb, resume, json_)


def _recipe(config: str | None, given: dict[str, Any]) -> "Recipe":
    from audiobend.io.modelbundle import load_for_training
    from audiobend.train.recipe import Recipe, load_recipe

    if config is None and "start_from" in given:
        config = "further"
    recipe = (load_recipe(config) if config else Recipe()).changed(given)
    if config == "further" and "width" not in given:
        recipe = recipe.changed({"width": load_for_training(recipe.start_from)[0].width})
    return recipe


def _train(
    folders: list[Path],
    out: Path,
    recipe: "Recipe",
    team: "Team",
    choice: tuple[list[str], list[str], dict[str, float]],
    cache_gb: float,
    resume: bool,
    as_json: bool,
) -> None:
    from audiobend.clustering.activation import add_clusters
    from audiobend.train.checkpoint import NAME, load_checkpoint
    from audiobend.train.loop import DivergedError
    from audiobend.train.restart import restart, restarts
    from audiobend.train.schedule import Progress
    from audiobend.train.session import train as run

    validation, reels, weights = choice
    try:
        with training_screen(quiet=as_json or not team.leads) as (report, on_step):
            figures = run(folders, out, recipe, validation, reels, resume, report, on_step,
                          weights=weights, team=team, attempt=restarts()[0], cache_gb=cache_gb)
            team.first(lambda: add_clusters(out, folders, report=report))
    except DivergedError as problem:    # here the screen is as it was
        if not team.leads:
            raise
        restart(problem, Progress(**load_checkpoint(out / NAME)["progress"]), team, report)
    if as_json and team.leads:
        show_json(figures)


def _smoke_test(folders: list[Path], out: Path | None, recipe: "Recipe", team: "Team", quiet: bool) -> None:
    from tempfile import TemporaryDirectory

    from audiobend.train.smoke import smoke_test

    with TemporaryDirectory(prefix="audiobend-") as temporary:
        folder = team.share(str(out or temporary))
        report = say if team.leads and not quiet else lambda _: None
        smoke_test(folders, Path(folder), recipe, team, report)
        report("everything works" + (f"; see {out}" if out else ""))
