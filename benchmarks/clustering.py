"""How long it takes to find clusters, how well features are told apart, and how firm the clusters are.

    python benchmarks/clustering.py                          time of training (from a few steps) and of one sound
    python benchmarks/clustering.py --check                  also exit with status 1 when a bound is broken
    python benchmarks/clustering.py --json                   one line of JSON for each row
    python benchmarks/clustering.py --folder MUSIC --seeds 2 train in full with two seeds and compare the clusters

Times are processor time of one thread for each layer, which is the clock's where a core is free for it, with
`--processes` layers at once; that of a whole training is worked out from a few steps. Networks for the time of one
sound are not trained, which makes no difference to it.

Bounds, for a quarter-width model on two cores: all four layers within 15 minutes, a sound of 10 s within 2 s.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import torch
from sklearn.metrics import adjusted_rand_score

from audiobend.clustering.maps import Grey, Pictures
from audiobend.clustering.metric import Trained, default_steps, embeddings, train
from audiobend.clustering.metric_network import MetricNetwork, depth_for, laid_out
from audiobend.clustering.of_sound import clusters_of_folder, clusters_of_one_sound
from audiobend.clustering.settings import SAMPLES, Settings, chosen_layers
from audiobend.io.modelbundle import load_model
from audiobend.networks.bendable import LayerSpec
from audiobend.networks.model import Model

SOUND = Path(__file__).parents[1] / "examples" / "sounds" / "next_to_you.flac"
TRAINING_MINUTES, ONE_SOUND_SECONDS = 15.0, 2.0
TIMED_SAMPLES = 20
GREY = Grey(-1.0, 4.0)
Row = dict[str, object]


def training(model: Model, timed_steps: int) -> Iterator[Row]:
    """Time a few steps of each layer's training, and embedding its features."""
    for spec in chosen_layers(model.network.layers(), Settings()):
        with tempfile.TemporaryDirectory() as folder:
            maps = noise(Path(folder) / "maps", spec)
            train(maps, 1, 0)    # warm
            begun = time.process_time()
            network = train(maps, timed_steps, 0)
            per_step = (time.process_time() - begun) / timed_steps
            begun = time.process_time()
            embeddings(network, maps)
            embedding = (time.process_time() - begun) * SAMPLES["metric"] / TIMED_SAMPLES
        steps = default_steps(depth_for(spec.height))
        yield {
            "layer": spec.name, "features": spec.n_features, "steps": steps, "ms per step": round(1000 * per_step, 1),
            "training s": round(steps * per_step), "embedding s": round(embedding, 1),
        }    # fmt: skip


def noise(path: Path, spec: LayerSpec) -> Pictures:
    """Write maps of noise, which take as long as any."""
    shape = (TIMED_SAMPLES, spec.n_features, spec.height, spec.width)
    path.write_bytes(np.random.default_rng(0).integers(0, 256, shape, np.uint8).tobytes())
    return Pictures(path, shape)


def in_all(rows: list[Row], processes: int) -> Row:
    """Minutes for all layers, the longest first, each in the process that is free first."""
    busy = [0.0] * processes
    times = (float(str(row["training s"])) + float(str(row["embedding s"])) for row in rows)
    for seconds in sorted(times, reverse=True):
        busy[busy.index(min(busy))] += seconds
    return {"what": f"all layers, {processes} at once", "minutes": round(max(busy) / 60, 1), "bound": TRAINING_MINUTES}


def one_sound(model: Model, repeats: int) -> Row:
    """Time the clustering of one sound; the least of several times."""
    networks = {
        spec.name: Trained(laid_out(MetricNetwork(spec.n_features, spec.height, spec.width)).eval(), GREY)
        for spec in chosen_layers(model.network.layers(), Settings())
    }
    seconds = []
    for _ in range(repeats):
        begun = time.process_time()
        clusters_of_one_sound(model, SOUND, Settings(), networks)
        seconds.append(time.process_time() - begun)
    return {"what": "one sound of 12 s", "seconds": round(min(seconds), 2), "bound": ONE_SOUND_SECONDS}


def firmness(model: Model, folder: Path, seeds: int, method: str, processes: int, steps: int | None) -> Iterator[Row]:
    """Find clusters with several seeds of everything, windows and networks too, and say how far they agree."""
    found = []
    for seed in range(seeds):
        begun = time.perf_counter()
        settings = Settings(method, seed=seed, processes=processes, steps=steps)
        clusters = clusters_of_folder(model, [folder], settings)[0].clusters
        found.append(clusters)
        minutes = round((time.perf_counter() - begun) / 60, 1)
        for layer, figures in clusters.made["figures"].items():
            yield {"layer": layer, "seed": seed, **figures, "minutes": minutes}
    for layer in found[0].layers if seeds > 1 else ():
        labels = [one.of_layer(layer).labels.numpy() for one in found]
        agreement = [adjusted_rand_score(a, b) for a, b in combinations(labels, 2)]
        yield {"layer": layer, "adjusted Rand index between seeds": round(float(np.mean(agreement)), 3)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="corpus-quarter")
    parser.add_argument("--steps", type=int, default=20, help="steps to be timed")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="train on this music, in full")
    parser.add_argument("--training-steps", type=int, help="with --folder: of each layer")
    parser.add_argument("--method", default="metric")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.model)

    def show(row: Row) -> None:
        words = ", ".join(f"{name} {value}" for name, value in row.items())
        print(json.dumps(row) if options.json else words, flush=True)

    if options.folder:
        for row in firmness(
            model, options.folder, options.seeds, options.method, options.processes, options.training_steps
        ):
            show(row)
        return 0
    rows = []
    for row in training(model, options.steps):
        rows.append(row)
        show(row)
    bounded = [in_all(rows, options.processes), one_sound(model, options.repeats)]
    for row in bounded:
        show(row)
    broken = [row for row in bounded if float(str(row.get("minutes", row.get("seconds")))) > float(str(row["bound"]))]
    return 1 if options.check and broken else 0


if __name__ == "__main__":
    sys.exit(main())
