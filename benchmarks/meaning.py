"""Do clusters mean something? What ablating one changes, beside ablating as many random features of its layer.

    python benchmarks/meaning.py CORPUS [--model NAME] [--clusters FILE] [--permutations N] [--windows N]
                                 [--json] [--pictures FOLDER] [--check]

CORPUS holds the training music and the tracks that the model's card keeps out of training and of clustering. For every
cluster the training tracks make a prediction: which of eight targets (six bands, attacks, steady parts) it changes more
than the rest, compared with random sets of its size. On the tracks kept out the prediction is tested, in two ways:

- amount: by how many dB the target changes (mean absolute difference over bins that can be heard);
- share: that change over the mean of all eight, so that a set that is merely stronger gains nothing.

The permutation test deals the layer's features anew to clusters of the same sizes, lets every such cluster make its own
prediction from the same training music, and tests it on the same tracks. A layer's figure is the mean over its clusters
of how many standard deviations of random sets they lie above random sets' mean; its p is the share of permutations,
the real clusters counted as one of them, that reach as much.

It takes about 8 minutes of one core for a quarter-width model. With --check it fails where the share of fewer than half
of the layers beats chance (p < 0.05).
"""

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

import audiobend as ab
from audiobend.bending import Bend, Cluster, Indices, Patch
from audiobend.bending.features import Features, LayerName
from audiobend.clustering.descriptors import BANDS
from audiobend.clustering.hearing import Ear, Passage, passages
from audiobend.io.files import MARK
from audiobend.io.modelbundle import load_model
from audiobend.networks.model import Model
from audiobend.train.evaluation import is_among, kept_out
from audiobend.train.sounds import find_sounds

TARGETS = (*BANDS, "attacks", "steady")
PERMUTATIONS, WINDOWS, TRACKS = 60, 4, 12
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Row:
    """One cluster: what was predicted, and how it compares with random sets of its size on unheard tracks."""

    cluster: int
    label: str
    features: int
    target: str
    amount_db: float
    random_db: float
    random_sd: float
    amount_p: float
    share: float
    random_share: float
    share_p: float


@dataclass(frozen=True)
class LayerResult:
    """One layer: standard deviations above random sets, mean over clusters, and the permutation test's p."""

    layer: LayerName
    rows: list[Row]
    amount_z: float
    amount_p: float
    share_z: float
    share_p: float
    deals: np.ndarray
    """Amount and share of every deal, the real one first, ``(2, deal)``."""


def measure(
    model: Model, training: Sequence[Passage], unheard: Sequence[Passage], n_permutations: int, seed: int = 0
) -> list[LayerResult]:
    """Test every layer's clusters."""
    assert model.clusters is not None
    ears = Ear(model, training), Ear(model, unheard)
    random = np.random.default_rng(seed)
    results = []
    for layer in model.clusters.layers:
        print(f"layer {layer}, {n_permutations} permutations", file=sys.stderr, flush=True)
        results.append(_test_layer(model, ears, layer, n_permutations, random))
    return results


def _test_layer(
    model: Model, ears: tuple[Ear, Ear], layer: LayerName, n: int, random: np.random.Generator
) -> LayerResult:
    assert model.clusters is not None
    of_layer = model.clusters.of_layer(layer)
    labels = of_layer.labels.numpy()
    clusters = [k for k in range(of_layer.n_clusters) if (labels == k).any()]
    dealt = [labels, *(random.permutation(labels) for _ in range(n))]    # the real clusters come first
    # (deal, cluster, training or unheard, target)
    changes = np.array([
        [[_targets(model, ear, layer, Indices(tuple(np.flatnonzero(deal == k).tolist()))) for ear in ears]
         for k in clusters]
        for deal in dealt
    ])
    amounts, shares = changes, changes / np.maximum(changes.mean(-1, keepdims=True), 1e-9)
    target = _scores(shares)[:, :, 0].argmax(-1)    # predicted from training tracks alone
    amount_z, share_z = (np.take_along_axis(_scores(one)[:, :, 1], target[..., None], -1)[..., 0]
                         for one in (amounts, shares))
    rows = [
        _row(of_layer, k, index, int(target[0, index]), amounts[:, index, 1], shares[:, index, 1])
        for index, k in enumerate(clusters)
    ]
    amount_p, share_p = (_p_value(z.mean(1)) for z in (amount_z, share_z))
    deals = np.stack([amount_z.mean(1), share_z.mean(1)])
    return LayerResult(layer, rows, float(deals[0, 0]), amount_p, float(deals[1, 0]), share_p, deals)


def _targets(model: Model, ear: Ear, layer: LayerName, features: Features) -> list[float]:
    """Return how much ablating some features changes each target, in dB."""
    patch = Patch(bends=(Bend("one", layer, "ablate", {}, features),))
    return list(ear.profile(ear.decibels(model.resolve(patch))).targets().values())


