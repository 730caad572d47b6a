"""A sound card made of software: a JACK client whose microphone plays an array and whose speaker is recorded.

Run as a program, because a process that can be stopped and killed is part of what is tested:
``python soft_card.py NAME IN.npy OUT.npy SECONDS``. It prints "ready" when PortAudio may look for it, begins when
somebody has connected to it (or at once with ``--now``), and writes what its speaker got when the time is over.
``--wire`` joins speaker and microphone, as a cable would.
"""

import sys
import threading

import jack
import numpy as np


def main(name: str, sound: str, target: str, seconds: float, *flags: str) -> None:
    card = jack.Client(name, no_start_server=True)
    microphone = [card.outports.register(f"mic_{i + 1}") for i in range(2)]
    speaker = [card.inports.register(f"speaker_{i + 1}") for i in range(2)]
    played = np.load(sound) if sound != "-" else np.zeros((0, 2), dtype=np.float32)
    recorded = np.zeros((int(seconds * card.samplerate), 2), dtype=np.float32)
    over = threading.Event()
    position = 0
    wire = "--wire" in flags

    @card.set_process_callback
    def process(frames: int) -> None:
        nonlocal position
        n = max(0, min(frames, len(recorded) - position))
        part = played[position : position + frames]
        for channel in range(2):
            out = microphone[channel].get_array()
            heard = speaker[channel].get_array()
            out[:] = heard if wire else 0
            if not wire:
                out[: len(part)] = part[:, channel]
            recorded[position : position + n, channel] = heard[:n]
        position += frames
        if position >= len(recorded):
            over.set()

    @card.set_shutdown_callback
    def gone(*_: object) -> None:
        over.set()

    with card:
        print("ready", flush=True)
        over.wait(seconds * 20 + 30)
        np.save(target, recorded)
        print(f"recorded {min(position, len(recorded))} of {len(recorded)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), *sys.argv[5:])
