"""How fast networks run live, on one thread: every width and backend, and how near backends are to each other.

    python benchmarks/inference.py [--quick] [--check] [--json]

Cost: milliseconds of processor time for a stride of the latency `balanced` (one window, with eight bends and without)
beside the network as it is trained, with call sites, and seconds of work for a second of sound, everything included.
Nearness: difference to the network on windows of music, bent, in dB. Promises kept with --check: the default model
plays `balanced` with eight bends on at most 45 % of a core; float32 backends are within 0.01 dB, others within 1 dB.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

from pathlib import Path

import soundfile as sf
import torch
from torch import Tensor

from audiobend.io.modelbundle import load_model
from audiobend.live_engine import LiveSettings
from audiobend.networks import bent
from audiobend.networks.backends import backend, worth_trying
from audiobend.networks.model import Model
from audiobend.spectral.stft import stft
from audiobend.speed import COMFORTABLE, cost, eight_bends, network_seconds, random_model

SOUNDS = Path(__file__).parents[1] / "examples" / "sounds"
SETTINGS = LiveSettings.profile("balanced", phase="rtisi")


def as_trained(model: Model) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Return a function that runs windows through the network itself, bent at its call sites, and unbent."""
    plan = model.resolve(eight_bends())
    network = model.bent_network(plan.patch)

    @torch.no_grad()
    def run(x: Tensor) -> tuple[Tensor, Tensor]:
        code = model.network.encode_mean(x)
        with bent(network, plan, torch.zeros(len(x), dtype=torch.float64)):
            return network.decode(code), model.network.decode(code)

    return run


def least_seconds(work: Callable[[], object], rounds: int = 8) -> float:
    """Return the least processor time of some rounds."""
    spent = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        spent.append(time.process_time() - before)
    return min(spent)


def costs(models: dict[str, Model], seconds: float) -> dict[str, dict[str, list[float]]]:
    """Return milliseconds for each stride, and the load of all, by model and backend."""
    table: dict[str, dict[str, list[float]]] = {}
    for label, model in models.items():
        run, x = as_trained(model), torch.randn(1, 1, 128, 513, generator=torch.Generator().manual_seed(0))
        row = {"as trained": [1000 * least_seconds(lambda run=run, x=x: run(x))]}
        for name in worth_trying():
            one = backend(name, model)
            network = 1000 * min(network_seconds(one, model, SETTINGS) for _ in range(2))
            row[name] = [network, min(cost(model, SETTINGS, one, seconds).load for _ in range(2))]
        table[label] = row
    return table


def music_windows(model: Model, n: int) -> Tensor:
    """Return windows of two example sounds, ``(n, 1, 128, 513)``."""
    found = []
    for name in ("next_to_you", "harvest_food"):
        samples, _ = sf.read(SOUNDS / f"{name}.flac", dtype="float32", always_2d=True)
        spectrum = stft(torch.from_numpy(samples[:, :1].T.copy())).abs()
        columns = model.codec.normalise(model.codec.to_db(spectrum, float(spectrum.max())))
        found += [columns[:, :, first : first + 128].mT for first in range(0, columns.shape[-1] - 128, 101)]
    return torch.stack(found)[:: max(1, len(found) // n)][:n]


def nearness(model: Model, n: int) -> dict[str, tuple[float, float]]:
    """Return rms and greatest difference in dB to the network as trained, bent and unbent together."""
    x, run, plan = music_windows(model, n), as_trained(model), model.resolve(eight_bends())
    found = {}
    for name in worth_trying():
        one = backend(name, model)
        error = torch.cat([
            torch.cat(one.reconstruct(part, plan, torch.zeros(1, dtype=torch.float64))) - torch.cat(run(part))
            for part in x.split(1)
        ]) * model.codec.scale_db
        found[name] = (float(error.square().mean().sqrt()), float(error.abs().max()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the default model alone, less sound")
    parser.add_argument("--check", action="store_true", help="exit with 1 unless the promises are kept")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    default = load_model()
    models = {f"{default.name} ({default.network.width:g})": default}
    if not options.quick:
        models |= {f"random weights ({width:g})": random_model(width) for width in (0.5, 1.0)}
    table = costs(models, 1.0 if options.quick else 4.0)
    near = nearness(default, 4 if options.quick else 24)
    if options.json:
        print(json.dumps({"costs": table, "nearness_db": near}, indent=2))
    else:
        show(table, near)
    load = min(values[1] for name, values in table[next(iter(table))].items() if name != "as trained")
    is_near = all(most < (1.0 if name.endswith("bf16") else 0.01) for name, (_, most) in near.items())
    if options.check and not (load <= COMFORTABLE and is_near):
        sys.exit("a promise is broken: 45 % of a core for balanced, 0.01 dB in float32, 1 dB in bfloat16")


def show(table: dict[str, dict[str, list[float]]], near: dict[str, tuple[float, float]]) -> None:
    """Print both tables."""
    print("model (width)              network as         network ms    load, all included")
    for label, row in table.items():
        for name, values in row.items():
            load = f"{values[1]:18.2f}" if len(values) > 1 else ""
            print(f"{label:26} {name:16} {values[0]:12.1f} {load}")
    print("difference to the network on music, dB      rms        most")
    for name, (rms, most) in near.items():
        print(f"  {name:32} {rms:12.5f} {most:11.5f}")


if __name__ == "__main__":
    main()
