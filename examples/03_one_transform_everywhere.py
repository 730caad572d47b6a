"""Hear what one transform does in each layer: the sound's version of the paper's figure 2.

    python examples/03_one_transform_everywhere.py OUTPUT_FOLDER
"""

import sys
from pathlib import Path

import audiobend as ab

here = Path(__file__).parent
out = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

waveform, sample_rate = ab.read_audio(here / "sounds" / "harvest_food.flac")
waveform = waveform[:, : 3 * sample_rate]
model = ab.load_model()
unbent = ab.render(waveform, sample_rate, model=model)

for layer in (1, 2, 3, 4):
    patch = ab.Patch(name=f"flip {layer}").add(layer, "flip-h")    # reverse the frequency axis of every map
    bent = ab.render(waveform, sample_rate, model=model, patch=patch)
    ab.write_audio(out / f"flip_layer_{layer}.wav", bent, sample_rate)
    change = float((bent - unbent).square().mean().sqrt() / unbent.square().mean().sqrt())
    print(f"layer {layer}: changed by {change:.2f} of the unbent sound's own size")
