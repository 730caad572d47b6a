"""Build a patch in Python, change it, save it, and see which features a random bend drew.

    python examples/02_build_a_patch.py OUTPUT_FOLDER
"""

import sys
from pathlib import Path

import audiobend as ab
from audiobend.bending import Cluster, Random

out = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
model = ab.load_model()

# Everything is immutable: each step returns a new patch.
patch = ab.Patch(name="my first", seed=4)
patch = patch.add(3, "erode", {"radius": 2}, features=Cluster((1,)), mix=0.8, id="fog")
patch = patch.add(1, "scalar-multiply", {"factor": 2.0}, features=Random(0.25), id="dust")
patch = patch.set("fog/radius", 3).set("output/detail", 0.2)

plan = model.resolve(patch)    # checks every value against this model, draws the random features
print("dust acts on", len(plan.features_of("dust")), "features of layer 1:", plan.features_of("dust")[:8], "...")

ab.save_patch(plan.drawn(), out / "my_first.yaml")    # with the drawn features: it will sound the same for ever
print((out / "my_first.yaml").read_text())
