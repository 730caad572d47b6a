"""How long a catalog takes: every layer and cluster, six transforms, two strengths, 10 s of sound.

    python benchmarks/catalog.py [--model NAME] [--sound FILE] [--jobs 2] [--seconds 10] [--quick] [--json] [--check]

Processor seconds are those of all its processes together: on a busy machine they say more than the clock.
Promise kept with --check: 5 minutes on two cores.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

import audiobend as ab
from audiobend.clustering.catalog.making import make_catalog
from audiobend.clustering.catalog.subject import read_subject

SOUND = Path(__file__).parents[1] / "examples" / "sounds" / "next_to_you.flac"
MOST_SECONDS = 300.0


def processor_seconds() -> float:
    """Return what this process and its ended children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=None)
    parser.add_argument("--sound", type=Path, default=SOUND)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--quick", action="store_true", help="two transforms, two seconds")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = ab.load_model(options.model)
    subject = read_subject(options.sound, 2.0 if options.quick else options.seconds)
    names = {"transforms": ("ablate", "dilate")} if options.quick else {}
    begun, used = time.perf_counter(), processor_seconds()
    with tempfile.TemporaryDirectory() as folder:
        made = make_catalog(model, subject, Path(folder) / "catalog", jobs=options.jobs, **names)
        took, used = time.perf_counter() - begun, processor_seconds() - used
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    n = len(made.document["entries"])
    facts = {
        "model": model.name, "seconds_of_sound": subject.seconds, "channels": len(subject.samples), "bends": n,
        "jobs": options.jobs, "took_seconds": round(took, 1), "processor_seconds": round(used, 1),
        "processor_seconds_per_bend": round(used / n, 2), "megabytes": round(size / 1e6, 1),
    }
    if options.json:
        print(json.dumps(facts, indent=2))
    else:
        print("\n".join(f"{name.replace('_', ' '):28}{value}" for name, value in facts.items()))
    if options.check and took > MOST_SECONDS:
        sys.exit(f"a promise is broken: the catalog took {took:.0f} s, more than {MOST_SECONDS:.0f} s")


if __name__ == "__main__":
    main()
