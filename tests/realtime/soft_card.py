"""A sound card made of software: a JACK client whose microphone plays an array and whose speaker is recorded.

Run as a program, because a process that can be stopped and killed is part of what is tested:
``python soft_card.py NAME IN.npy OUT.npy SECONDS``. It prints "ready" when PortAudio may look for it, and plays and
records at once, for at most so many seconds. Every line of standard input is answered by the position;
at the end of it the program writes what its speaker got.
After a line "freewheel" the server runs faster than real time; after "save" what its speaker got is written while it
goes on. ``--wire`` joins speaker and microphone, as a cable
would; ``--loop`` plays for ever, again and again.
"""

import sys
import threading

import jack
import numpy as np


class Card:
    def __init__(self, name: str, sound: np.ndarray, seconds: float, wire: bool, loops: bool) -> None:
        self.client = jack.Client(name, no_start_server=True)
        self.microphone = [self.client.outports.register(f"microphone_{i + 1}") for i in range(2)]
        self.speaker = [self.client.inports.register(f"speaker_{i + 1}") for i in range(2)]
        self.sound, self.wire, self.loops, self.position = sound, wire, loops, 0
        self.recorded = np.zeros((int(seconds * self.client.samplerate), 2), dtype=np.float32)
        self.over = threading.Event()
        self.runs_free = False
        self.client.set_process_callback(self.process)
        self.client.set_shutdown_callback(lambda *_: self.over.set())

    def process(self, frames: int) -> None:
        position = self.position
        start = position % (len(self.sound) // frames * frames) if self.loops else position
        part = self.sound[start : start + frames]
        n = max(0, min(frames, len(self.recorded) - position))
        for channel in range(2):
            out, heard = self.microphone[channel].get_array(), self.speaker[channel].get_array()
            out[:] = heard if self.wire else 0
            if not self.wire:
                out[: len(part)] = part[:, channel]
            self.recorded[position : position + n, channel] = heard[:n]
        self.position = position + frames
        if self.position >= len(self.recorded) and not self.loops:
            self.over.set()


def answer(card: Card, target: str) -> None:
    for line in sys.stdin:
        if line == "save\n":
            np.save(target, card.recorded[: card.position])
        if line == "freewheel\n":
            card.client.set_freewheel(True)
            card.runs_free = True
        print(card.position, flush=True)
    card.over.set()


def main(name: str, sound: str, target: str, seconds: float, *flags: str) -> None:
    samples = np.load(sound) if sound != "-" else np.zeros((0, 2), dtype=np.float32)
    card = Card(name, samples, seconds, "--wire" in flags, "--loop" in flags)
    with card.client:
        print("ready", flush=True)
        threading.Thread(target=answer, args=(card, target), daemon=True).start()
        card.over.wait()
        if card.runs_free:
            card.client.set_freewheel(False)
        np.save(target, card.recorded[: card.position])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), *sys.argv[5:])
