"""What each layer does when a random quarter of its features is bent, on real music.

    python benchmarks/layers.py [--model NAME] [--sound FILE]... [--plot FILE.png] [--json] [--check]

Every bend is rendered on its own and compared with the unbent output, and with the same bend in the other layers, over
the bins that can be heard in one of the two (above -60 dB).
Promises kept with --check, for `ablate`: every layer of 1 to 4 changes the sound by at least 3 dB rms, every two of
them sound at least 3 dB rms apart, and no two do the same thing in different strength (the cosine between their
changes, over all bins, is under 0.8). A model whose layers are dead fails the first, one whose layers are all volume
knobs the last.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import audiobend as ab
from audiobend.bending import Random
from audiobend.io.files import MARK
from audiobend.networks.model import Model
from audiobend.plot import plot_spectrograms
from audiobend.spectral import stft
from audiobend.train.metrics import LOUD_DB, fidelity

LAYERS = (1, 2, 3, 4)
BENDS: Mapping[str, dict[str, float]] = {"ablate": {}, "dilate": {"radius": 2}, "scalar-multiply": {"factor": 2}}
QUARTER, SEEDS = 0.25, (1, 2, 3)
SECONDS = 6.0
LEAST_DB, MOST_ALIKE = 3.0, 0.8
SOUNDS = [Path(__file__).parents[1] / "examples" / "sounds" / f"{name}.flac"
          for name in ("next_to_you", "harvest_food", "pressure")]


@dataclass(frozen=True)
class Change:
    """What a bend did to sounds, mean over sounds and seeds."""

    rms_db: float
    level_db: float
    centroid_khz: float
    onset: float


@dataclass(frozen=True)
class Result:
    """Changes by transform and layer; how far apart and how alike the layers' ablations are; their spectrograms."""

    changes: dict[str, dict[int, Change]]
    apart_db: dict[tuple[int, int], float]
    alike: dict[tuple[int, int], float]
    spectrograms: dict[str, Tensor]


def measure(model: Model, paths: Sequence[Path]) -> Result:
    """Render every bend in every layer with every seed, of every sound."""
    of_sounds = [_measure_one(model, path) for path in paths]
    changes = {
        name: {layer: _mean_change([changes[name, layer] for changes, _, _ in of_sounds]) for layer in LAYERS}
        for name in BENDS
    }
    pairs = {pair: np.mean([found[pair] for _, found, _ in of_sounds], axis=0).tolist() for pair in of_sounds[0][1]}
    return Result(
        changes, {pair: db for pair, (db, _) in pairs.items()}, {pair: alike for pair, (_, alike) in pairs.items()},
        of_sounds[0][2],
    )


Pairs = dict[tuple[int, int], tuple[float, float]]


def _measure_one(model: Model, path: Path) -> tuple[dict[tuple[str, int], Change], Pairs, dict[str, Tensor]]:
    waveform, rate = ab.read_audio(path)
    mono = waveform.mean(0)[: int(SECONDS * rate)]
    unbent = _render(mono, rate, model, ab.Patch())
    reference = float(stft(unbent).abs().max())
    plain_db = decibels(unbent, reference)
    changes: dict[tuple[str, int], Change] = {}
    ablated: dict[int, list[Tensor]] = {}
    for name, params in BENDS.items():
        for layer in LAYERS:
            patches = [ab.Patch(seed=seed).add(layer, name, params, features=Random(QUARTER)) for seed in SEEDS]
            sounds = [_render(mono, rate, model, patch) for patch in patches]
            maps = [decibels(sound, reference) for sound in sounds]
            found = [change(plain_db, db, unbent, sound) for db, sound in zip(maps, sounds, strict=True)]
            changes[name, layer] = _mean_change(found)
            if name == "ablate":
                ablated[layer] = maps
    rows = {"unbent": plain_db.T} | {f"layer {n}: a quarter ablated": ablated[n][0].T for n in LAYERS}
    pairs = {pair: _compare(plain_db, ablated, *pair) for pair in combinations_with_replacement(LAYERS, 2)}
    return changes, pairs, rows


def _render(mono: Tensor, rate: int, model: Model, patch: ab.Patch) -> Tensor:
    return ab.render(mono, rate, model=model, patch=patch, settings=ab.Settings(quality="fast"))


def _mean_change(changes: Sequence[Change]) -> Change:
    return Change(*np.mean([list(vars(one).values()) for one in changes], axis=0).tolist())


def _compare(plain_db: Tensor, ablated: dict[int, list[Tensor]], a: int, b: int) -> tuple[float, float]:
    """Return how far apart two layers' results are and how alike their changes; of one layer, two seeds'."""
    others = ablated[b] if a != b else [*ablated[b][1:], ablated[b][0]]
    both = list(zip(ablated[a], others, strict=True))
    apart = [_apart_db(x, y) for x, y in both]
    alike = [_cosine(plain_db, x, y) for x, y in both]
    return float(np.mean(apart)), float(np.mean(alike))


def decibels(waveform: Tensor, reference: float) -> Tensor:
    """Return columns ``(time, 513)`` of dB, floored at -80."""
    return 20 * (stft(waveform).abs().T / reference).clamp(min=1e-4).log10()


