"""A host of VST3 plugins as a program: pedalboard, which does what one line of JSON after the other says.

It is a process of its own, because hosts are killed in these tests, and a plugin that is removed must really go.
``play`` hands a sound over in blocks, as fast as it goes; the host takes the plugin's latency off again.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pedalboard


def main(bundle: str) -> None:
    plugin = pedalboard.load_plugin(bundle)
    for line in sys.stdin:
        order = json.loads(line)
        told: dict[str, object] = {}
        for name, value in order.get("set", {}).items():
            setattr(plugin, name, value)
        if "restore" in order:
            plugin.raw_state = Path(order["restore"]).read_bytes()
        if "play" in order:
            sound = np.load(order["play"]).T.copy()
            out = plugin.process(sound, order["rate"], buffer_size=order["block"], reset=True)
            np.save(order["out"], out.T)
            told = {"latency": plugin.reported_latency_samples, "samples": out.shape[1]}
        if "save" in order:
            Path(order["save"]).write_bytes(plugin.raw_state)
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
