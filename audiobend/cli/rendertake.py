"""``audiobend render --take``: a recorded performance, at any quality."""

from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, cast

from audiobend.cli.outputs import Outputs, make_folder
from audiobend.cli.screen import progress_bar, say, show_json
from audiobend.errors import TakeError

if TYPE_CHECKING:
    from audiobend.io.takefile import Take
    from audiobend.networks.model import Model
    from audiobend.rendering import Rendered
    from audiobend.spectral.rephase import PhaseSource, Quality


def render_take(
    outputs: Outputs,
    path: Path,
    model: str | None,
    quality: str,
    phase: str,
    iterations: int | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Render sounds by a take, and tell what came of it."""
    from audiobend.io.modelbundle import load_model
    from audiobend.io.takereading import load_take
    from audiobend.io.yamlfile import named

    take = load_take(path)
    the_model = load_model(model or take.head.model, clusters=None if model else take.head.clusters)
    if take.head.fingerprint != the_model.fingerprint and model is None:
        raise TakeError(
            f"{path}: was played with another model of the name {take.head.model}; name one with --model to render it"
        )
    if quality == "live" and model is not None:
        raise TakeError("--quality live plays the take's own model; leave out --model")
    for source, _ in outputs.sounds:
        _warn(take, source, as_json)
    if folder:
        make_folder(folder)
    begun = perf_counter()
    results = named(
        path, lambda: _rendered(outputs, take, the_model, quality, phase, iterations, as_json), error=TakeError
    )
    _tell(results, perf_counter() - begun, take, the_model, path, as_json)


def _rendered(
    outputs: Outputs, take: "Take", model: "Model", quality: str, phase: str, iterations: int | None, quiet: bool
) -> list["Rendered"]:
    from audiobend.course import timeline
    from audiobend.engine import Settings
    from audiobend.live.replay import replay_file
    from audiobend.rendering import render_file

    results = []
    for source, target in outputs.sounds:
        with progress_bar(f"playing {source.name}", quiet) as advance:
            if quality == "live":
                results.append(replay_file(take, source, target, advance))
                continue
            words = (cast("Quality", quality), cast("PhaseSource", phase))
            settings = Settings(*words, iterations=iterations, seed=take.head.patch.seed)
            results.append(render_file(source, target, model, timeline(take, model), settings, advance))
    return results


def _warn(take: "Take", source: Path, quiet: bool) -> None:
    from audiobend.io.takefile import track_of

    played = take.head.track
    if not quiet and played is not None and replace(track_of(source), name=played.name) != played:
        say(f"{source}: is not the sound of this take, which is {played.name}; its gestures are played over it")


def _tell(
    results: list["Rendered"], took: float, take: "Take", model: "Model", path: Path, as_json: bool
) -> None:
    from audiobend.io.takefile import Gesture

    seconds = sum(result.seconds for result in results)
    gestures = sum(isinstance(line, Gesture) for line in take.lines)
    if as_json:
        files = [
            {"input": str(one.input), "output": str(one.output), "seconds": round(one.seconds, 3),
             "sample_rate": one.sample_rate, "channels": one.channels}
            for one in results
        ]
        show_json({
            "files": files, "take": str(path), "gestures": gestures, "model": model.name,
            "fingerprint": model.fingerprint, "seed": take.head.patch.seed, "took_seconds": round(took, 3),
            "times_real_time": round(seconds / max(took, 1e-9), 2),
        })
        return
    for one in results:
        say(f"{one.output}")
    speed = seconds / max(took, 1e-9)
    say(f"{seconds:.1f} s of sound, {gestures} gestures, in {took:.1f} s ({speed:.1f} times real time)")