def change(plain_db: Tensor, bent_db: Tensor, plain: Tensor, bent: Tensor) -> Change:
    """Compare a bent sound with the unbent one."""
    level = 10 * torch.log10(bent.square().mean().clamp(min=1e-12) / plain.square().mean())
    centroids = [_centroid_khz(db) for db in (bent_db, plain_db)]
    return Change(
        _apart_db(bent_db, plain_db), float(level), centroids[0] - centroids[1], fidelity(plain_db, bent_db)["onset"]
    )


def _centroid_khz(db: Tensor) -> float:
    power = (10 ** (db.double() / 10)).sum(0)
    return float((power * torch.arange(513)).sum() / power.sum() * 44.1 / 1024)


def _apart_db(x: Tensor, y: Tensor) -> float:
    """Return the rms difference over bins that can be heard in either sound."""
    heard = torch.maximum(x, y) > LOUD_DB
    return float((x - y)[heard].double().square().mean().sqrt()) if heard.any() else 0.0


def _cosine(plain: Tensor, x: Tensor, y: Tensor) -> float:
    heard = torch.maximum(plain, torch.maximum(x, y)) > LOUD_DB
    x, y = (x - plain)[heard].double(), (y - plain)[heard].double()
    return float(x @ y / (x.norm() * y.norm()).clamp(min=1e-9))


def broken_promises(result: Result) -> list[str]:
    """Return what does not hold, a sentence each."""
    broken = [
        f"ablating a quarter of layer {layer} changes the sound by {one.rms_db:.1f} dB only"
        for layer, one in result.changes["ablate"].items()
        if not one.rms_db >= LEAST_DB
    ]
    for (a, b), db in result.apart_db.items():
        if a == b:
            continue    # there for comparison
        if not db >= LEAST_DB:
            broken.append(f"layers {a} and {b} sound {db:.1f} dB apart only")
        if not result.alike[a, b] < MOST_ALIKE:
            broken.append(f"layers {a} and {b} do the same thing (cosine {result.alike[a, b]:.2f})")
    return broken


def facts(result: Result) -> dict[str, Any]:
    """Return the figures as plain numbers, as a model's card keeps them."""
    changes = {
        " ".join([name, *(f"{value:g}" for value in BENDS[name].values())]): {
            layer: {key: round(value, 2) for key, value in vars(one).items()} for layer, one in of_layer.items()
        }
        for name, of_layer in result.changes.items()
    }
    pairs = {
        f"{a} and {b}" if a != b else f"{a}, other features":
        {"apart_db": round(db, 2), "cosine": round(result.alike[a, b], 2)}
        for (a, b), db in result.apart_db.items()
    }
    return {"changes": changes, "ablated": pairs}


def markdown(facts: Mapping[str, Any]) -> str:
    """Return two tables: what each bend does in each layer, and how layers differ."""
    lines = ["| bend | layer | change, dB rms | level, dB | centroid, kHz | onset correlation |", "|---" * 6 + "|"]
    for name, of_layer in facts["changes"].items():
        lines += [
            f"| {name} | {layer} | {one['rms_db']:.1f} | {one['level_db']:+.1f} | {one['centroid_khz']:+.2f} "
            f"| {one['onset']:.2f} |"
            for layer, one in of_layer.items()
        ]
    lines += ["", "| layers with a quarter ablated | apart, dB rms | cosine of their changes |", "|---" * 3 + "|"]
    lines += [f"| {name} | {pair['apart_db']:.1f} | {pair['cosine']:.2f} |" for name, pair in facts["ablated"].items()]
    return "\n".join(lines)


def text(facts: Mapping[str, Any]) -> str:
    """Return the same for a terminal."""
    lines = [f"{'':18}{'layer':>6}{'dB rms':>9}{'level dB':>10}{'centroid kHz':>14}{'onset corr.':>13}"]
    for name, of_layer in facts["changes"].items():
        lines += [
            f"{name:18}{layer:>6}{one['rms_db']:9.1f}{one['level_db']:+10.1f}{one['centroid_khz']:+14.2f}"
            f"{one['onset']:13.2f}"
            for layer, one in of_layer.items()
        ]
    lines.append("a quarter ablated: how far two layers' results are apart, and how alike their changes (cosine)")
    lines += [f"  {name:18}{pair['apart_db']:8.1f} dB{pair['cosine']:8.2f}" for name, pair in facts["ablated"].items()]
    return "\n".join(lines)


def draw(result: Result, path: Path, title: str) -> None:
    """Draw the unbent sound and each layer's ablation."""
    from PIL import Image, PngImagePlugin

    plot_spectrograms(path, result.spectrograms, title)
    with Image.open(path) as picture:    # in 255 colours: half the size, and no eye sees it
        small, marks = picture.convert("RGB").quantize(255), PngImagePlugin.PngInfo()
    marks.add_text("Software", MARK)
    small.save(path, optimize=True, pnginfo=marks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=None)
    parser.add_argument("--sound", type=Path, action="append")
    parser.add_argument("--plot", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = ab.load_model(options.model)
    sounds = options.sound or SOUNDS
    result = measure(model, sounds)
    if options.plot:
        draw(result, options.plot, f"{sounds[0].stem}, {model.name}")
    if options.json:
        print(json.dumps({"model": model.name, **facts(result)}, indent=2))
    else:
        print(f"{model.name}: {SECONDS:g} s of {', '.join(path.stem for path in sounds)}, mean of {len(SEEDS)} seeds")
        print(text(facts(result)))
    broken = broken_promises(result)
    if options.check and broken:
        sys.exit("a promise is broken: " + "; ".join(broken))


if __name__ == "__main__":
    main()
