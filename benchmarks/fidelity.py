"""How faithful a model is where nothing is bent, beside what one gets without any model.

    python benchmarks/fidelity.py FOLDER [--model NAME] [--json] [--check]

Measures the tracks in FOLDER that the model's card names as kept out of training (all tracks, where it names none of
them): 16 windows each, as training does at its end. Promise kept with --check: log-spectral distance and spectral
convergence better than the mean spectrum's and silence's.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from audiobend.io.modelbundle import load_model
from audiobend.train.dataset import find_sounds, load_tracks
from audiobend.train.evaluation import evaluate

COLUMNS = {
    "lsd_all": "LSD dB",
    "lsd_loud": "LSD loud",
    "sc": "conv.",
    "mel": "mel dB",
    "onset": "onset corr.",
    "bias": "bias dB",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.model)
    kept_out = set(model.card["training"].get("kept_out", []))
    sounds = find_sounds([options.folder])
    chosen = [sound for sound in sounds if sound.name in kept_out] or sounds
    figures = evaluate(model.network, model.codec, load_tracks(chosen), n_windows=16)
    names = [sound.name for sound in chosen]
    if options.json:
        print(json.dumps({"model": model.name, "tracks": names, "figures": figures}, indent=2))
    else:
        print(f"{model.name}, {len(names)} tracks: {', '.join(names)}")
        print(f"{'':16}" + "".join(f"{title:>12}" for title in COLUMNS.values()))
        for name, values in figures.items():
            print(f"{name:16}" + "".join(f"{values[key]:12.2f}" for key in COLUMNS))
    others = [figures["mean spectrum"], figures["silence"]]
    better = all(figures["model"][key] < other[key] for key in ("lsd_all", "sc") for other in others)
    if options.check and not better:
        sys.exit("a promise is broken: the model is no better than the mean spectrum or silence")


if __name__ == "__main__":
    main()
