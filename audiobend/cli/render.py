"""``audiobend render``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from audiobend.cli.choices import OtherClusters, Profile
from audiobend.cli.outputs import Outputs, check_outputs, make_folder, plan_outputs
from audiobend.cli.screen import progress_bar, say, show_json
from audiobend.errors import AudioError, PatchError, TakeError

if TYPE_CHECKING:
    from audiobend.bending import Patch, Plan
    from audiobend.engine import Settings
    from audiobend.networks.model import Model
    from audiobend.rendering import Rendered
    from audiobend.spectral.rephase import Quality as EngineQuality


class Quality(StrEnum):
    """How much work goes into the phases."""

    fast = "fast"
    default = "default"
    best = "best"
    live = "live"


class Phase(StrEnum):
    """Where phases come from."""

    auto = "auto"
    input = "input"
    pghi = "pghi"
    griffinlim = "griffinlim"


class Format(StrEnum):
    """Kinds of sound file that can be written."""

    wav = "wav"
    flac = "flac"
    ogg = "ogg"


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command("render")(render)


def render(
    sounds: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN [OUT]",
            help="A sound file and where the bent one goes (default: NAME.bent.wav here). "
            "Three or more, or with --out-dir: all are inputs.",
        ),
    ],
    patch: Annotated[Path | None, typer.Option(help="Patch file; without it the sound passes unbent.")] = None,
    model: Annotated[str | None, typer.Option(help="Name of a shipped model, or a bundle's folder.")] = None,
    clusters: OtherClusters = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="BEND/PARAM=VALUE", help="Change a value of the patch.")
    ] = None,
    phase: Annotated[Phase, typer.Option(help="Where phases come from.")] = Phase.auto,
    quality: Annotated[
        Quality, typer.Option(help="How much work goes into the phases; live: as the live engine puts it out.")
    ] = Quality.default,
    latency: Annotated[Profile | None, typer.Option(help="Profile of --quality live; otherwise balanced.")] = None,
    stride: Annotated[
        int | None, typer.Option(min=1, max=64, help="Columns between windows, with --quality live.")
    ] = None,
    backend: Annotated[str | None, typer.Option(help="What runs the network, with --quality live.")] = None,
    take: Annotated[Path | None, typer.Option(help="Render a recorded performance of audiobend live.")] = None,
    iterations: Annotated[int | None, typer.Option(min=0, max=10000, help="Sweeps of phase reconstruction.")] = None,
    mix: Annotated[float | None, typer.Option(min=0, max=1, help="0 is the input, 1 the bent sound.")] = None,
    detail: Annotated[
        float | None, typer.Option(min=0, max=1, help="How much of what the network blurs is given back.")
    ] = None,
    gain_db: Annotated[float | None, typer.Option(min=-60, max=24, help="Gain of the output in dB.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of everything random.")] = None,
    variations: Annotated[int | None, typer.Option(min=1, max=999, help="Write this many seeded variations.")] = None,
    out_dir: Annotated[Path | None, typer.Option(help="Folder for the output.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Picture of the input, its reconstruction and the bent sound (png, svg, pdf).")
    ] = None,
    format_: Annotated[Format | None, typer.Option("--format", help="Kind of file, where OUT does not say.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that audiobend did not write.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Bend sound files.

    For example: audiobend render track.wav bent.wav --patch low_tide.yaml --set fog/radius=3
    """
    from time import perf_counter

    from audiobend.io.modelbundle import load_model
    from audiobend.io.yamlfile import named
    from audiobend.plot import check_plot_name, plot_render

    engine: dict[str, object] = {"--latency": latency, "--stride": stride, "--backend": backend}
    _check_words(take, quality, engine, {
        "--patch": patch, "--set": set_, "--mix": mix, "--detail": detail, "--gain-db": gain_db, "--seed": seed,
        "--variations": variations, "--plot": plot,
    })    # fmt: skip
    if quality is Quality.live and not take:
        _check_live(phase, {"--iterations": iterations, "--variations": variations, "--plot": plot})
    if plot:
        check_plot_name(plot)
    outputs = plan_outputs(sounds, out_dir, format_.value if format_ else None, variations, plot)
    check_outputs(outputs, patch or take, overwrite)
    if take:
        from audiobend.cli.rendertake import render_take

        render_take(outputs, take, model, quality.value, phase.value, iterations, out_dir, json_)
        return
    the_patch = _patch(patch, set_ or [], {"mix": mix, "detail": detail, "gain_db": gain_db}, seed)
    the_model = load_model(model, clusters=clusters)
    # A wrong patch is refused before anything is made.
    plan = named(patch or "--set", lambda: the_model.resolve(the_patch), error=PatchError)
    if out_dir:
        make_folder(out_dir)
    begun = perf_counter()
    if quality is Quality.live:
        from audiobend.cli.renderlive import render_live

        results = render_live(outputs, the_model, the_patch, latency or Profile.balanced, stride, backend, json_)
        _tell(results, perf_counter() - begun, the_model, the_patch, json_)
        return
    settings = _settings(quality, phase, iterations, the_patch.seed)
    if variations:
        results = _variations(sounds, out_dir or Path(), the_model, the_patch, settings, variations, format_, json_)
    else:
        results = _run(outputs, the_model, plan, settings, json_)
    took = perf_counter() - begun
    if plot:
        plot_render(plot, results[0].input, results[0].output, the_model, settings)
    _tell(results, took, the_model, the_patch, json_)


