"""Run every benchmark and write docs/benchmarks.md from what they print.

    python benchmarks/make_page.py [--corpus FOLDER] [--hour] [--only PROGRAM]...

Takes about half an hour on two quiet cores. FOLDER holds the tracks that the default model's card names as kept out;
without it the fidelity table is left out. With --only, the other sections stay as they are.
"""

import argparse
import platform
import subprocess
import sys
from pathlib import Path

import numpy
import torch

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"


def processor() -> str:
    """Return what the machine calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def run(program: str, *options: str) -> str:
    """Return a section of the page: what a benchmark is for, its command, and what it printed."""
    purpose = (HERE / program).read_text().split('"""')[1].strip().splitlines()[0]
    shown = " ".join(["python", f"benchmarks/{program}", *("FOLDER" if "/" in word else word for word in options)])
    print(shown, flush=True)
    result = subprocess.run([sys.executable, HERE / program, *options], capture_output=True, text=True)
    verdict = "" if result.returncode == 0 else f"\nNot all promises were kept: {result.stderr.strip()}\n"
    return f"## {purpose}\n\n`{shown}`\n\n```\n{result.stdout.rstrip()}\n```\n{verdict}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=None)
    parser.add_argument("--hour", action="store_true", help="measure memory on a track of 60 minutes")
    parser.add_argument("--only", action="append", metavar="PROGRAM", help="run this benchmark only, such as layers.py")
    options = parser.parse_args()
    programs = {
        "render.py": ["--check", *(["--hour"] if options.hour else [])],
        "phase.py": ["--check"],
        "transforms.py": ["--check"],
        "layers.py": ["--check"],
        "training.py": ["--check"],
        "osc.py": ["--check"],
        "osc_campaign.py": ["--check"],
        "inference.py": ["--check"],
        "export.py": ["--check"],
        "pictures.py": ["--check", "--seconds", "3"],
        "page.py": ["--check"],
        "plugin.py": ["--check"],
    }
    if options.corpus:
        programs["fidelity.py"] = [str(options.corpus), "--check"]
    if options.only:
        for program in options.only:
            section = run(program, *programs[program])
            PAGE.write_text(with_section(PAGE.read_text(encoding="utf-8"), program, section), encoding="utf-8")
        return
    sections = [
        "# Measured\n\nWritten by `benchmarks/make_page.py`. Read ratios rather than seconds; machines differ.\n",
        f"Machine: {processor()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"numpy {numpy.__version__}. One thread.\n",
        *(run(program, *words) for program, words in programs.items()),
    ]
    PAGE.write_text("\n".join(sections), encoding="utf-8")


def with_section(page: str, program: str, section: str) -> str:
    """Return the page with a program's section replaced, or added at its end."""
    head, *sections = page.split("\n## ")
    sections = [f"## {old.rstrip()}\n" for old in sections]
    place = next((i for i, old in enumerate(sections) if f"`python benchmarks/{program}" in old), len(sections))
    sections[place : place + 1] = [section]
    return "\n".join([head.rstrip() + "\n", *sections])


if __name__ == "__main__":
    main()
