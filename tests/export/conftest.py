"""Exported files of the small network, and ways of playing them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from audiobend.bending import Patch
from audiobend.export.build import build_stream
from audiobend.export.controls import parse_controls
from audiobend.export.exporting import plan_export, write_torchscript
from audiobend.export.nn_tilde import nn_module
from audiobend.live_engine import LiveEngine, LiveSettings

PLAYER = Path(__file__).with_name("bare_player.py")


@pytest.fixture(scope="session")
def fog():
    """A patch with something to turn."""
    return (
        Patch(name="low tide", seed=7)
        .add(3, "erode", {"radius": 1}, id="fog", mix=0.8)
        .add(2, "scalar-multiply", {"factor": 1.5}, id="dust")
        .set("output/detail", 0.3)
    )


@pytest.fixture(scope="session")
def sound(music):
    """Two and a half seconds, stereo, not loud."""
    return (music[:, :110_250] * 0.3).contiguous()


@pytest.fixture(scope="session")
def minute():
    """A minute of the example sounds, one after the other at three levels, mono."""
    import soundfile as sf

    folder = Path(__file__).parents[2] / "examples" / "sounds"
    tunes = [sf.read(path, dtype="float32", always_2d=True)[0].mean(1) for path in sorted(folder.glob("*.flac"))]
    parts = [level * tune for level in (0.5, 0.9, 0.2) for tune in tunes]
    return torch.from_numpy(np.concatenate(parts)[None, : 60 * 44100])


@pytest.fixture
def bare(tmp_path):
    """Play a file in an interpreter that has torch alone."""

    def play(file, samples, sizes=(2048,), changes=()):
        job, result = tmp_path / "job.pt", tmp_path / "result.pt"
        torch.save({"file": str(file), "samples": samples, "sizes": list(sizes), "changes": list(changes)}, job)
        words = [sys.executable, "-W", "ignore", str(PLAYER), str(job), str(result)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env={"OMP_NUM_THREADS": "1"})
        assert done.returncode == 0, done.stderr[-2000:]
        return torch.load(result, weights_only=True)

    return play


_made = {}


def compiled(model, patch, settings=None, controls=""):
    """Return a compiled file without writing it, as it is at first: torch is slow in the first calls of each."""
    settings = settings or LiveSettings()
    key = (model.fingerprint, repr(patch), settings, controls)
    if key not in _made:
        chosen = parse_controls(patch, controls)
        stream, slots = build_stream(model, patch, settings, chosen)
        module = nn_module(stream, slots, chosen)
        _made[key] = (module, list(module.values))
    module, values = _made[key]
    module.values = list(values)
    module.reset()
    return module


@pytest.fixture(scope="session")
def shipped():
    """The model that comes with audiobend."""
    from audiobend.io.modelbundle import load_model

    return load_model()


def played(module, samples, size=2048):
    """Play a compiled file from where it stands, without the seconds that torch spends on making it faster."""
    with torch.inference_mode(), torch.jit.optimized_execution(False):
        blocks = [module(samples[None, :, i : i + size])[0] for i in range(0, samples.shape[1], size)]
    return torch.cat(blocks, dim=1)


def live(model, patch, samples, settings=None, changes=(), size=2048):
    """Play the live engine, handing in patches at samples."""
    engine, out, waiting = LiveEngine(model, patch, settings or LiveSettings()), [], sorted(changes, key=lambda c: c[0])
    for start in range(0, samples.shape[1], size):
        while waiting and waiting[0][0] <= start:
            engine.set_patch(waiting.pop(0)[1])
        out.append(engine.process(samples[:, start : start + size].numpy()))
    return torch.from_numpy(np.concatenate(out, axis=1))


def written(model, patch, path, **options):
    """Write a TorchScript file and return its path."""
    write_torchscript(plan_export(model, patch, "torchscript", **options), path)
    return path
