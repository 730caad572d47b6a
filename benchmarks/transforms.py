"""Transforms on whole layers against the way of the original: OpenCV, one feature at a time.

    python benchmarks/transforms.py                 a table
    python benchmarks/transforms.py --check         also exit with status 1 when a bound is broken
    python benchmarks/transforms.py --json          one line of JSON for each row

The original splits the maps into features, takes each to numpy, bends it with OpenCV, and concatenates the
results. Both ways run in turns in one process, on the same number of threads; each time is the least of many.
"maps only" is the ratio to OpenCV's time without splitting and joining, and without keeping the results.

Bounds: 10 times as fast as the original at 512 features of 8 by 33, and nowhere slower.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

from audiobend.bending import apply_transform

VAE = [(512, 8, 33), (256, 17, 65), (128, 32, 129), (64, 64, 257)]
STYLEGAN2 = [
    (512, 4, 4),
    (512, 8, 8),
    (512, 16, 16),
    (512, 32, 32),
    (512, 64, 64),
    (256, 128, 128),
    (128, 256, 256),
    (64, 512, 512),
]
FAST_SHAPE, FAST_RATIO = (512, 8, 33), 10.0

Image = np.ndarray
Operation = Callable[[Image], Image]


def warp(matrix: Callable[[int, int], Image]) -> Operation:
    return lambda image: cv2.warpAffine(image, matrix(*image.shape), image.shape[::-1])


def turn(angle: float, k: float) -> Callable[[int, int], Image]:
    return lambda rows, columns: cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), angle, k)


def moved(x: float, y: float) -> Callable[[int, int], Image]:
    return lambda rows, columns: np.array([[1, 0, x * columns], [0, 1, y * rows]], np.float32)


def disc(operation: Callable[[Image, Image], Image], radius: int) -> Operation:
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return lambda image: operation(image, element)


CASES: list[tuple[str, list[float], Operation]] = [
    ("ablate", [], lambda image: image * 0),
    ("invert", [], lambda image: 1 - image),
    ("scalar-multiply", [1.5], lambda image: image * np.float32(1.5)),
    ("binary-thresh", [0.5], lambda image: cv2.threshold(image, 0.5, 1, cv2.THRESH_BINARY)[1]),
    ("flip-h", [], lambda image: cv2.flip(image, 1)),
    ("flip-v", [], lambda image: cv2.flip(image, 0)),
    ("translate", [0.1, 0.05], warp(moved(0.1, 0.05))),
    ("scale", [1.5], warp(turn(0, 1.5))),
    ("rotate", [30], warp(turn(30, 1))),
    *[("erode", [float(radius)], disc(cv2.erode, radius)) for radius in (1, 2, 3, 5)],
    *[("dilate", [float(radius)], disc(cv2.dilate, radius)) for radius in (1, 2, 3, 5)],
]


def original_way(x: Tensor, operation: Operation) -> Tensor:
    """Bend feature by feature, as the network-bending code of 2020 does."""
    bent = []
    for feature in torch.split(x, 1, dim=1):
        image = feature.squeeze(0).squeeze(0).numpy()
        bent.append(torch.from_numpy(operation(image))[None, None])
    return torch.cat(bent, dim=1)


def maps_only(x: Tensor, operation: Operation) -> None:
    for image in x[0].numpy():
        operation(image)


def race(ways: list[Callable[[], object]], seconds: float) -> list[float]:
    """The least time of each way in milliseconds; they take turns for about ``seconds``, 3 at least."""
    times: list[list[float]] = [[] for _ in ways]
    end = time.perf_counter() + seconds
    while len(times[0]) < 3 or time.perf_counter() < end:
        for way, taken in zip(ways, times, strict=True):
            start = time.perf_counter()
            way()
            taken.append(1000 * (time.perf_counter() - start))
    return [min(taken) for taken in times]


def measure(
    shape: tuple[int, int, int], case: tuple[str, list[float], Operation], seconds: float
) -> dict[str, object]:
    name, values, operation = case
    x = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))
    apply_transform(name, x[:, :1], values)    # compile
    ours, original, bare = race(
        [
            lambda: apply_transform(name, x, values),
            lambda: original_way(x, operation),
            lambda: maps_only(x, operation),
        ],
        seconds,
    )
    bound = FAST_RATIO if shape == FAST_SHAPE else 1.0
    return {
        "transform": " ".join([name, *(f"{value:g}" for value in values)]),
        "features": shape[0],
        "height": shape[1],
        "width": shape[2],
        "audiobend_ms": round(ours, 4),
        "original_ms": round(original, 4),
        "maps_only_ms": round(bare, 4),
        "ratio": round(original / ours, 2),
        "ratio_maps_only": round(bare / ours, 2),
        "bound": bound,
        "met": original / ours >= bound,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1, help="for torch and for OpenCV (default: 1)")
    parser.add_argument("--seconds", type=float, default=0.3, help="for each row (default: 0.3)")
    parser.add_argument("--only", default="", help="transforms whose name contains this")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each row")
    parser.add_argument("--check", action="store_true", help="exit with status 1 when a bound is broken")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    if not options.json:
        print(f"{'maps':>12} {'transform':<20} {'audiobend':>10} {'original':>10} {'ratio':>7} maps only")
    broken = 0
    for shape in VAE + STYLEGAN2:
        for case in CASES:
            if options.only not in case[0]:
                continue
            row = measure(shape, case, options.seconds)
            broken += not row["met"]
            print(json.dumps(row) if options.json else line(row), flush=True)
    if broken:
        print(f"{broken} bounds broken", file=sys.stderr)
    return 1 if options.check and broken else 0


def line(row: dict[str, object]) -> str:
    maps = f"{row['features']}x{row['height']}x{row['width']}"
    return (
        f"{maps:>12} {row['transform']:<20} {row['audiobend_ms']:>7.3f} ms {row['original_ms']:>7.2f} ms "
        f"{row['ratio']:>6.1f}x {row['ratio_maps_only']:>9.1f}x{'' if row['met'] else '  BROKEN'}"
    )


if __name__ == "__main__":
    sys.exit(main())
