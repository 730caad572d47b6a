"""Pictures per second from StyleGAN2, and what bends cost, against the original's way: OpenCV, one feature at a time.

    python benchmarks/pictures.py                 a table
    python benchmarks/pictures.py --check         also exit with status 1 when a bound is broken
    python benchmarks/pictures.py --quick         64 pixels only
    python benchmarks/pictures.py --device cuda   on a graphics processor

Random weights at the published feature counts. Times are medians; on one core they are the processor's own time, so
that other programs disturb them less. Unbent and bent pictures take turns: a bend's share is what it adds in its round,
divided by the time of the bent picture, and the median of that. "loop" is the same bends as the original does them:
every feature to numpy, OpenCV, and back.

Bound: bends take less than a tenth of the time for the two patches that are played most; the third bends every feature
of a large layer, and is there for comparison.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import cv2
import torch
from torch import Tensor

from audiobend.bending import Indices, Patch
from audiobend.networks import bent
from audiobend.networks.stylegan2 import Architecture, StyleGAN2, standard_features
from audiobend.networks.stylegan2_model import PictureModel
from audiobend.picture import Painter
from audiobend.picture_settings import PictureSettings

BOUND = 0.10
Image = cv2.typing.MatLike
Operation = Callable[[Image, float], Image]


def turned(image: Image, angle: float) -> Image:
    rows, columns = image.shape
    matrix = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), angle, 1)
    return cv2.warpAffine(image, matrix, (columns, rows))


def worn(image: Image, radius: float) -> Image:
    side = 2 * int(radius) + 1
    return cv2.erode(image, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


OPENCV: dict[str, tuple[str, Operation]] = {
    "rotate": ("angle", turned),
    "erode": ("radius", worn),
    "scalar-multiply": ("factor", lambda image, factor: image * factor),
}


def patches(size: int) -> dict[str, Patch]:
    """One bend of a cluster; three bends of clusters at three depths; a whole large layer."""
    last = 2 * (size.bit_length() - 3)

    def some(layer: int, count: int) -> Indices:
        n_features = standard_features(size)[(layer + 1) // 2]
        return Indices(tuple(range(0, n_features, max(1, n_features // count))))

    one = Patch().add(5, "rotate", {"angle": 45.0}, features=some(5, 100), id="turn")
    three = one.add(3, "erode", {"radius": 1}, features=some(3, 100), id="wear")
    three = three.add(last - 2, "scalar-multiply", {"factor": 2.0}, features=some(last - 2, 16), id="dust")
    whole = Patch().add(last - 1, "rotate", {"angle": 45.0}, id="turn")
    return {"one cluster": one, "three clusters": three, f"all of layer {last - 1}": whole}


class Loop:
    """The bends of a plan as the original does them."""

    def __init__(self, painter: Painter) -> None:
        self.steps = painter.plan.steps
        self.layers = painter.plan.layers

    def apply(self, layer: object, x: Tensor, *, times: Tensor | None = None, call: int = 0) -> Tensor:
        for step in self.steps[layer]:    # type: ignore[index]
            name, operation = OPENCV[step.entry.name]
            chosen, value = set(step.chosen), float(step.values[name])    # type: ignore[arg-type]
            maps = [part.squeeze() for part in x.split(1, dim=1)]
            bent_maps = [
                torch.from_numpy(operation(one.cpu().numpy(), value)).to(x.device) if index in chosen else one
                for index, one in enumerate(maps)
            ]
            x = torch.stack(bent_maps)[None]
        return x


def in_turns(works: Sequence[Callable[[], object]], clock: Callable[[], float], seconds: float, device: str) -> Tensor:
    """Return times ``(round, work)``: all works by turns, so that a change of the machine's speed is no one's fault."""
    times: list[list[float]] = []
    begun = time.perf_counter()
    while len(times) < 4 or time.perf_counter() - begun < seconds * len(works):
        times.append([timed(work, clock, device) for work in works])
    return torch.tensor(times[1:])    # the first warms up


def timed(work: Callable[[], object], clock: Callable[[], float], device: str) -> float:
    """Return how long something takes."""
    start = clock()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def measure(size: int, threads: int, device: str, seconds: float) -> list[str]:
    """Print the rows of one size; return the bounds that were broken."""
    torch.set_num_threads(threads)
    clock = time.process_time if threads == 1 and device == "cpu" else time.perf_counter
    torch.manual_seed(0)
    network = StyleGAN2(Architecture(standard_features(size))).eval().requires_grad_(False)
    model = PictureModel("random", network, "0" * 16)
    settings = PictureSettings(truncation=1, device=device)
    plain = Painter(model, None, settings)
    w = plain.styles([0])
    broken, is_first = [], True
    for name, patch in patches(size).items():
        painter = Painter(model, patch, settings)
        works = [lambda: plain.paint(w, [0]), lambda one=painter: one.paint(w, [0]), lambda one=painter: looped(one, w)]
        times = in_turns(works, clock, seconds, device)
        unbent, own, _ = times.quantile(0.5, dim=0).tolist()
        share, theirs = ((times[:, 1:] - times[:, :1]) / times[:, 1:]).quantile(0.5, dim=0).clamp(min=0).tolist()
        if is_first:
            print(f"{size:5d} {threads:6d}  {'unbent':18s} {unbent * 1e3:9.1f} {1 / unbent:10.2f}", flush=True)
            is_first = False
        row = f"{size:5d} {threads:6d}  {name:18s} {own * 1e3:9.1f} {1 / own:10.2f} {share:9.1%} {theirs:9.1%}"
        print(row, flush=True)
        if share >= BOUND and not name.startswith("all"):
            broken.append(f"{size} pixels, {name}: bends take {share:.1%} of the time")
    return broken


def looped(painter: Painter, w: Tensor) -> Tensor:
    """Paint with the original's loop in the place of the bends."""
    with bent(painter.network, Loop(painter)), torch.no_grad():
        return painter.network.synthesis(w).cpu()


def main() -> None:
    """Measure what the words of the command line ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit with status 1 when a bound is broken")
    parser.add_argument("--quick", action="store_true", help="64 pixels only")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=4.0, help="for each row")
    options = parser.parse_args()
    print(f"{'size':>5s} {'cores':>6s}  {'patch':18s} {'ms':>9s} {'pictures/s':>10s} {'share':>9s} {'loop':>9s}")
    broken = []
    for threads in [1] if options.quick or options.device == "cuda" else options.cores:
        for size in (64,) if options.quick else (64, 256, 1024):
            broken += measure(size, threads, options.device, options.seconds)
    if options.check and broken:
        sys.exit("; ".join(broken))


if __name__ == "__main__":
    main()
