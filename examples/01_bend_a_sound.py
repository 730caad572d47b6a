"""Bend a sound from Python: load, bend, write.

    python examples/01_bend_a_sound.py OUTPUT_FOLDER
"""

import sys
from pathlib import Path

import audiobend as ab

here = Path(__file__).parent
out = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

waveform, sample_rate = ab.read_audio(here / "sounds" / "next_to_you.flac")    # (channel, time), Hz
model = ab.load_model()
patch = ab.load_patch(here / "patches" / "low_tide.yaml")
bent = ab.render(waveform, sample_rate, model=model, patch=patch)
ab.write_audio(out / "low_tide.wav", bent, sample_rate)
print(f"wrote {out / 'low_tide.wav'}: {bent.shape[-1] / sample_rate:.1f} s")
