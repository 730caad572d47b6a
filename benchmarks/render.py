"""How fast a render is, on one core, and how much memory it takes.

    python benchmarks/render.py [--quick] [--check] [--hour] [--json]

Speed: seconds of sound per second of processor time for a mono track, start-up apart, with and without bends, at every
quality. Memory: peak of a whole `audiobend render` process for a track of one minute and for a longer one (10 minutes;
with --hour 60). Promises kept with --check: default quality at least 4 times real time; the longer track's peak under
3 GiB and no more than 200 MiB above the short one's.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import soundfile as sf
import torch

ROOT = Path(__file__).parents[1]
SOUND = ROOT / "examples" / "sounds" / "harvest_food.flac"
PATCH = ROOT / "examples" / "patches" / "low_tide.yaml"
RATE = 44100


def track(seconds: float) -> np.ndarray:
    """Return real music, repeated to the length wanted, mono."""
    samples, _ = sf.read(SOUND, dtype="float32")
    return np.resize(samples, int(seconds * RATE))


def speed(seconds: float, rounds: int) -> dict[str, float]:
    """Return times real time (processor time, median of rounds) for each setting."""
    import audiobend as ab

    torch.set_num_threads(1)
    model, patch = ab.load_model(), ab.load_patch(PATCH)
    waveform = torch.from_numpy(track(seconds))
    cases = {
        "unbent, default": (ab.Patch(), "default"),
        "bent, fast": (patch, "fast"),
        "bent, default": (patch, "default"),
        "bent, best": (patch, "best"),
    }
    ab.render(waveform[: 2 * RATE], RATE, model=model, patch=patch)    # compile, allocate
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, (a_patch, quality) in cases.items():
            before = time.process_time()
            ab.render(waveform, RATE, model=model, patch=a_patch, settings=ab.Settings(quality=quality))
            times[name].append(time.process_time() - before)
    return {name: seconds / float(np.median(values)) for name, values in times.items()}


def peak_mib(seconds: float, folder: Path) -> float:
    """Return the peak memory of a whole render process in MiB."""
    source = folder / f"track{seconds:.0f}.wav"
    with sf.SoundFile(source, "w", RATE, 1, "PCM_16") as file:
        for _ in range(int(seconds // 10)):
            file.write(track(10))
    command = [sys.executable, "-c", "from audiobend.cli import main; main()", "render", str(source)]
    command += [str(folder / "out.wav"), "--patch", str(PATCH)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit("the render failed")
    source.unlink()
    return usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter tracks")
    parser.add_argument("--check", action="store_true", help="exit with 1 unless the promises are kept")
    parser.add_argument("--hour", action="store_true", help="measure memory on a track of 60 minutes")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    speeds = speed(12.0 if options.quick else 30.0, 1 if options.quick else 5)
    long = 3600.0 if options.hour else 120.0 if options.quick else 600.0
    with tempfile.TemporaryDirectory() as folder:
        peaks = {f"{seconds / 60:.0f} min": peak_mib(seconds, Path(folder)) for seconds in (60.0, long)}
    if options.json:
        print(json.dumps({"times_real_time": speeds, "peak_mib": peaks}, indent=2))
    else:
        print("times real time on one core (processor time, mono)")
        for name, value in speeds.items():
            print(f"  {name:18} {value:6.1f}")
        print("peak memory of the whole process")
        for name, value in peaks.items():
            print(f"  {name:18} {value:6.0f} MiB")
    short, longer = peaks.values()
    kept = speeds["bent, default"] >= 4 and longer < 3072 and longer - short < 200
    if options.check and not kept:
        sys.exit("a promise is broken: 4 times real time, under 3 GiB, no growth with the track's length")


if __name__ == "__main__":
    main()
