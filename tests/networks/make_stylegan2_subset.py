"""Copy golden generators and the smaller of their arrays into tests/networks, so that the tests pass without all.

Run from the repository: ``python tests/networks/make_stylegan2_subset.py FOLDER``.
"""

import shutil
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
LARGE = ("act_layer5", "act_layer6", "act_layer7", "act_layer8", "act_b32", "act_b64")
LEFT_OUT = ("listnoise", "img_const_unfused", *LARGE)


def copy(source: Path) -> None:
    for name in ("rosinality64", "ada64"):
        full = np.load(source / f"{name}.npz")
        np.savez_compressed(
            HERE / f"golden_{name}.npz", **{key: full[key] for key in full.files if not key.startswith(LEFT_OUT)}
        )
    for name in ("rosinality64.pt", "ada64.pkl"):
        shutil.copyfile(source / name, HERE / f"golden_{name}")


if __name__ == "__main__":
    copy(Path(sys.argv[1]))
