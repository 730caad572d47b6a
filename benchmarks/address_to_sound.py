"""From an OSC packet that is sent to the first sample that is another one, through all processes of a performance.

    python benchmarks/address_to_sound.py [--model NAME] [--latency balanced] [--times 40] [--json] [--check]

A sound is played without a card, by the clock, so that what comes out is what went in, some time later: at first dry,
then through the network with all detail given back. A packet turns the gain, or bends a layer; the first sample that
differs from the input is looked up in what was played. Counted are the samples that the card plays from the sending
of the packet on. Promised with --check: none takes longer than one stride and the latency of the engine.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf

sys.path.insert(0, str(Path(__file__).parents[1]))

RATE = 44100
GESTURES = {
    "gain": ("output/mix", 0.0, "/audiobend/gain", (-12.0, 0.0), 1e-4),
    "bend": ("output/detail", 1.0, "/audiobend/layer/4/all/negate", (1, 0), 1e-2),
}


def measured(model: str | None, profile: str, name: str, times: int, track: Path) -> dict[str, object]:
    """Return how many samples each gesture took."""
    # Here, because the processes of a performance import this file too, and would wait for all of it.
    from audiobend.bending import Patch
    from audiobend.io.modelbundle import load_model
    from audiobend.live.audio import Clock
    from audiobend.live.dsp import Wanted
    from audiobend.live.performance import Performance
    from audiobend.live.priority import come_first
    from audiobend.live.rings import Count
    from audiobend.live.setup import Setup
    from audiobend.osc.client import OscClient
    from audiobend.spectral.live_settings import LiveSettings

    target, value, address, (on, off), threshold = GESTURES[name]
    patch = Patch().set(target, value).set("output/limiter", False)
    settings = LiveSettings.profile(profile)
    setup = Setup(Wanted(model, patch), settings, Clock(RATE), profile, source=track, loops=True)
    taken = []
    with Performance(setup, load_model(model), lambda sentence: print(sentence, file=sys.stderr)) as performance:
        assert performance.start()
        come_first()    # as in audiobend live
        shared = performance._shared
        shared[Count.KEEPS] = 1
        performance.watch(2.0)
        with OscClient("127.0.0.1", performance.osc.port) as client:
            for _ in range(times):
                begun = shared[Count.PLAYED]
                client.send(address, [on])
                performance.watch(0.6)
                taken.append(first_other(shared, begun, shared[Count.DELAY], RATE // 2, threshold))
                client.send(address, [off])
                performance.watch(0.4 + 0.01 * np.random.default_rng(len(taken)).random())
        latency, late = performance.latency, performance.status().late_blocks
    found = [one for one in taken if one is not None]
    return {
        "gesture": name, "profile": profile, "times": times, "found": len(found), "late_blocks": late,
        "stride": settings.stride * 256, "engine_latency": settings.latency, "delay": latency.delay,
        "block": latency.block, "median": float(np.median(found)), "p95": float(np.percentile(found, 95)),
        "most": max(found), "bound": settings.stride * 256 + settings.latency,
    }


def first_other(shared, begun: int, delay: int, n: int, threshold: float) -> int | None:
    """Return after how many samples something else was played than came in ``delay`` samples before."""
    heard, given = np.empty((n, 2), np.float32), np.empty((n, 2), np.float32)
    shared.kept.get(begun, heard)
    shared.input.get(begun - delay, given, 1)
    differs = np.flatnonzero(np.abs(heard[:, 0] - given[:, 0]) > threshold)
    return int(differs[0]) if len(differs) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--latency", default="balanced", choices=["low", "balanced", "studio"])
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        track = Path(folder) / "noise.wav"
        noise = 0.1 * np.random.default_rng(0).standard_normal(20 * RATE)
        sf.write(track, noise, RATE, subtype="FLOAT")
        results = [measured(options.model, options.latency, name, options.times, track) for name in GESTURES]
    if options.json:
        print(json.dumps(results, indent=2))
    for one in results if not options.json else ():
        ms = {key: 1000 * float(one[key]) / RATE for key in ("median", "p95", "most", "bound")}
        print(f"{one['gesture']:5} {one['found']}/{one['times']} heard after {one['median']:.0f} samples "
              f"({ms['median']:.0f} ms), 95 % {ms['p95']:.0f} ms, most {one['most']} ({ms['most']:.0f} ms); promised "
              f"{one['bound']} ({ms['bound']:.0f} ms); late blocks {one['late_blocks']}")
    if options.check and any(one["most"] > one["bound"] for one in results):
        sys.exit("a gesture was heard later than promised")


if __name__ == "__main__":
    main()
