"""What an exported file costs beside the live engine, in one run; how near they are; how large the files are.

    python benchmarks/export.py [--quick] [--check] [--json] [--sound FILE] [--model NAME]

Both play the same patch on one thread, blocks of a stride taking turns, so that a busy machine slows both alike. Cost:
processor time for a stride, and seconds of work for a second of sound. Promises kept with --check: the sound of the
input's phase is within 1e-4 of the live engine's for blocks of 256 to 8192; a file costs at most twice what the live
engine does. `first calls` is what torch spends once on making a loaded file faster. Last, the same for the shipped
model of pictures: milliseconds for a picture, and the largest difference of its numbers, promised to be within 1e-5.
"""

import argparse
import json
import os
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

from pathlib import Path

import numpy as np
import soundfile as sf
import torch
from torch import Tensor

from audiobend.bending import Patch
from audiobend.export.exporting import plan_export, write_torchscript
from audiobend.export.pictures import plan_picture_export, write_pictures
from audiobend.io.modelbundle import load_model
from audiobend.io.patchfile import load_patch
from audiobend.io.picturemodel import load_picture_model
from audiobend.live_engine import LiveEngine, LiveSettings
from audiobend.picture import Painter

ROOT = Path(__file__).parents[1]
PATCH = ROOT / "examples" / "patches" / "low_tide.yaml"
SIZES = (256, 512, 1024, 2048, 4096, 8192)
NEAR, DEAR, PICTURE_NEAR = 1e-4, 2.0, 1e-5
TURNED = Patch(seed=1).add(3, "rotate", {"angle": 30}, id="turn").add(4, "erode", {"radius": 1}, id="wear", mix=0.5)


