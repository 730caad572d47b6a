"""A host of VST3 plugins as a program: pedalboard, which does what one line after the other says.

It is a process of its own, because hosts are killed in these tests, and a plugin that is removed must really go. Its
orders and answers are those of ``native/clap_host.cpp``.
"""

import sys
from pathlib import Path

import numpy as np
import pedalboard


def main(bundle: str) -> None:
    plugin = pedalboard.load_plugin(bundle)
    for line in sys.stdin:
        verb, *words = line.split()
        print(obey(plugin, verb, *words) or "", flush=True)


def obey(plugin: pedalboard.VST3Plugin, verb: str, *words: str) -> str | None:
    if verb == "set":
        setattr(plugin, {"gain": "gain_db"}.get(words[0], words[0]), float(words[1]))
    elif verb == "save":
        Path(words[0]).write_bytes(plugin.raw_state)
    elif verb == "restore":
        plugin.raw_state = Path(words[0]).read_bytes()
    elif verb == "play":
        sound = np.fromfile(words[0], np.float32).reshape(-1, 2).T.copy()
        plugin.process(sound, float(words[1]), buffer_size=int(words[2]), reset=True).T.tofile(words[3])
        return str(plugin.reported_latency_samples)
    return None


if __name__ == "__main__":
    main(sys.argv[1])
