"""How faithful a model is where nothing is bent, beside what one gets without any model.

    python benchmarks/fidelity.py FOLDER [--model NAME] [--check]

Prints what ``audiobend eval`` measures on the tracks in FOLDER that the model's card names as kept out of training
(all tracks, where it names none of them). Promises kept with --check: the default model's log-spectral distance is at
most 5.9 dB over all bins and 7.1 dB over loud ones, its spectral convergence at most 0.62, its mel distance at most
5.2 dB, its onset correlation at least 0.55; and every model is better than the mean spectrum, a wrong window and
silence in all of them.
"""

import argparse
import sys
from pathlib import Path

import torch

from audiobend.io.modelbundle import DEFAULT_MODEL, load_model
from audiobend.train.evaluation import Rows, choose, means, measure
from audiobend.train.metrics import FIGURES
from audiobend.train.report import text_table

BASELINES = ("mean spectrum", "wrong window", "silence")
TARGETS = {"lsd_all": 5.9, "lsd_loud": 7.1, "sc": 0.62, "mel": 5.2, "onset": 0.55}


def broken_promises(rows: Rows, is_default: bool) -> list[str]:
    """Return what does not hold, a sentence each."""
    broken = []
    for key, target in TARGETS.items():
        sign = -1 if FIGURES[key].best else 1    # correlations are to be high, distances low
        ours = rows["model"][key] * sign
        if is_default and not ours <= target * sign:
            broken.append(f"{key} is {rows['model'][key]:.2f}, not {target}")
        others = {name: rows[name][key] * sign for name in BASELINES if name in rows}
        broken += [f"{key} is no better than the {name}'s" for name, other in others.items() if not ours < other]
    return broken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=None)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.model)
    measured = [measure(model, sound) for sound in choose(model, [options.folder])]
    print(model.name)
    print(text_table(measured))
    broken = broken_promises(means(measured), model.name == DEFAULT_MODEL)
    if options.check and broken:
        sys.exit("a promise is broken: " + "; ".join(broken))


if __name__ == "__main__":
    main()
