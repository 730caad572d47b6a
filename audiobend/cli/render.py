"""``audiobend render``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiobend.cli.screen import progress_bar, say, show_json
from audiobend.errors import AudiobendError, AudioError, PatchError

if TYPE_CHECKING:
    from audiobend.bending import Patch
    from audiobend.engine import Settings
    from audiobend.networks.model import Model
    from audiobend.rendering import Rendered


class Quality(StrEnum):
    """How much work goes into the phases."""

    fast = "fast"
    default = "default"
    best = "best"


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
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="BEND/PARAM=VALUE", help="Change a value of the patch.")
    ] = None,
    phase: Annotated[Phase, typer.Option(help="Where phases come from.")] = Phase.auto,
    quality: Annotated[Quality, typer.Option(help="How much work goes into the phases.")] = Quality.default,
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

    jobs = _jobs(sounds, out_dir, format_.value if format_ else None)
    _refuse_bad_names(jobs, overwrite, plot)
    the_patch = _patch(patch, set_ or [], {"mix": mix, "detail": detail, "gain_db": gain_db}, seed)
    the_model = load_model(model)
    settings = _settings(quality, phase, iterations, the_patch.seed)
    begun = perf_counter()
    results = _run(jobs, the_model, the_patch, settings, variations, out_dir, quiet=json_)
    took = perf_counter() - begun
    if plot:
        from audiobend.plot import plot_render

        plot_render(plot, results[0].input, results[0].output, the_model, settings)
    _tell(results, took, the_model, the_patch, json_)


def _jobs(sounds: list[Path], out_dir: Path | None, format: str | None) -> list[tuple[Path, Path]]:
    """Pair every input with its output."""
    from audiobend.rendering import output_path

    if out_dir is not None and out_dir.exists() and not out_dir.is_dir():
        raise AudioError(f"{out_dir}: is a file, not a folder; give --out-dir a folder")
    if len(sounds) == 2 and out_dir is None:
        return [(sounds[0], _named(sounds[1], format))]
    jobs = [(source, output_path(source, out_dir, format)) for source in sounds]
    names = [target for _, target in jobs]
    for name in names:
        if names.count(name) > 1:
            raise AudioError(f"{name}: two of the inputs would be written to this name; render them into two folders")
    return jobs


def _named(target: Path, format: str | None) -> Path:
    """Return OUT with an ending, where only --format says what it is to be."""
    if format is None or target.suffix.lower() == f".{format}":
        return target
    if target.suffix:
        raise AudioError(f"{target}: the name says {target.suffix[1:]} but --format says {format}; give one of them")
    return target.with_suffix(f".{format}")


def _refuse_bad_names(jobs: list[tuple[Path, Path]], overwrite: bool, plot: Path | None) -> None:
    """Look before the work begins: no input is overwritten, nor a stranger's sound."""
    from audiobend.io.audiofile import format_of, written_by_audiobend
    from audiobend.io.files import check_not_an_input
    from audiobend.plot import check_plot_name

    sources = [source for source, _ in jobs]
    for source, target in jobs:
        if not source.exists():
            raise AudioError(f"{source}: there is no such file")
        check_not_an_input(target, sources, AudioError)
        format_of(target)
        if target.is_file() and not overwrite and not written_by_audiobend(target):
            raise AudioError(f"{target}: exists and was not written by audiobend; add --overwrite to replace it")
    if plot:
        check_plot_name(plot)
        check_not_an_input(plot, sources, AudioError)


def _patch(path: Path | None, changes: list[str], output: dict[str, Any], seed: int | None) -> "Patch":
    from dataclasses import replace

    from audiobend.bending import Patch
    from audiobend.io.patchfile import load_patch

    patch = load_patch(path) if path else Patch()
    for change in changes:
        target, equals, value = change.partition("=")
        if not equals:
            raise PatchError(f"--set {change}: needs BEND/PARAM=VALUE, such as fog/radius=3")
        patch = patch.set(target, _value(value))
    for name, number in output.items():
        if number is not None:
            patch = patch.set(f"output/{name}", number)
    return patch if seed is None else replace(patch, seed=seed)


def _value(text: str) -> Any:
    words = {"on": True, "true": True, "off": False, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            raise PatchError(f"--set: '{text}' is not a number, nor on or off") from None


def _settings(quality: Quality, phase: Phase, iterations: int | None, seed: int) -> "Settings":
    from audiobend.engine import Settings

    return Settings(quality=quality.value, phase=phase.value, iterations=iterations, seed=seed)


def _run(
    jobs: list[tuple[Path, Path]],
    model: "Model",
    patch: "Patch",
    settings: "Settings",
    variations: int | None,
    out_dir: Path | None,
    quiet: bool,
) -> list["Rendered"]:
    from audiobend.rendering import render_file
    from audiobend.variations import render_variations

    plan = model.resolve(patch)
    results = []
    for source, target in jobs:
        with progress_bar(f"bending {source.name}", quiet) as advance:
            if variations:
                folder = out_dir or target.parent
                format = target.suffix.lower().lstrip(".")
                results += render_variations(source, folder, model, patch, variations, settings, format, advance)
            else:
                if out_dir:
                    make_folder(out_dir)
                results.append(render_file(source, target, model, plan, settings, advance))
    return results


def make_folder(folder: Path) -> None:
    """Make a folder, or say why not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudiobendError(f"{folder}: this folder cannot be made: {error.strerror}") from None


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