def music(path: Path | None, seconds: float) -> Tensor:
    """Return real music, mono ``(1, time)``: a file, or the example sounds one after the other."""
    paths = [path] if path else sorted((ROOT / "examples" / "sounds").glob("*.flac"))
    parts = [sf.read(one, dtype="float32", always_2d=True)[0].mean(1) for one in paths]
    whole = np.concatenate(parts)
    n = round(seconds * 44100)
    return torch.from_numpy(np.tile(whole, -(-n // len(whole)))[None, :n].copy())


def timed(work, block):
    """Return what some work gives and the milliseconds of processor time that it took."""
    before = time.process_time()
    out = work(block)
    return out, 1000 * (time.process_time() - before)


def side_by_side(engine: LiveEngine, module, samples: Tensor, size: int) -> dict[str, float]:
    """Play both, block by block; return milliseconds a stride (usual, and of 95 in 100), and the difference."""
    ours, theirs, worst = [], [], 0.0
    module.reset()
    first = [timed(module, samples[None, :, :size])[1] for _ in range(3)]    # torch makes it faster in the first calls
    module.reset()
    engine.reset()
    for start in range(0, samples.shape[1], size):
        block = samples[:, start : start + size]
        out, ms = timed(module, block[None])
        ours.append(ms)
        expected, ms = timed(engine.process, block.numpy())
        theirs.append(ms)
        worst = max(worst, float(np.abs(out[0].numpy() - expected).max()))
    load = 44.1 / size
    return {
        "file_ms": float(np.median(ours)),
        "file_p95_ms": float(np.quantile(ours, 0.95)),
        "file_load": float(np.mean(ours)) * load,
        "live_ms": float(np.median(theirs)),
        "live_p95_ms": float(np.quantile(theirs, 0.95)),
        "live_load": float(np.mean(theirs)) * load,
        "first_calls_ms": sum(first[:2]),
        "difference": worst,
    }


def nearness(engine: LiveEngine, module, samples: Tensor, sizes) -> dict[int, float]:
    """Return the largest difference to the live engine for each size of block."""
    engine.reset()
    expected = np.concatenate([engine.process(block.numpy()) for block in samples.split(4096, dim=1)], axis=1)
    found = {}
    for size in sizes:
        module.reset()
        heard = torch.cat([module(block[None])[0] for block in samples.split(size, dim=1)], dim=1)
        found[size] = float(np.abs(heard.numpy() - expected).max())
    return found


def pictures(folder: Path, n: int) -> dict[str, float]:
    """Return milliseconds for a picture of the file and of `Painter`, in turns, and the largest difference."""
    model = load_picture_model()
    write_pictures(plan_picture_export(model, TURNED), folder / "pictures.ts")
    module, painter, seeds = torch.jit.load(str(folder / "pictures.ts")), Painter(model, TURNED), list(range(n))
    ours, theirs, worst = [], [], 0.0
    first = [timed(module, model.codes([0]))[1] for _ in range(3)]
    for seed in seeds:
        out, ms = timed(module, model.codes([seed]))
        ours.append(ms)
        expected, ms = timed(lambda one: painter.paint(painter.styles([one]), [one]), seed)
        theirs.append(ms)
        worst = max(worst, float((out - expected).abs().max()))
    size = (folder / "pictures.ts").stat().st_size / 2**20
    return {"file_ms": float(np.median(ours)), "audiobend_ms": float(np.median(theirs)), "mib": size,
            "first_calls_ms": sum(first[:2]), "difference": worst}    # fmt: skip


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sound", type=Path, default=None)
    parser.add_argument("--model", default=None)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    seconds = 2.0 if options.quick else 60.0
    model, patch = load_model(options.model), load_patch(PATCH)
    samples = music(options.sound, seconds)
    rows, near = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for profile, phase in (("low", "input"), ("balanced", "input"), ("balanced", "rtisi")):
            path = Path(folder) / f"{profile}-{phase}.ts"
            write_torchscript(plan_export(model, patch, "torchscript", profile=profile, phase=phase), path)
            settings = LiveSettings.profile(profile, phase=phase)
            engine, module = LiveEngine(model, patch, settings), torch.jit.load(str(path))
            row = side_by_side(engine, module, samples[:, : 20 * 44100], settings.stride * 256)
            rows.append({"latency": profile, "phase": phase, "mib": path.stat().st_size / 2**20, **row})
            if (profile, phase) == ("balanced", "input"):
                near = nearness(engine, module, samples, SIZES[::5] if options.quick else SIZES)
        painted = pictures(Path(folder), 5 if options.quick else 100)
    show(rows, near, painted, seconds, options.json)
    if options.check:
        sys.exit(judge(rows, near, painted))


def show(rows, near, painted, seconds, as_json) -> None:
    if as_json:
        found = {"seconds": seconds, "costs": rows, "largest_difference": near, "pictures": painted}
        print(json.dumps(found, indent=2))
        return
    print("latency    phase   file ms   p95    load   live ms   p95    load   first calls ms   file MiB   difference")
    for row in rows:
        costs = "  ".join(f"{row[f'{who}_ms']:7.1f} {row[f'{who}_p95_ms']:6.1f} {row[f'{who}_load']:6.2f}"
                          for who in ("file", "live"))
        apart = f"{row['difference']:10.1e}" if row["phase"] == "input" else "     other"
        size = f"{row['first_calls_ms']:12.0f}  {row['mib']:10.1f}"
        print(f"{row['latency']:9s}  {row['phase']:6s}{costs}  {size}   {apart}")
    print(f"largest difference to the live engine over {seconds:g} s of music, balanced, input's phase")
    for size, apart in near.items():
        print(f"  blocks of {size:5d}   {apart:.1e}")
    costs = f"{painted['file_ms']:.1f} ms a picture, audiobend {painted['audiobend_ms']:.1f} ms"
    rest = f"first calls {painted['first_calls_ms']:.0f} ms, {painted['mib']:.1f} MiB"
    print(f"pictures: {costs}, {rest}, difference {painted['difference']:.1e}")


def judge(rows, near, painted) -> int:
    """Return 1 where a promise is broken, and say which."""
    broken = [f"blocks of {size}: {apart:.1e} from the live engine" for size, apart in near.items() if apart > NEAR]
    broken += [
        f"{row['latency']} {row['phase']}: {row['file_load'] / row['live_load']:.1f} times the live engine's cost"
        for row in rows
        if row["file_load"] > DEAR * row["live_load"]
    ]
    if painted["difference"] > PICTURE_NEAR:
        broken.append(f"pictures: {painted['difference']:.1e} from audiobend's")
    for sentence in broken:
        print(f"not kept: {sentence}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    main()
