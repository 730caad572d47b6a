"""Copy a few golden cases of each kind into tests/bending, so that the tests pass without the full set.

Run from the repository: ``python tests/bending/make_golden_subset.py FOLDER``.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SMALL = {"in_8x33", "in_1x1", "in_17x65"}


def broad(source: Path) -> None:
    full = np.load(source / "broad_transforms.npz")
    cases = [case for case in json.loads(str(full["meta_json"])) if case["input"] in SMALL]
    kept = {name: full[name] for name in full.files if name.startswith(("ellipse", "chain"))}
    kept |= {name: full[name] for name in SMALL} | {"meta_json": np.array(json.dumps(cases))}
    for case in cases:
        names = [f"{case['key']}_out", f"{case['key']}_exact"]
        kept |= {name: full[name] for name in names if name in full.files}
    np.savez_compressed(HERE / "golden_broad.npz", **kept)


def zheng(source: Path) -> None:
    """The cases of 4 and 8 cells; results are there for some features only, sums for all."""
    full = np.load(source / "zheng_blocks.npz")
    cases = [case for case in json.loads(str(full["meta_json"])) if case["size"] in (4, 8)]
    kept = {name: full[name] for name in ("in_4", "in_8", "cluster_labels")}
    kept["meta_json"] = np.array(json.dumps(cases))
    for case in cases:
        kept |= {f"{case['key']}_{part}": full[f"{case['key']}_{part}"] for part in ("out", "ch")}
    np.savez_compressed(HERE / "golden_zheng.npz", **kept)


if __name__ == "__main__":
    broad(Path(sys.argv[1]))
    zheng(Path(sys.argv[1]))