def _scores(values: np.ndarray) -> np.ndarray:
    """Return standard deviations above the mean of the random sets; the first deal is not one of them."""
    return (values - values[1:].mean(0)) / np.maximum(values[1:].std(0), 1e-9)


def _p_value(statistic: np.ndarray) -> float:
    """Return the share of deals, the real one among them, that reach as much as the real one, which comes first."""
    return float((statistic >= statistic[0]).mean())


def _row(of_layer: Any, k: int, index: int, target: int, amounts: np.ndarray, shares: np.ndarray) -> Row:
    amount, share = amounts[:, target], shares[:, target]
    return Row(
        k, of_layer.label(k), int((of_layer.labels == k).sum()), TARGETS[target],
        float(amount[0]), float(amount[1:].mean()), float(amount[1:].std()), _p_value(amount),
        float(share[0]), float(share[1:].mean()), _p_value(share),
    )


def facts(results: Sequence[LayerResult]) -> list[dict[str, Any]]:
    """Return the figures as plain numbers."""
    return [
        {**vars(one), "rows": [vars(row) for row in one.rows], "deals": one.deals.round(4).tolist()} for one in results
    ]


def together(results: Sequence[LayerResult]) -> tuple[float, float, float, float]:
    """Return what a layer's row says, for all layers together: deals of different layers belong to no pair."""
    amount, share = np.mean([one.deals for one in results], axis=0)
    return float(amount[0]), _p_value(amount), float(share[0]), _p_value(share)


def markdown(results: Sequence[LayerResult]) -> str:
    """Return a table of clusters, and one of layers."""
    lines = [
        "| layer | cluster | features | predicted from training tracks | its change on unheard tracks, dB "
        "| as many random features, dB | p | its share | random | p |",
        "|---" * 10 + "|",
    ]
    for one in results:
        lines += [
            f"| {one.layer} | {row.cluster}: {row.label} | {row.features} | {row.target} | {row.amount_db:.2f} "
            f"| {row.random_db:.2f} ± {row.random_sd:.2f} | {row.amount_p:.2f} | {row.share:.2f} "
            f"| {row.random_share:.2f} | {row.share_p:.2f} |"
            for row in one.rows
        ]
    lines += ["", "| layer | amount: sd above random sets | p | share: sd above random sets | p |", "|---" * 5 + "|"]
    lines += [
        f"| {one.layer} | {one.amount_z:+.2f} | {one.amount_p:.3f} | {one.share_z:+.2f} | {one.share_p:.3f} |"
        for one in results
    ]
    amount_z, amount_p, share_z, share_p = together(results)
    lines.append(f"| all | {amount_z:+.2f} | {amount_p:.3f} | {share_z:+.2f} | {share_p:.3f} |")
    return "\n".join(lines)


def broken_promises(results: Sequence[LayerResult]) -> list[str]:
    """Return what does not hold, a sentence each."""
    better = [one.layer for one in results if one.share_p < SIGNIFICANT]
    if len(better) * 2 < len(results) or not better:
        named = ", ".join(map(str, better)) or "none"
        return [f"clusters beat random sets in fewer than half of the layers ({named} of {len(results)})"]
    return []


def find_examples(model: Model, training: Sequence[Passage]) -> dict[str, tuple[LayerName, int]]:
    """Return the cluster that is most about attacks, and the one most about the low or middle bands, of all layers."""
    assert model.clusters is not None
    ear = Ear(model, training)
    attacks: dict[tuple[LayerName, int], float] = {}
    low: dict[tuple[LayerName, int], float] = {}
    for layer, of_layer in model.clusters.layers.items():
        for k in range(of_layer.n_clusters):
            if not len(of_layer.features_of(k)):
                continue
            found = dict(zip(TARGETS, _targets(model, ear, layer, Cluster((k,))), strict=True))
            if max(found.values()) < 1:
                continue    # too weak to be heard in a picture
            attacks[layer, k] = found["attacks"] / max(found["steady"], 1e-9)
            rest = np.mean([found[band] for band in ("presence", "high", "air")])
            low[layer, k] = float(np.mean([found[band] for band in ("bass", "low", "mid")]) / max(rest, 1e-9))
    return {"transients": max(attacks, key=lambda key: attacks[key]), "low_band": max(low, key=lambda key: low[key])}


