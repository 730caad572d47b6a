"""Sound cards and processes: the audio child, the dsp child, and the supervisor that keeps them alive."""
