"""A finished training as a bundle, with everything about it on its card."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from audiobend.errors import TrainingError
from audiobend.io.files import reason
from audiobend.io.modelbundle import find_model, save_model, weights_fingerprint
from audiobend.io.yamlfile import read_document
from audiobend.train.evaluation import Rows
from audiobend.train.latent import codes_of, principal_axes, standardise
from audiobend.train.loop import Trainer
from audiobend.train.music import Music
from audiobend.train.tracks import Track
from audiobend.train.watching import Watch, rounded

MOVES = 0.01
"""A latent whose variance over the music is less is not active."""


def write_bundle(
    trainer: Trainer, music: Music, out: Path, watch: Watch, report: Callable[[str], None]
) -> Rows:
    """Standardise the latent code of the averaged weights, measure them a last time, and write the bundle."""
    network, codec = trainer.averaged_network(), trainer.codec
    active = watch.active_latents(network)    # afterwards all latents are equally large
    codes = codes_of(network, codec, trainer.sampler.copy())
    standardise(network, codes)
    figures = watch.evaluate(trainer.progress, network, active).figures
    watch.log.close()
    spread = codes.var(0)
    axes = principal_axes((codes - codes.mean(0)) / codes.std(0).clamp(min=1e-4))
    power = axes.square().sum(1)
    facts: dict[str, Any] = {
        "training": _training(trainer, music),
        "metrics": {name: rounded(values) for name, values in figures.items()},
        "latent": {
            "active": int((spread > MOVES).sum()),
            "participation": round(float(power.sum() ** 2 / power.square().sum()), 1),
        },
    }
    try:
        save_model(out, network, codec, axes, facts)
    except (OSError, SafetensorError) as error:
        why = reason(error) if isinstance(error, OSError) else "the disk is full, or a file may not be this large"
        raise TrainingError(
            f"{out}: the model cannot be written: {why}; the checkpoint is whole, so make room and go on with --resume"
        ) from error
    report(f"wrote {out}")
    return figures


def _training(trainer: Trainer, music: Music) -> dict[str, Any]:
    recipe, progress = asdict(trainer.recipe), trainer.progress
    recipe = {name: list(value) if isinstance(value, tuple) else value for name, value in recipe.items()}
    facts = {
        "date": datetime.date.today().isoformat(),
        "folders": [folder.name for folder in music.folders],
        "tracks": len(music.training),
        "kept_out": [track.name for track in music.held_out],
        "trained_on": [track.name for track in music.training],
        "recipe": recipe,
        "steps": progress.step,
        "windows": progress.windows,
        "minutes": round(progress.seconds / 60, 1),
        "devices": f"{trainer.team.size} x {trainer.team.device.type}",
    }
    return facts | ({"started_from": ancestor(trainer.recipe.start_from)} if trainer.recipe.start_from else {})


def ancestor(name: str) -> dict[str, Any]:
    """Return what a card keeps of the model that training started from, its own ancestors included."""
    folder = find_model(name)
    card: Mapping[str, Any] = read_document(folder / "model.yaml", error=TrainingError, max_bytes=2**24)
    training: Mapping[str, Any] = card.get("training", {})
    kept = ("date", "steps", "windows", "minutes", "trained_on", "kept_out", "started_from")
    return {
        "model": folder.name,
        "fingerprint": weights_fingerprint(folder),
        "width": card["architecture"]["width"],
        **{key: training[key] for key in kept if key in training},
    }


def heard_before(name: str, tracks: Sequence[Track]) -> list[str]:
    """Return the tracks that a model was trained on, or one that it started from, as far as the cards say."""
    facts: Mapping[str, Any] | None = ancestor(name)
    known: set[str] = set()
    while facts:
        known |= set(facts.get("trained_on", []))
        facts = facts.get("started_from")
    return [track.name for track in tracks if track.name in known]