def draw(path: Path, model: Model, layer: LayerName, cluster: int, sound: Path, seconds: float = 6.0) -> None:
    """Draw a sound unbent, with a cluster ablated, with as many random features ablated, and both differences."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from PIL import Image, PngImagePlugin

    from audiobend.io.files import write_atomically
    from audiobend.plot import BACKGROUND, INK

    assert model.clusters is not None
    one = model.clusters.of_layer(layer)
    chosen = np.random.default_rng(1).choice(one.n_features, len(one.features_of(cluster)), replace=False)
    sets: dict[str, Features | None] = {
        "nothing bent": None,
        f"layer {layer}, cluster {cluster} ablated: {one.label(cluster)}": Cluster((cluster,)),
        f"{len(chosen)} random features of layer {layer} ablated": Indices(tuple(sorted(chosen.tolist()))),
    }
    pictures = {name: _spectrogram(model, layer, features, sound, seconds) for name, features in sets.items()}
    unbent = pictures["nothing bent"]
    changes = {f"difference: {name}": db - unbent for name, db in list(pictures.items())[1:]}
    rows = [*pictures.items(), *changes.items()]
    style = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK)
    with plt.rc_context(style), write_atomically(path) as temporary:
        figure, axes = plt.subplots(
            len(rows), 1, figsize=(11, 9.5), sharex=True, facecolor=BACKGROUND, layout="constrained"
        )
        times, hertz = np.arange(unbent.shape[1]) * 256 / 44100, np.arange(1, 513) * 44.1 / 1024
        for axis, (name, db) in zip(axes, rows, strict=True):
            cmap, low, high = ("RdBu_r", -12, 12) if name in changes else ("magma", -80, 0)
            mesh = axis.pcolormesh(
                times, hertz, db[1:], shading="nearest", rasterized=True, cmap=cmap, vmin=low, vmax=high
            )
            axis.set(yscale="log", ylim=(0.05, 22.05), ylabel="kHz")
            axis.set_yticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
            axis.set_title(name, loc="left", fontsize=10)
            figure.colorbar(mesh, ax=axis, label="dB", pad=0.01)
        axes[-1].set_xlabel("seconds")
        figure.suptitle(f"{sound.stem}, {model.name}", fontsize=11)
        figure.savefig(temporary, dpi=90, facecolor=BACKGROUND)
        plt.close(figure)
        with Image.open(temporary) as picture:
            small, marks = picture.convert("RGB").quantize(255, kmeans=2), PngImagePlugin.PngInfo()
        marks.add_text("Software", MARK)
        small.save(temporary, "PNG", optimize=True, pnginfo=marks)


def _spectrogram(
    model: Model, layer: LayerName, features: Features | None, sound: Path, seconds: float
) -> np.ndarray:
    """Return dB below the loudest bin of the whole passage, ``(513, column)``, floored at -80."""
    waveform, rate = ab.read_audio(sound)
    first = max(0, waveform.shape[-1] // 2 - int(seconds * rate) // 2)
    passage = waveform.mean(0)[first : first + int(seconds * rate)]
    patch = Patch() if features is None else Patch(bends=(Bend("one", layer, "ablate", {}, features),))
    bent = ab.render(passage, rate, model=model, patch=patch)
    loudest = ab.spectral.stft(ab.render(passage, rate, model=model)).abs().max()
    return np.asarray((20 * (ab.spectral.stft(bent).abs() / loudest).clamp(min=1e-4).log10()).numpy())


def split(model: Model, corpus: Path) -> tuple[list[Path], list[Path]]:
    """Return training tracks and tracks kept out."""
    names = kept_out(model)
    sounds = find_sounds([corpus])
    unheard = [sound.path for sound in sounds if is_among(sound, names)]
    training = [sound.path for sound in sounds if not is_among(sound, names)]
    if not unheard or not training:
        sys.exit(f"{corpus} must hold training tracks, and some of those that {model.name} keeps out: {names}")
    return training, unheard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--model", default=None)
    parser.add_argument("--clusters", type=Path, default=None)
    parser.add_argument("--permutations", type=int, default=PERMUTATIONS)
    parser.add_argument("--windows", type=int, default=WINDOWS, help="of each track kept out")
    parser.add_argument("--pictures", type=Path, default=None)
    parser.add_argument("--picture-sound", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")    # of files that end early
    model = load_model(options.model, clusters=options.clusters)
    training_tracks, unheard_tracks = split(model, options.corpus)
    training = passages(training_tracks, TRACKS, max(1, options.windows // 2), seed=1)
    if options.pictures:
        for name, (layer, cluster) in find_examples(model, training).items():
            sound = options.picture_sound or unheard_tracks[0]
            draw(options.pictures / f"cluster_{name}.png", model, layer, cluster, sound)
            print(f"{name}: layer {layer}, cluster {cluster}: {model.clusters.label(layer, cluster)}")    # type: ignore
        return
    unheard = passages(unheard_tracks, len(unheard_tracks), options.windows, seed=2)
    results = measure(model, training, unheard, options.permutations)
    if options.json:
        print(json.dumps({"model": model.name, "layers": facts(results)}, indent=2))
    else:
        about = f"{len(training)} training tracks, {len(unheard)} kept out, {options.permutations} permutations"
        print(f"{model.name}: {about}\n\n{markdown(results)}")
    broken = broken_promises(results)
    if options.check and broken:
        sys.exit("a promise is broken: " + "; ".join(broken))



if __name__ == "__main__":
    main()
