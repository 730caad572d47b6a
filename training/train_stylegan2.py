"""Train a small StyleGAN2 on a folder of pictures, or of sound, whose spectrogram becomes coloured tiles.

    python training/train_stylegan2.py FOLDER... --out models/mine --minutes 70
    python training/train_stylegan2.py FOLDER... --out models/mine --minutes 140 --resume
    python training/train_stylegan2.py FOLDER... --smoke-test

Bend it then as any other model: `audiobend image generate --model models/mine`. In the folder are also the checkpoint,
`samples.png` (what it paints, every two minutes), `real.png` (what it should) and a log for TensorBoard.

What is trained (Karras et al., 2020): generator and critic by the logistic loss that does not saturate, with the
gradient penalty R1 and the path length penalty every few steps, codes that are crossed between levels, adaptive changes
to pictures where the critic learns them by heart, and Adam; what is kept is a moving average of the generator.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from audiobend.errors import AudiobendError
from audiobend.train_pictures.recipe import PRECISIONS, PictureRecipe
from audiobend.train_pictures.session import train
from audiobend.train_pictures.trainer import Progress as Done

SMOKE = {"features": (8, 8, 8, 8, 8), "critic_features": (8, 8, 8, 8, 8), "batch_size": 4, "path_every": 1}
EVERY = 200
"""Steps between two lines where the screen is a file."""


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    recipe = _recipe(options)
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=Console()) as screen:
        task = screen.add_task("reading", total=1.0)

        def on_step(done: Done, share: float) -> None:
            words = (
                f"{done.images / 1000:.1f} thousand pictures · generator {done.generator_loss:.2f} · "
                f"critic {done.critic_loss:.2f} · changed {done.probability:.2f}"
            )
            screen.update(task, completed=share, description=words)
            if not screen.console.is_terminal and done.step % EVERY == 0:
                penalties = f"r1 {done.r1:.3f} · path {done.path_length:.3f}"
                print(f"{done.seconds / 60:.1f} min · {words} · {penalties}", flush=True)

        report = screen.console.print
        if options.smoke_test:
            _smoke_test(options.folders, recipe, on_step)
            report("data, steps, penalties, checkpoint, resuming and bundle work")
            return
        train(options.folders, options.out, recipe, options.resume, report, on_step, device=options.device)
        report(f"wrote {options.out}; clusters: audiobend cluster {options.out}")


def _smoke_test(folders: list[Path], recipe: PictureRecipe, on_step: Callable[[Done, float], None]) -> None:
    """Train two steps, go on for two more, write the bundle: on the first few files only, with tiny networks."""
    tiny = replace(recipe, **SMOKE, images=8, minutes=None)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "smoke"
        train(folders, out, tiny, report=lambda _: None, on_step=on_step, most=2)
        longer = replace(tiny, images=16)
        train(folders, out, longer, resume=True, report=lambda _: None, on_step=on_step, most=2)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--out", type=Path)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float)
    length.add_argument("--images", type=int, help="or: how many pictures are shown")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--smoke-test", action="store_true", help="run every part once, in seconds")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--r1", type=float)
    parser.add_argument("--features", help="of the generator from 4 pixels upwards: 128,128,128,64,32 paints 64 pixels")
    parser.add_argument("--critic-features")
    parser.add_argument("--precision", choices=PRECISIONS)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    if options.out is None and not options.smoke_test:
        parser.error("give the new model's folder with --out, such as --out models/mine")
    return options


def _recipe(options: argparse.Namespace) -> PictureRecipe:
    names = ("seed", "batch_size", "learning_rate", "r1", "precision")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    for name in ("features", "critic_features"):
        if words := getattr(options, name):
            given[name] = tuple(int(word) for word in words.split(","))
    if options.images is not None or options.minutes is not None:
        given |= {"images": options.images, "minutes": options.minutes}
    return PictureRecipe(**given)


if __name__ == "__main__":
    try:
        main()
    except AudiobendError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
