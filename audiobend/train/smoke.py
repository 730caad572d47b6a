"""Every part of a training, once and in seconds, before hours are given to it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from audiobend.bending import Patch, Random
from audiobend.clustering.activation import add_clusters
from audiobend.io.modelbundle import load_model
from audiobend.rendering import render_file
from audiobend.train.distributed import Team
from audiobend.train.recipe import Recipe
from audiobend.train.session import train
from audiobend.train.sounds import find_sounds
from audiobend.train.watching import cut

SOUNDS = 4
WINDOWS = 4
"""In a batch, per process."""
STEPS = 2


def smoke_test(folders: Sequence[Path], out: Path, recipe: Recipe, team: Team, report: Callable[[str], None]) -> None:
    """Train with both optimisers, save, resume, write bundle and clusters, and render; on the first few sounds only.

    Parameters
    ----------
    out : Path
        Empty or not there; a bundle per optimiser is written into it.
    """
    sounds = find_sounds(folders)
    few = [sound.path for sound in sounds[:SOUNDS]]
    report(f"smoke test on {len(few)} of {len(sounds)} sounds, in {out}")
    for optimiser in ("muon", "adam"):
        short = recipe.changed({"optimiser": optimiser, "batch_size": WINDOWS * team.size, "steps": 1})
        bundle = out / optimiser
        train(few, bundle, short, report=lambda _: None, team=team)
        train(few, bundle, short.changed({"steps": STEPS}), resume=True, report=lambda _: None, team=team)
        report(f"{optimiser}: data, {STEPS} steps, evaluation, checkpoint, resuming and bundle work")
        team.first(partial(_hear, bundle, few))
        report(f"{optimiser}: clusters and render work")


def _hear(bundle: Path, sounds: list[Path]) -> None:
    add_clusters(bundle, sounds)
    model = load_model(bundle)
    source, target = bundle / "smoke_input.wav", bundle / "smoke_output.wav"
    cut(sounds[0], source)
    render_file(source, target, model, model.resolve(Patch().add(3, "ablate", features=Random(0.25))))