def _check_words(take: Path | None, quality: Quality, engine: dict[str, object], others: dict[str, object]) -> None:
    for name, value in engine.items():
        if value is not None and quality is not Quality.live:
            raise AudioError(f"{name} needs --quality live; the other qualities run another engine")
    for name, value in {**engine, **others}.items():
        if take is not None and value is not None and value != []:
            raise TakeError(f"{name} cannot stand beside --take, which has its own patch; leave one of them out")


def _check_live(phase: Phase, others: dict[str, object]) -> None:
    if phase not in (Phase.auto, Phase.input):
        raise AudioError(f"--phase must be auto or input with --quality live, got {phase.value}")
    for name, value in others.items():
        if value is not None:
            raise AudioError(f"{name} cannot stand beside --quality live; leave one of them out")


def _patch(path: Path | None, changes: list[str], output: dict[str, Any], seed: int | None) -> "Patch":
    from dataclasses import replace

    from audiobend.bending import Patch
    from audiobend.io.patchfile import load_patch

    patch = load_patch(path) if path else Patch()
    for change in changes:
        target, equals, value = change.partition("=")
        if not equals or ("/" not in target and target != "seed"):
            raise PatchError(f"--set {change}: needs BEND/PARAM=VALUE, such as fog/radius=3")
        patch = patch.set(target, value)
    for name, number in output.items():
        if number is not None:
            patch = patch.set(f"output/{name}", number)
    return patch if seed is None else replace(patch, seed=seed)


def _settings(quality: Quality, phase: Phase, iterations: int | None, seed: int) -> "Settings":
    from audiobend.engine import Settings

    return Settings(quality=cast("EngineQuality", quality.value), phase=phase.value, iterations=iterations, seed=seed)


def _run(
    outputs: Outputs, model: "Model", plan: "Plan", settings: "Settings", quiet: bool
) -> list["Rendered"]:
    from audiobend.rendering import render_file

    results = []
    for source, target in outputs.sounds:
        with progress_bar(f"bending {source.name}", quiet) as advance:
            results.append(render_file(source, target, model, plan, settings, advance))
    return results


def _variations(
    sounds: list[Path],
    folder: Path,
    model: "Model",
    patch: "Patch",
    settings: "Settings",
    n: int,
    format: Format | None,
    quiet: bool,
) -> list["Rendered"]:
    from audiobend.variations import render_variations

    results = []
    for source in sounds:
        with progress_bar(f"{n} variations of {source.name}", quiet) as advance:
            kind = format.value if format else "wav"
            results += render_variations(source, folder, model, patch, n, settings, kind, advance)
    return results


def _tell(results: list["Rendered"], took: float, model: "Model", patch: "Patch", as_json: bool) -> None:
    seconds = sum(result.seconds for result in results)
    if as_json:
        files = [
            {
                "input": str(result.input),
                "output": str(result.output),
                "seconds": round(result.seconds, 3),
                "sample_rate": result.sample_rate,
                "channels": result.channels,
            }
            for result in results
        ]
        show_json(
            {
                "files": files,
                "model": model.name,
                "fingerprint": model.fingerprint,
                "patch": patch.name,
                "seed": patch.seed,
                "took_seconds": round(took, 3),
                "times_real_time": round(seconds / max(took, 1e-9), 2),
            }
        )
        return
    for result in results:
        say(f"{result.output}")
    speed = seconds / max(took, 1e-9)
    say(f"{seconds:.1f} s of sound in {took:.1f} s ({speed:.1f} times real time), model {model.name}")
