"""Give a model a smaller latent code: the strongest directions of the code it has.

    python training/slim.py MODEL FOLDER --latent 448 --out models/slim

FOLDER is the music the model was trained on (what its card keeps out stays out). The bundle's card and clusters are
made anew: `audiobend cluster` is not needed, the clusters come from the same music.
"""

import argparse
from pathlib import Path

from audiobend.clustering.activation import add_clusters
from audiobend.io.modelbundle import find_model, load_for_training, load_model, save_model
from audiobend.train.latent import codes_of, principal_axes, slimmed, standardise
from audiobend.train.sounds import find_sounds
from audiobend.train.tracks import load_tracks
from audiobend.train.windows import WindowSampler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--latent", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    network, codec = load_for_training(options.model)
    card = dict(load_model(options.model).card)
    kept_out = set(card["training"]["kept_out"])
    tracks = [track for track in load_tracks(find_sounds([options.folder], print), print) if track.name not in kept_out]
    slim = slimmed(network.eval(), codes_of(network, codec, WindowSampler(tracks, 32, seed=0)), options.latent)
    codes = codes_of(slim, codec, WindowSampler(tracks, 32, seed=1))
    standardise(slim, codes)
    axes = principal_axes((codes - codes.mean(0)) / codes.std(0))
    power = axes.square().sum(1)
    training = card["training"] | {"latent_before": network.n_latent}
    latent = {"active": options.latent, "participation": round(float(power.sum() ** 2 / power.square().sum()), 1)}
    save_model(options.out, slim, codec, axes, {"training": training, "metrics": card["metrics"], "latent": latent})
    add_clusters(options.out, [options.folder], report=print)
    print(f"{find_model(options.model).name}: {network.n_latent} latents, {options.out}: {options.latent}")


if __name__ == "__main__":
    main()
